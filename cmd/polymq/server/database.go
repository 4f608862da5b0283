package server

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
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
	log := newLogger(config)
	d := &Database{Options: pg.Options{
		URL:          config.DatabaseURL,
		DirectURL:    config.DatabaseDirectURL,
		Pooled:       config.DatabasePooled || config.DatabaseDirectURL != "",
		Schema:       config.DatabaseSchema,
		PasswordFile: config.DatabasePasswordFile,
		PoolSize:     config.DatabasePoolSize,
		Durability:   pg.Durability(config.Durability),
		Log:          log,
	}}
	if config.DatabaseURL != "" {
		return d, nil
	}
	postgres, err := embedded.Start(ctx, embedded.Options{
		DataDir:       config.DataDir,
		BinDir:        config.PostgresBinDir,
		RepositoryURL: config.PostgresRepositoryURL,
		Durability:    config.Durability,
		ListenAddress: config.PostgresListen,
		Progress:      d.progress(log),
	})
	if err != nil {
		return nil, fmt.Errorf("start the embedded PostgreSQL: %w", err)
	}
	d.postgres, d.Options.URL = postgres, postgres.URL()
	d.started.Store(true)
	return d, nil
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
		log.Info().Int64("version", m.Version).Str("name", m.Name).Msg("migration applied")
	}
	return err
}

// ExplainDatabase adds to an error of the database what its operator can do about it.
func ExplainDatabase(err error) error {
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	switch {
	case errors.As(err, &refused) && refused.Code == "28P01", errors.As(err, &refused) && refused.Code == "28000":
		return fmt.Errorf("the database refuses the login, check the user and password of database-url, or database-password-file: %w", err)
	case errors.As(err, &refused) && refused.Code == "3D000":
		return fmt.Errorf("the database of database-url does not exist, create it (createdb): %w", err)
	case errors.As(err, &refused) && refused.Code == "53300":
		return fmt.Errorf("the database has no connections left, lower database-pool-size or raise its max_connections: %w", err)
	case errors.As(err, &refused) && refused.Code == "42501":
		return fmt.Errorf("the database role may not do this, it needs CREATE on the database or a schema of its own (database-schema): %w", err)
	case errors.As(err, &unreachable):
		return fmt.Errorf("the database cannot be reached, check that PostgreSQL runs where database-url says: %w", err)
	}
	return err
}
