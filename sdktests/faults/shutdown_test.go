package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// SIGTERM under load: the server ends by itself with exit code 0, and nothing is lost.
func TestShutdownUnderLoad(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T) []string{
		"embedded":     func(t *testing.T) []string { return []string{"--data-dir", dataDir(t)} },
		"database-url": func(t *testing.T) []string { return []string{"--database-url", testDatabase(t)} },
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, args(t)...)
			createQueue(t, srv.url, "orders")
			load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
			for range 2 {
				load.run(t)
				began := time.Now()
				srv.signal(t, syscall.SIGTERM)
				if code := srv.exit(t); code != 0 {
					t.Errorf("the exit code is %d, want 0", code)
				}
				t.Logf("ended within %v", time.Since(began).Round(time.Millisecond))
				srv.start(t)
			}
			load.run(t)
			mustNotRefuse(t, load.failed())
			load.settle(t, newAPI(srv.url, "orders"))
		})
	}
}

// Requests under way are answered before the server ends, long polls empty and at once.
func TestShutdownAnswers(t *testing.T) {
	t.Parallel()
	srv := serveLockable(t)
	var polls, sends sync.WaitGroup
	var written []<-chan struct{}
	for _, c := range clients(srv.url, "quiet") {
		ctx, wrote := traced(t)
		written = append(written, wrote)
		polls.Go(func() {
			if messages, err := c.receive(ctx, longestPoll); err != nil || len(messages) > 0 {
				t.Errorf("%s: the long poll ended with %v, %v", c.protocol(), messages, err)
			}
		})
	}
	awaitUnderway(t, newAPI(srv.url, "quiet"), written...)
	unlock := srv.lock(t)
	for _, c := range clients(srv.url, "orders") {
		ctx, wrote := traced(t)
		written = append(written, wrote)
		sends.Go(func() {
			if err := c.send(ctx, "hello"); err != nil {
				t.Errorf("%s: the request under way failed: %v", c.protocol(), err)
			}
		})
	}
	awaitUnderway(t, newAPI(srv.url, "quiet"), written...)
	srv.awaitBlocked(t)
	began := time.Now()
	srv.signal(t, syscall.SIGTERM)
	srv.awaitClosed(t)
	unlock()
	sends.Wait()
	polls.Wait()
	if took := time.Since(began); took > longestPoll/2 {
		t.Errorf("the long polls ended %v after the signal", took)
	}
	if code := srv.exit(t); code != 0 {
		t.Errorf("the exit code is %d, want 0", code)
	}
}

// A second signal ends the server at once, whatever is under way.
func TestShutdownTwice(t *testing.T) {
	t.Parallel()
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			t.Parallel()
			srv := serveLockable(t)
			unlock := srv.lock(t)
			defer unlock()
			failed := make(chan error, 1)
			go func() { failed <- newAPI(srv.url, "orders").send(context.WithoutCancel(t.Context()), "hello") }()
			srv.awaitBlocked(t)
			srv.signal(t, syscall.SIGTERM)
			srv.awaitClosed(t)
			began := time.Now()
			srv.signal(t, second)
			if code := srv.exit(t); code == 0 {
				t.Error("the exit code is 0, though a request was not answered")
			}
			if took := time.Since(began); took > inTime {
				t.Errorf("the server ended %v after the second signal", took)
			}
			if <-failed == nil {
				t.Error("the request that was under way succeeded")
			}
		})
	}
}

// lockable is a server whose sends, and nothing else, can be held up in the database.
type lockable struct {
	*process
	database *pgx.Conn
}

// sendLock is the advisory lock that sends wait for.
const sendLock = 4711

// serveLockable starts a server with queues orders and quiet.
func serveLockable(t *testing.T) *lockable {
	t.Helper()
	url := testDatabase(t)
	database, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close(context.Background()) })
	srv := &lockable{serve(t, "--database-url", url), database}
	createQueue(t, srv.url, "orders")
	createQueue(t, srv.url, "quiet")
	srv.execute(t, fmt.Sprintf(`CREATE FUNCTION polymq.await_send_lock() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_advisory_xact_lock_shared(%d); RETURN NULL; END'`, sendLock))
	srv.execute(t, `CREATE TRIGGER await_send_lock BEFORE INSERT ON polymq.messages EXECUTE FUNCTION polymq.await_send_lock()`)
	return srv
}

func (l *lockable) execute(t *testing.T, sql string) {
	t.Helper()
	if _, err := l.database.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// lock holds up sends until unlock is called.
func (l *lockable) lock(t *testing.T) (unlock func()) {
	t.Helper()
	l.execute(t, fmt.Sprintf(`SELECT pg_advisory_lock(%d)`, sendLock))
	return func() { l.execute(t, fmt.Sprintf(`SELECT pg_advisory_unlock(%d)`, sendLock)) }
}

// awaitBlocked waits until a send waits for the lock.
func (l *lockable) awaitBlocked(t *testing.T) {
	t.Helper()
	eventually(t, "block a send", func() error {
		var waiting int
		err := l.database.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
			WHERE NOT granted AND locktype = 'advisory' AND objid = $1 AND datname = current_database()`, sendLock).Scan(&waiting)
		if err == nil && waiting == 0 {
			err = errors.New("no send waits for the lock")
		}
		return err
	})
}

// awaitClosed waits until the server takes no more connections.
func (l *lockable) awaitClosed(t *testing.T) {
	t.Helper()
	eventually(t, "close the port", func() error {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.address)
		if err != nil {
			return nil //nolint:nilerr // it is closed, which is what is waited for
		}
		return errors.Join(conn.Close(), fmt.Errorf("%s still takes connections", l.address))
	})
}
