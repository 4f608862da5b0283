package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/migrations"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/embedded"
)

// Account and Region are those of the queues that the factories make.
const (
	Account = "000000000000"
	Region  = "us-east-1"
)

// setupTimeout bounds what is done before and after a test.
const setupTimeout = 3 * time.Minute

// PoolSize is the number of connections of a test's store.
const PoolSize = 4

// server gives the URL of the PostgreSQL to test on, started once per process.
var server = sync.OnceValues(func() (string, error) {
	if configured := os.Getenv("POLYMQ_TEST_DATABASE_URL"); configured != "" {
		return configured, nil
	}
	major := 0
	if wanted := os.Getenv("POLYMQ_TEST_POSTGRES_VERSION"); wanted != "" {
		var err error
		if major, err = strconv.Atoi(wanted); err != nil {
			return "", fmt.Errorf("POLYMQ_TEST_POSTGRES_VERSION is a major version, such as 18: %w", err)
		}
	}
	shared, _, err := embedded.Shared(context.Background(), major) // released when the process ends
	return shared, err
})

// template gives the name of a migrated database, made once per schema and server.
var template = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	base, err := server()
	if err != nil {
		return "", err
	}
	name, err := templateName()
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return "", fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	return name, makeTemplate(ctx, conn, base, name)
})

// templateLock keeps test processes from making the template at the same time.
const templateLock = 0x706f6c796d71

func makeTemplate(ctx context.Context, conn *pgx.Conn, base, name string) error {
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(templateLock)); err != nil {
		return err
	}
	defer func() { _, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, int64(templateLock)) }()
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil || exists {
		return err
	}
	making := name + "_making"
	for _, sql := range []string{`DROP DATABASE IF EXISTS ` + making + ` WITH (FORCE)`, `CREATE DATABASE ` + making} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the template database: %w", err)
		}
	}
	if _, err := pg.Migrate(ctx, pg.Options{URL: inDatabase(base, making)}); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, `ALTER DATABASE `+making+` RENAME TO `+name)
	return err
}

// templateName names the schema by what its migrations say.
func templateName() (string, error) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, file := range files {
		text, err := migrations.FS.ReadFile(file)
		if err != nil {
			return "", err
		}
		hash.Write([]byte(file)) // the name says the version
		hash.Write(text)
	}
	return "polymq_template_" + hex.EncodeToString(hash.Sum(nil)[:6]), nil
}

func inDatabase(base, name string) string {
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "" {
		return base + " dbname=" + name // keywords and values
	}
	u.Path = "/" + name
	return u.String()
}

// DatabaseURL gives the URL of a fresh, migrated database, dropped after the test unless it failed.
func DatabaseURL(t testing.TB) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatalf("prepare the test database: %v", err)
	}
	return database(t, "CREATE DATABASE %s STRATEGY file_copy TEMPLATE "+from) // three times as quick as its alternative
}

// EmptyDatabaseURL gives the URL of a fresh database without a schema.
func EmptyDatabaseURL(t testing.TB) string {
	t.Helper()
	return database(t, "CREATE DATABASE %s TEMPLATE template0")
}

func database(t testing.TB, create string) string {
	t.Helper()
	base, err := server()
	if err != nil {
		t.Fatalf("start the test server: %v", err)
	}
	name := "polymq_test_" + hex.EncodeToString(uuid.New().NodeID()) + hex.EncodeToString([]byte(uuid.NewString()[:4]))
	admin(t, base, fmt.Sprintf(create, name))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the database of this test is kept: %s", name)
			return
		}
		admin(t, base, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return inDatabase(base, name)
}

// admin runs one statement on the server's own database.
func admin(t testing.TB, base, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, err = conn.Exec(ctx, sql); isInUse(err) && ctx.Err() == nil; {
		_, err = conn.Exec(ctx, sql)
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// isInUse reports whether sessions of a database, which have been told to end, took longer than the five seconds that PostgreSQL waits
// for them: a busy machine does not get round to it.
func isInUse(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "55006"
}

// New gives a store on a database of its own.
func New(t testing.TB) *pg.Store {
	t.Helper()
	return Open(t, DatabaseURL(t))
}

// Open gives a store on the database, closed after the test: for several servers on one database.
func Open(t testing.TB, databaseURL string) *pg.Store {
	t.Helper()
	store, err := pg.Open(context.Background(), pg.Options{URL: databaseURL, PoolSize: PoolSize, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(store.Close)
	return store
}

// Broker gives a broker on a store of its own, closed after the test.
func Broker(t testing.TB) *core.Broker {
	t.Helper()
	broker := core.NewBroker(New(t))
	t.Cleanup(broker.Close)
	return broker
}

// Name is the full name of a queue in Account and Region.
func Name(name string) core.QueueName {
	return core.QueueName{Account: Account, Region: Region, Name: name}
}

// Queue makes a queue with the default settings.
func Queue(t testing.TB, broker *core.Broker, name string) core.QueueName {
	t.Helper()
	in := core.NewQueue{Name: Name(name), Settings: core.DefaultSettings()}
	if _, _, err := broker.CreateQueue(context.Background(), in); err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
	return in.Name
}

// Send sends messages with the bodies given.
func Send(t testing.TB, broker *core.Broker, queue core.QueueName, bodies ...string) []core.Sent {
	t.Helper()
	in := core.SendInput{Queue: queue}
	for _, body := range bodies {
		in.Messages = append(in.Messages, core.NewMessage{Body: []byte(body)})
	}
	sent, err := broker.SendMessages(context.Background(), in)
	if err != nil {
		t.Fatalf("send to %s: %v", queue, err)
	}
	return sent
}

// Receive receives up to limit messages without waiting.
func Receive(t testing.TB, broker *core.Broker, queue core.QueueName, limit int) []core.Message {
	t.Helper()
	wait := time.Duration(0)
	messages, err := broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: queue, Limit: limit, Wait: &wait})
	if err != nil {
		t.Fatalf("receive from %s: %v", queue, err)
	}
	return messages
}

// Advance moves Account's time.
func Advance(t testing.TB, broker *core.Broker, by time.Duration) {
	t.Helper()
	if _, err := broker.AdvanceClock(context.Background(), Account, by); err != nil {
		t.Fatalf("advance the clock: %v", err)
	}
}

// Bodies gives the bodies of messages, for comparing.
func Bodies(messages []core.Message) []string {
	bodies := make([]string, len(messages))
	for i := range messages {
		bodies[i] = string(messages[i].Body)
	}
	return bodies
}

// Execute runs a statement on a test's database, in polymq's schema.
func Execute(t testing.TB, databaseURL, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), databaseURL)
	if err != nil {
		t.Fatalf("connect to the test's database: %v", err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), `SET search_path = `+pg.DefaultSchema); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
