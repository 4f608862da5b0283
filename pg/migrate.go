package pg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/polymq/polymq/migrations"
)

// Migration is one change of the schema and when it was applied, zero if it was not.
type Migration struct {
	Version   int64
	Name      string // "": this program does not know it
	AppliedAt time.Time
}

// Bounds of a migration that meets what holds it up, such as an application's transaction that has sent. Requests wait behind it
// meanwhile, and must have an answer within callTimeout.
const (
	migrateLockTimeout = time.Second
	migratePause       = time.Second // in which they go on
	migrateTries       = 30
)

// Migrate brings the schema up to date, making it if need be. Servers that start at the same moment
// wait for each other. What PostgreSQL undid, since a lock was not to be had or somebody cancelled it, is tried again for about a minute.
// It gives the migrations that it applied.
func Migrate(ctx context.Context, opts Options) ([]Migration, error) {
	provider, closeDB, err := opts.goose(ctx, true)
	if err != nil {
		return nil, err
	}
	defer closeDB()
	var applied []Migration
	for try := 1; ; try++ {
		results, err := provider.Up(ctx)
		if partial, ok := errors.AsType[*goose.PartialError](err); ok {
			results = partial.Applied
		}
		for _, r := range results {
			applied = append(applied, Migration{Version: r.Source.Version, Name: r.Source.Path, AppliedAt: time.Now()})
		}
		if err == nil {
			return applied, nil
		}
		if try == migrateTries || !isUndone(err) {
			return applied, fmt.Errorf("migrate the schema %s: %w", opts.schema(), err)
		}
		opts.Log.Warn().Err(err).Msg("a migration was held up; trying again")
		select {
		case <-time.After(migratePause):
		case <-ctx.Done():
			return applied, ctx.Err()
		}
	}
}

// MigrationStatus lists the migrations that this program knows, and those that a newer one has applied.
func MigrationStatus(ctx context.Context, opts Options) ([]Migration, error) {
	provider, closeDB, err := opts.goose(ctx, false)
	if err != nil {
		return nil, err
	}
	defer closeDB()
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the migrations of schema %s: %w", opts.schema(), err)
	}
	list := make([]Migration, len(status))
	for i, m := range status {
		list[i] = Migration{Version: m.Source.Version, Name: m.Source.Path, AppliedAt: m.AppliedAt}
	}
	newer, err := opts.newerMigrations(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the newer migrations of schema %s: %w", opts.schema(), translate(err))
	}
	return append(list, newer...), nil
}

// newerMigrations gives those that were applied and that this program does not know.
func (o Options) newerMigrations(ctx context.Context) ([]Migration, error) {
	known, err := knownMigrations()
	if err != nil {
		return nil, err
	}
	conn, err := o.directConn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, _ := conn.Query(ctx, `SELECT version_id, tstamp AT TIME ZONE 'UTC' FROM `+pgx.Identifier{o.schema(), "goose_db_version"}.Sanitize()+`
		WHERE version_id > $1 AND is_applied ORDER BY version_id`, known[len(known)-1])
	newer, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Migration, err error) {
		err = row.Scan(&m.Version, &m.AppliedAt)
		return m, err
	})
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == "42P01" { // no such table
		return nil, nil
	}
	return newer, err
}

// Why a schema cannot be served, or migrated.
var (
	ErrSchemaOld = errors.New("the schema is older than this program: run `polymq migrate up`, or serve with --migrate auto")
	ErrSchemaNew = errors.New("the schema is newer than this program can serve: upgrade polymq")

	// ErrMigratePooled says that migrations need a session of their own.
	ErrMigratePooled = errors.New("migrations cannot go through a pooler in transaction mode: name the database itself with --database-direct-url, or run `polymq migrate up` against it")
)

// CheckSchema says whether this program can serve the schema: ErrSchemaOld or ErrSchemaNew if not.
// A newer schema is served as long as its migrations only added to it.
func CheckSchema(ctx context.Context, opts Options) error {
	conn, err := opts.anyConn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	known, err := knownMigrations()
	if err != nil {
		return err
	}
	missing, oldest, err := opts.schemaLacks(ctx, conn, known)
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && server.Code == "42P01": // no such table
		return ErrSchemaOld
	case err != nil:
		return fmt.Errorf("read the version of schema %s: %w", opts.schema(), translate(err))
	case oldest > known[len(known)-1]:
		return ErrSchemaNew
	case missing:
		return ErrSchemaOld
	}
	return nil
}

// schemaLacks says whether one of the migrations was not applied, be it between others, and gives the oldest that a server must know.
// Names are qualified, for a pooler keeps no search_path.
func (o Options) schemaLacks(ctx context.Context, conn *pgx.Conn, known []int64) (missing bool, oldest int64, err error) {
	versions := pgx.Identifier{o.schema(), "goose_db_version"}.Sanitize()
	settings := pgx.Identifier{o.schema(), "settings"}.Sanitize()
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT unnest($1::bigint[]) EXCEPT SELECT version_id FROM `+versions+` WHERE is_applied),
		(SELECT value::bigint FROM `+settings+` WHERE name = 'oldest_server')`, known).Scan(&missing, &oldest)
	return missing, oldest, err
}

// anyConn connects past the pooler where there is a way, else through it.
func (o Options) anyConn(ctx context.Context) (*pgx.Conn, error) {
	if o.listenURL() != "" {
		conn, err := o.directConn(ctx)
		return conn, translate(err)
	}
	config, err := o.poolConfig()
	if err != nil {
		return nil, err
	}
	if err := o.beforeConnect(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	return conn, translate(err)
}

// knownMigrations gives the versions of the migrations that this program knows, in order.
func knownMigrations() (known []int64, err error) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return nil, fmt.Errorf("list the migrations: %w", err)
		}
		known = append(known, version)
	}
	return known, nil
}

// goose makes a provider under its session lock, and the schema if asked to.
func (o Options) goose(ctx context.Context, create bool) (*goose.Provider, func(), error) {
	if o.listenURL() == "" {
		return nil, nil, ErrMigratePooled
	}
	conn, err := o.directConn(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the database: %w", translate(err))
	}
	if create {
		err = o.createSchema(ctx, conn)
	}
	config := conn.Config()
	_ = conn.Close(ctx)
	if err != nil {
		return nil, nil, err
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, unboundedSQL+fmt.Sprintf(`; SET lock_timeout = %d; SET enable_seqscan = on`, migrateLockTimeout.Milliseconds()))
		return err
	}))
	provider, err := newProvider(db, o.schema())
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return provider, func() { _ = db.Close() }, nil
}

func newProvider(db *sql.DB, schema string) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker(
		lock.WithLockID(int64(crc32.ChecksumIEEE([]byte("polymq "+schema)))), // schemas of one database migrate apart
		lock.WithLockTimeout(1, 300),
	)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
}

// createSchema makes the schema if it is missing. The role needs CREATE on the database for that,
// and nothing when an administrator has made the schema for it.
func (o Options) createSchema(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, o.schema()).Scan(&exists); err != nil || exists {
		return translate(err)
	}
	name := pgx.Identifier{o.schema()}.Sanitize()
	_, err := conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+name)
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case "23505", "42P06": // another server was faster
			return nil
		case "42501":
			return fmt.Errorf("the role %s may not make the schema %s: ask an administrator for `CREATE SCHEMA %s AUTHORIZATION %s`",
				conn.Config().User, o.schema(), name, pgx.Identifier{conn.Config().User}.Sanitize())
		}
	}
	return err
}
