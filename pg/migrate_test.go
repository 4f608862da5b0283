package pg_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/migrations"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// known gives how many migrations there are.
func known(t *testing.T) int { return len(versions(t)) }

// versions gives the migrations' numbers, ascending; there may be gaps.
func versions(t *testing.T) []int64 {
	t.Helper()
	files, err := migrations.FS.ReadDir(".")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	var all []int64
	for _, file := range files {
		version, err := goose.NumericComponent(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, version)
	}
	return all
}

// works fails unless a queue works through the options.
func works(t *testing.T, opts pg.Options) {
	t.Helper()
	q := newQueue(t, newBroker(t, open(t, opts)))
	q.send("a")
	if got := q.delete(true, q.one().Handle); got[0] != "" {
		t.Errorf("delete: %s", got[0])
	}
	q.wantCounts(0, 0, 0, 0)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	opts := pg.Options{URL: pgtest.EmptyDatabaseURL(t)}
	if err := pg.CheckSchema(ctx, opts); !errors.Is(err, pg.ErrSchemaOld) {
		t.Errorf("before: %v, want ErrSchemaOld", err)
	}
	status := func(wantApplied bool) {
		t.Helper()
		list, err := pg.MigrationStatus(ctx, opts)
		if err != nil || len(list) != known(t) {
			t.Fatalf("%d migrations, %v", len(list), err)
		}
		for i, m := range list {
			if m.Version != versions(t)[i] || m.Name == "" || m.AppliedAt.IsZero() == wantApplied {
				t.Errorf("migration %+v, want it applied: %v", m, wantApplied)
			}
		}
	}
	status(false)
	applied, err := pg.Migrate(ctx, opts)
	if err != nil || len(applied) != known(t) {
		t.Fatalf("applied %d migrations, %v", len(applied), err)
	}
	status(true)
	if applied, err := pg.Migrate(ctx, opts); err != nil || len(applied) != 0 {
		t.Errorf("applied %d migrations again, %v", len(applied), err)
	}
	if err := pg.CheckSchema(ctx, opts); err != nil {
		t.Errorf("after: %v", err)
	}
	works(t, opts)
}

// Servers whose very first start is at the same moment share one schema and one set of keys.
func TestFirstStartAtOnce(t *testing.T) {
	t.Parallel()
	const servers = 4
	ctx := context.Background()
	opts := pg.Options{URL: pgtest.EmptyDatabaseURL(t), PoolSize: 2}
	var mu sync.Mutex
	total := 0
	var stores [servers]*pg.Store
	var all sync.WaitGroup
	for i := range servers {
		all.Go(func() {
			applied, err := pg.Migrate(ctx, opts)
			if err != nil {
				t.Errorf("migrate: %v", err)
				return
			}
			if stores[i], err = pg.Open(ctx, opts); err != nil {
				t.Errorf("open: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			total += len(applied)
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	if total != known(t) {
		t.Errorf("applied %d migrations, want each once", total)
	}
	var handle string
	q := newQueue(t, newBroker(t, stores[0]))
	q.send("a")
	for _, store := range stores {
		t.Cleanup(store.Close)
		q := q.through(newBroker(t, store))
		if handle != "" {
			if got := q.hide(handle, 0); got.Err != nil {
				t.Errorf("another server's handle: %v", got.Err)
			}
		}
		handle = q.one().Handle
	}
}

func TestSchemaOfAnotherName(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	databaseURL := pgtest.EmptyDatabaseURL(t)
	name := core.QueueName{Account: pgtest.Account, Region: pgtest.Region, Name: "orders"}
	for i, schema := range []string{"polymq", "other", `Quo"ted schema-1`, strings.Repeat("s", pg.MaxSchemaLength)} {
		opts := pg.Options{URL: databaseURL, Schema: schema}
		if _, err := pg.Migrate(ctx, opts); err != nil {
			t.Fatalf("migrate %s: %v", schema, err)
		}
		if err := pg.CheckSchema(ctx, opts); err != nil {
			t.Fatalf("check %s: %v", schema, err)
		}
		brokers := [2]*core.Broker{}
		stores := [2]*pg.Store{open(t, opts), open(t, opts)}
		for j, store := range stores {
			brokers[j] = newBroker(t, store)
			eventually(t, "the servers of one schema know of each other, and of no others", func() bool { return pg.Listening(stores[1-j]) == 1 })
		}
		if _, created, err := brokers[0].CreateQueue(ctx, core.NewQueue{Name: name, Settings: core.DefaultSettings()}); err != nil || !created {
			t.Fatalf("schema %d: created %v, %v", i, created, err)
		}
		q := &testQueue{t, brokers[0], name}
		ended := q.wait(ctx, stores[0], 1)
		q.through(brokers[1]).send(schema)
		q.got(ended, schema)
	}
	for _, schema := range []string{strings.Repeat("s", pg.MaxSchemaLength+1)} {
		if _, err := pg.Migrate(ctx, pg.Options{URL: databaseURL, Schema: schema}); err == nil {
			t.Errorf("a schema name of %d characters is accepted", len(schema))
		}
	}
}

// migrator gives a schema's migrations one by one.
func migrator(t *testing.T, databaseURL string) *goose.Provider {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["search_path"] = "polymq"
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

// Who may call polymq.send before a migration replaces it may do so afterwards, and nobody else.
func TestMigrationsKeepGrants(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	opts := pg.Options{URL: pgtest.EmptyDatabaseURL(t)}
	if _, err := pg.Migrate(ctx, opts); err != nil {
		t.Fatal(err)
	}
	conn, provider := database(t, opts.URL), migrator(t, opts.URL)
	const send = 4 // the migration that makes it
	for _, granted := range []bool{false, true} {
		if granted {
			execute(t, conn, `GRANT EXECUTE ON FUNCTION send TO PUBLIC`)
		}
		for _, version := range slices.Backward(versions(t)) {
			if version == send {
				break
			}
			if _, err := provider.Down(ctx); err != nil {
				t.Fatal(err)
			}
		}
		wantGranted := func(when string) {
			t.Helper()
			var got bool
			err := conn.QueryRow(ctx, `SELECT has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'send' AND pronamespace = 'polymq'::regnamespace`).Scan(&got)
			if err != nil || got != granted {
				t.Errorf("everyone may call it %s: %v, want %v, %v", when, got, granted, err)
			}
		}
		wantGranted("before")
		if _, err := provider.Up(ctx); err != nil {
			t.Fatal(err)
		}
		wantGranted("afterwards")
	}
}

// heldMigration is one that waits for an application's transaction.
type heldMigration struct {
	application, watch *pgx.Conn
	ended              <-chan error
}

// newHeldMigration begins one in a database that is set up by a statement.
func newHeldMigration(t *testing.T, setUp string) heldMigration {
	t.Helper()
	const altersQueues = 38
	ctx, url, undone := t.Context(), pgtest.DatabaseURL(t), 0
	provider := migrator(t, url)
	for _, version := range slices.Backward(versions(t)) {
		if version < altersQueues {
			break
		}
		if _, err := provider.Down(ctx); err != nil {
			t.Fatal(err)
		}
		undone++
	}
	ended := make(chan error, 1)
	m := heldMigration{database(t, url), database(t, url), ended}
	execute(t, m.watch, setUp)
	execute(t, m.application, `BEGIN; LOCK TABLE queues IN ROW SHARE MODE`) // as polymq.send does
	go func() {
		applied, err := pg.Migrate(ctx, pg.Options{URL: url})
		if err == nil && len(applied) != undone {
			err = fmt.Errorf("applied %d migrations, want %d", len(applied), undone)
		}
		ended <- err
	}()
	eventually(t, "the migration waits for the application", func() bool { return locksAwaited(t, m.watch) == 1 })
	return m
}

// mustEnd fails unless the migration is made once the application has committed.
func (m heldMigration) mustEnd(t *testing.T) {
	t.Helper()
	execute(t, m.application, `COMMIT`)
	if err := <-m.ended; err != nil {
		t.Errorf("migrate: %v", err)
	}
}

// A migration that waits for an application lets requests pass, and is tried again.
func TestMigrationLetsRequestsPass(t *testing.T) {
	t.Parallel()
	m := newHeldMigration(t, `SET statement_timeout = '3500ms'`) // as requests have it
	execute(t, m.watch, `SELECT FROM queues`)
	m.mustEnd(t)
}

// One that somebody cancels is tried again.
func TestMigrationIsCancelled(t *testing.T) {
	t.Parallel()
	m := newHeldMigration(t, `SELECT 1`)
	execute(t, m.watch, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
	m.mustEnd(t)
}

// A migration may take longer than the database lets transactions take.
func TestMigrationTakesItsTime(t *testing.T) {
	t.Parallel()
	m := newHeldMigration(t, `DO $$ BEGIN EXECUTE (
		SELECT string_agg(format('ALTER DATABASE %I SET %s = 500', current_database(), name), ';')
		FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout') -- the second one since PostgreSQL 17
	); END $$`)
	eventually(t, "it takes longer, or begins again", func() (longer bool) {
		err := m.watch.QueryRow(t.Context(), `SELECT count(*) = 0 FROM pg_stat_activity
			WHERE wait_event_type = 'Lock' AND datname = current_database() AND xact_start > clock_timestamp() - interval '600 ms'`).Scan(&longer)
		if err != nil {
			t.Fatal(err)
		}
		return longer
	})
	m.mustEnd(t)
}

// Each migration can be undone and done again.
func TestMigrationsDownAndUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	opts := pg.Options{URL: pgtest.EmptyDatabaseURL(t)}
	if _, err := pg.Migrate(ctx, opts); err != nil {
		t.Fatal(err)
	}
	provider := migrator(t, opts.URL)
	works(t, opts)
	for _, version := range slices.Backward(versions(t)) {
		for _, step := range []func(context.Context) (*goose.MigrationResult, error){provider.Down, provider.UpByOne, provider.Down} {
			if result, err := step(ctx); err != nil || result.Source.Version != version {
				t.Fatalf("migration %d: %v, %v", version, result, err)
			}
		}
		if err := pg.CheckSchema(ctx, opts); !errors.Is(err, pg.ErrSchemaOld) {
			t.Errorf("without migration %d: %v, want ErrSchemaOld", version, err)
		}
	}
	rows, _ := database(t, opts.URL).Query(ctx, `SELECT relname::text FROM pg_class WHERE relnamespace = 'polymq'::regnamespace AND relname NOT LIKE 'goose%'
		UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'polymq'::regnamespace`)
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := pg.Migrate(ctx, opts); err != nil {
		t.Fatal(err)
	}
	works(t, opts)
}

func TestCheckSchema(t *testing.T) {
	tests := map[string]struct {
		change string
		want   error
	}{
		"as this program made it":             {`SELECT 1`, nil},
		"older":                               {`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`, pg.ErrSchemaOld},
		"without one between others":          {`DELETE FROM goose_db_version WHERE version_id = 36`, pg.ErrSchemaOld},
		"newer, but without one of ours":      {`UPDATE goose_db_version SET version_id = 999 WHERE version_id = 36`, pg.ErrSchemaOld},
		"newer, with additions only":          {`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`, nil},
		"newer than this program can serve":   {`UPDATE settings SET value = '999' WHERE name = 'oldest_server'`, pg.ErrSchemaNew},
		"a schema that somebody made by hand": {`DROP TABLE goose_db_version`, pg.ErrSchemaOld},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := pg.Options{URL: pgtest.DatabaseURL(t)}
			execute(t, database(t, opts.URL), tt.change)
			for _, opts := range []pg.Options{opts, {URL: opts.URL, Pooled: true}} {
				if err := pg.CheckSchema(context.Background(), opts); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			}
		})
	}
}

func TestMigrationsDoNotGoThroughAPooler(t *testing.T) {
	t.Parallel()
	if _, err := pg.Migrate(context.Background(), pg.Options{URL: pgtest.EmptyDatabaseURL(t), Pooled: true}); !errors.Is(err, pg.ErrMigratePooled) {
		t.Errorf("got %v, want ErrMigratePooled", err)
	}
}

// A role without privileges needs an administrator to make the schema, and nothing else.
func TestPlainRole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	admin := pgtest.EmptyDatabaseURL(t)
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	role := "plain_" + conn.Config().Database
	execute(t, conn, `CREATE ROLE `+role+` LOGIN PASSWORD 'secret' NOSUPERUSER NOCREATEDB NOCREATEROLE`)
	t.Cleanup(func() {
		execute(t, conn, `DROP OWNED BY `+role)
		execute(t, conn, `DROP ROLE `+role)
	})
	opts := pg.Options{URL: as(t, admin, role, "secret")}
	if _, err := pg.Migrate(ctx, opts); err == nil || !strings.Contains(err.Error(), `CREATE SCHEMA "polymq" AUTHORIZATION "`+role+`"`) {
		t.Fatalf("got %v, want what to ask an administrator for", err)
	}
	execute(t, conn, `CREATE SCHEMA polymq AUTHORIZATION `+role)
	if _, err := pg.Migrate(ctx, opts); err != nil {
		t.Fatal(err)
	}
	works(t, opts)
	store := open(t, opts)
	for name, chore := range map[string]func() error{
		"heartbeat": func() error { return store.Heartbeat(ctx) },
		"sweep":     func() error { return store.Sweep(ctx) },
		"vacuum":    func() error { return store.Vacuum(ctx) },
		"expire":    func() error { _, err := store.ExpireMessages(ctx, 10); return err },
		"fold":      func() error { _, err := store.FoldCounts(ctx, 10); return err },
		"remove":    func() error { _, err := store.RemoveDropped(ctx, 10); return err },
	} {
		if err := chore(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// as gives a database's URL for another role.
func as(t *testing.T, databaseURL, role, password string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return databaseURL + " user=" + role + " password=" + password
	}
	query := u.Query()
	query.Del("user")
	query.Del("password")
	u.RawQuery = query.Encode()
	u.User = url.UserPassword(role, password)
	return u.String()
}

// Vacuuming waits until there is enough to do.
func TestVacuum(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	conn := database(t, store.URL())
	execute(t, conn, `ALTER TABLE messages SET (autovacuum_enabled = off)`)
	vacuums := func() (n int) {
		t.Helper()
		if err := store.Vacuum(context.Background()); err != nil {
			t.Fatal(err)
		}
		execute(t, conn, `SELECT pg_stat_clear_snapshot()`)
		if err := conn.QueryRow(context.Background(), `SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'messages' AND schemaname = 'polymq'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := vacuums(); n != 0 {
		t.Errorf("vacuumed an empty table %d times", n)
	}
	execute(t, conn, fillSQL, 1, 25_000)
	execute(t, conn, `DELETE FROM messages`)
	start := time.Now()
	eventually(t, "it is vacuumed", func() bool { return vacuums() > 0 }) // the statistics come when they come
	t.Logf("vacuumed after %v", time.Since(start))
}

func TestCheckSchemaName(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{"Poly-MQ": true, "$users": true, "$user": false, "pg_x": false, "a\x00": false, strings.Repeat("x", 63): false} {
		if err := pg.CheckSchemaName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
