package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/embedded"
)

// Database is the PostgreSQL that a Config names.
type Database struct {
	Options  pg.Options       // how to reach it
	postgres *embedded.Server // nil where it is somebody else's
	started  atomic.Bool      // the embedded one
}

// OpenDatabase starts the embedded PostgreSQL, if the Config has no DatabaseURL, and says how to
// reach the database. It does not touch what is in there.
func OpenDatabase(ctx context.Context, config Config) (*Database, error) {
	config = config.withDefaults()
	d := config.database()
	if config.DatabaseURL != "" {
		return d, nil
	}
	options := config.embedded()
	options.Progress = d.progress(d.Options.Log)
	postgres, err := embedded.Start(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start the embedded PostgreSQL: %w", err)
	}
	d.postgres, d.Options.URL = postgres, postgres.URL()
	d.started.Store(true)
	return d, nil
}

// FindDatabase is as OpenDatabase for who only looks: it makes no data directory where there is none, which is
// an error, and shares the embedded PostgreSQL of a server that runs on the directory.
func FindDatabase(ctx context.Context, config Config) (*Database, error) {
	if config.DatabaseURL != "" {
		return OpenDatabase(ctx, config)
	}
	config = config.withDefaults()
	url, err := embedded.Find(config.embedded())
	switch {
	case err != nil:
		return nil, explainNoData(err)
	case url == "":
		return OpenDatabase(ctx, config)
	}
	d := config.database()
	d.Options.URL = url
	return d, nil
}

// TakeDatabase is as FindDatabase for who needs the data directory to himself: while a server runs on it that is an
// error, and of one that was killed PostgreSQL is taken over.
func TakeDatabase(ctx context.Context, config Config) (*Database, error) {
	d, err := FindDatabase(ctx, config)
	if err != nil || d.postgres != nil || config.DatabaseURL != "" {
		return d, err
	}
	return OpenDatabase(ctx, config)
}

// mustHaveData refuses to begin with an empty data directory where the schema is only to be checked.
func (c Config) mustHaveData() error {
	if c.Migrate != "check" || c.DatabaseURL != "" {
		return nil
	}
	if _, err := embedded.Find(c.embedded()); errors.Is(err, embedded.ErrNoData) {
		return fmt.Errorf("%w: serve with --migrate auto makes it, --data-dir or --database-url name another", err)
	}
	return nil // what else is wrong is for who opens it to say
}

// explainNoData says what makes data, where there is none.
func explainNoData(err error) error {
	if errors.Is(err, embedded.ErrNoData) {
		return fmt.Errorf("%w: `polymq serve` makes it, --data-dir or --database-url name another", err)
	}
	return err
}

// serverName gives the machine and the port that people know this server by.
func (c Config) serverName() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	for _, address := range c.Listen {
		if _, port, err := net.SplitHostPort(address); err == nil && port != "0" {
			return net.JoinHostPort(name, port)
		}
	}
	return name
}

// database says how to reach the database that a Config names, embedded ones aside.
func (c Config) database() *Database {
	return &Database{Options: pg.Options{
		Name: c.serverName(), Version: Version(),
		URL:          c.DatabaseURL,
		DirectURL:    c.DatabaseDirectURL,
		Pooled:       c.DatabasePooled || c.DatabaseDirectURL != "",
		Schema:       c.DatabaseSchema,
		PasswordFile: c.DatabasePasswordFile,
		PoolSize:     c.DatabasePoolSize,
		Durability:   pg.Durability(c.Durability),
		Log:          newLogger(c),
	}}
}

// embedded says how to run the embedded PostgreSQL.
func (c Config) embedded() embedded.Options {
	return embedded.Options{
		DataDir:       c.DataDir,
		BinDir:        c.PostgresBinDir,
		RepositoryURL: c.PostgresRepositoryURL,
		Durability:    c.Durability,
		ListenAddress: c.PostgresListen,
	}
}

// progress gives a function that logs the steps of the embedded PostgreSQL: of its start, and later
// of its recovery, which is news that somebody should see.
func (d *Database) progress(log zerolog.Logger) func(string) {
	return func(step string) {
		level := zerolog.InfoLevel
		if d.started.Load() {
			level = zerolog.WarnLevel
		}
		log.WithLevel(level).Str("step", step).Msg("embedded PostgreSQL")
	}
}

// Close stops the embedded PostgreSQL, if there is one.
func (d *Database) Close(ctx context.Context) error {
	if d.postgres == nil {
		return nil
	}
	return d.postgres.Stop(ctx)
}

// watch calls failed when the embedded PostgreSQL is down for good, other than by Close.
func (d *Database) watch(failed func(error)) {
	if d.postgres == nil {
		return
	}
	<-d.postgres.Done()
	if err := d.postgres.Err(); err != nil {
		failed(fmt.Errorf("the embedded PostgreSQL ended: %w", err))
	}
}

// openStore brings the schema up to date as the settings say, and opens the store.
func openStore(ctx context.Context, migrate string, options pg.Options, log zerolog.Logger) (*pg.Store, error) {
	if migrate != "off" {
		if err := checkSchema(ctx, migrate == "auto", options, log); err != nil {
			return nil, ExplainDatabase(err)
		}
	}
	store, err := pg.Open(ctx, options)
	if err != nil {
		return nil, ExplainDatabase(err)
	}
	return store, nil
}

// checkSchema says whether the schema can be served. One that is old, or not there yet, is brought
// up to date if allowed: looking first is much quicker than asking for migrations that are not
// there, and most starts find none.
func checkSchema(ctx context.Context, migrate bool, options pg.Options, log zerolog.Logger) error {
	err := pg.CheckSchema(ctx, options)
	if !migrate || !errors.Is(err, pg.ErrSchemaOld) {
		return err
	}
	applied, err := pg.Migrate(ctx, options)
	for _, m := range applied {
		log.Debug().Int64("version", m.Version).Str("name", m.Name).Msg("migration applied")
	}
	if n := len(applied); n > 0 && err == nil {
		log.Info().Int("migrations", n).Int64("version", applied[n-1].Version).Msg("schema is up to date")
	}
	return err
}

// ExplainDatabase adds to an error of the database what its operator can do about it.
func ExplainDatabase(err error) error {
	advice, err := pg.Advice(err)
	if advice == "" {
		return err
	}
	return fmt.Errorf("%s: %w", advice, err)
}
