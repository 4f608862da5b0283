package pg_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// holdGroup has an application hold a message group that has no messages, until release is called: as if it had never been.
func (q *testQueue) holdGroup(url, group string) (release func()) {
	q.t.Helper()
	tx, err := database(q.t, url).Begin(context.Background())
	if err != nil {
		q.t.Fatal(err)
	}
	q.sqlSendTo(tx, group, "", "never")
	return sync.OnceFunc(func() { _ = tx.Rollback(context.Background()) })
}

// sendHeld begins to send to a group that is held, and returns once that waits for it.
func (q *testQueue) sendHeld(watch *pgx.Conn, group, body string) (ended <-chan error) {
	q.t.Helper()
	result := make(chan error, 1)
	go func() {
		_, err := q.broker.SendMessages(context.Background(), core.SendInput{Queue: q.name, Messages: []core.NewMessage{{Body: []byte(body), GroupID: group}}})
		result <- err
	}()
	eventually(q.t, "the send waits for the group", func() bool { return locksAwaited(q.t, watch) == 1 })
	return result
}

// What runs out of time is cancelled, and known not to have happened when its caller is told.
func TestWhatRunsOutOfTimeHasNotHappened(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newFIFO(t, newBroker(t, store))
		watch := database(t, store.URL())
		defer q.holdGroup(store.URL(), "held")()
		err := <-q.sendHeld(watch, "held", "late")
		var answer *pgconn.PgError
		if core.CodeOf(err) != core.Unavailable || !errors.As(err, &answer) || answer.Code != "57014" {
			t.Errorf("a send that runs out of time: %v, want Unavailable, since PostgreSQL says that it was cancelled", err)
		}
		if n := locksAwaited(t, watch); n != 0 {
			t.Errorf("%d sessions still wait for the group", n)
		}
	})
}

// A statement that somebody else cancels is made again.
func TestCancelledByOthers(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newFIFO(t, newBroker(t, store))
		watch := database(t, store.URL())
		release := q.holdGroup(store.URL(), "held")
		ended := q.sendHeld(watch, "held", "a")
		execute(t, watch, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
		release()
		if err := <-ended; err != nil {
			t.Errorf("send: %v", err)
		}
		q.wantReceive("a")
	})
}

// A caller that goes away is told of that, and not that the database is to blame.
func TestCallersThatLeaveAStatement(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		watch, conn := database(t, store.URL()), database(t, store.URL())
		execute(t, conn, `BEGIN; LOCK TABLE queues`)
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := q.broker.DescribeQueue(ctx, q.name)
			ended <- err
		}()
		eventually(t, "the look waits for the queue", func() bool { return locksAwaited(t, watch) == 1 })
		leave()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("describe: %v", err)
		}
	})
}

// Who asks to cancel a statement waits until that was taken, though the statement ends before: PgBouncer 1.18 does not survive it otherwise.
func TestCancellationIsLeftToItsServer(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	listener := listen(t)
	asked, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go passOn(client, url, func() {
				asked <- struct{}{}
				_ = client.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
				_, err := client.Read(make([]byte, 64))
				ended <- err
			})
		}
	}()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	detour := fmt.Sprintf("host=%s port=%s user=%s password='%s' dbname=%s sslmode=disable", host, port, config.User, config.Password, config.Database)
	q := newQueue(t, newBroker(t, open(t, pg.Options{URL: detour, DirectURL: url})))
	watch, conn := database(t, url), database(t, url)
	execute(t, conn, `BEGIN; LOCK TABLE queues`)
	ctx, leave := context.WithCancel(t.Context())
	described := make(chan struct{})
	go func() {
		defer close(described)
		_, _ = q.broker.DescribeQueue(ctx, q.name)
	}()
	eventually(t, "the look waits for the queue", func() bool { return locksAwaited(t, watch) == 1 })
	leave()
	<-asked
	execute(t, conn, `COMMIT`)
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection that asks to cancel ends with %v before it is answered", err)
	}
	<-described
}

// passOn connects a client to the database of a URL, unless it asks to cancel something.
func passOn(client net.Conn, url string, cancels func()) {
	defer client.Close()
	const code, cancel = 4, 80877102 // of PostgreSQL's protocol: where it stands, and what it is
	first := make([]byte, 8)
	config, err := pgx.ParseConfig(url)
	if _, unread := io.ReadFull(client, first); err != nil || unread != nil {
		return
	}
	if binary.BigEndian.Uint32(first[code:]) == cancel {
		_, _ = io.CopyN(io.Discard, client, int64(binary.BigEndian.Uint32(first))-8)
		cancels()
		return
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(first); err != nil {
		return
	}
	go func() { _, _ = io.Copy(server, client) }()
	_, _ = io.Copy(client, server)
}

// lossy is a server whose network to PostgreSQL a test breaks, another one, and a send by the first that waits for a group.
type lossy struct {
	*testQueue // by the other server
	other      *pg.Store
	network    *network
	watch      *pgx.Conn
	sent       <-chan error
	happen     func() // the send goes on
}

// newLossy begins the send, after which the other server looks beyond what is sent.
func newLossy(t *testing.T) *lossy {
	t.Helper()
	url := pgtest.DatabaseURL(t)
	n, detour := forwardURL(t, url)
	store, other := open(t, pg.Options{URL: detour, DirectURL: url}), open(t, pg.Options{URL: url})
	eventually(t, "the servers know of each other", func() bool { return pg.Listening(store) == 1 && pg.Listening(other) == 1 })
	q := newFIFO(t, newBroker(t, store))
	l := &lossy{q.through(newBroker(t, other)), other, n, database(t, url), nil, q.holdGroup(url, "held")}
	l.sent = q.sendHeld(l.watch, "held", "a")
	beyond := time.Now().Add(2 * pg.MarkMargin)
	eventually(t, "the other server has looked beyond it", func() bool {
		l.wantReceive()
		return time.Now().After(beyond)
	})
	return l
}

func (l *lossy) wantLost(t *testing.T) {
	t.Helper()
	if err := <-l.sent; core.CodeOf(err) != core.Unavailable {
		t.Fatalf("a send whose answer is lost: %v, want Unavailable", err)
	}
}

// A send whose answer is lost may have happened: who waits for the message gets it, though his server has looked beyond it.
func TestAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	l := newLossy(t)
	waiting := l.wait(t.Context(), l.other, 1)
	l.network.deaf.Store(true)
	l.happen()
	l.wantLost(t)
	l.got(waiting, "a")
}

// It may still happen, when those who were told of it have looked. Then a sweep finds it, though nobody has looked since the last one.
func TestLateCommitAfterASweep(t *testing.T) {
	t.Parallel()
	l := newLossy(t)
	l.network.cut()
	l.wantLost(t)
	waiting := l.wait(t.Context(), l.other, 1)
	l.sweep(t)
	l.happen()
	eventually(t, "it happens", func() bool {
		var stored int
		if err := l.watch.QueryRow(t.Context(), `SELECT count(*) FROM fifo_messages`).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		return stored == 1
	})
	l.sweep(t)
	if err := l.broker.LookAhead(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.got(waiting, "a")
}

func (l *lossy) sweep(t *testing.T) {
	t.Helper()
	pg.SweepSoon(l.other)
	if err := l.other.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// pooled is a server that uses all connections of its pool, and hears of others by none.
func pooled(t *testing.T) (*network, *pg.Store, *testQueue) {
	t.Helper()
	url := pgtest.DatabaseURL(t)
	n, detour := forwardURL(t, url)
	store := open(t, pg.Options{URL: detour, Pooled: true})
	q := newFIFO(t, newBroker(t, store))
	conn := database(t, url)
	execute(t, conn, `BEGIN; LOCK TABLE queues`)
	var all sync.WaitGroup
	for range pgtest.PoolSize {
		all.Go(func() { q.describe() })
	}
	watch := database(t, url)
	eventually(t, "all connections are used", func() bool { return locksAwaited(t, watch) == pgtest.PoolSize })
	execute(t, conn, `COMMIT`)
	all.Wait()
	return n, store, q
}

// failures makes requests, more than the pool has connections, and counts those that fail.
func (q *testQueue) failures() (failed int) {
	q.t.Helper()
	for range 2 * pgtest.PoolSize {
		if _, err := q.broker.DescribeQueue(q.t.Context(), q.name); err != nil {
			failed++
		}
	}
	return failed
}

// Where one connection was lost, the others are not trusted: one request fails, and not one for each.
func TestConnectionsThatAreLostTogether(t *testing.T) {
	t.Parallel()
	n, _, q := pooled(t)
	n.reset()
	if failed := q.failures(); failed != 1 {
		t.Errorf("%d requests failed, want the first", failed)
	}
}

// Where nobody says that they are lost, only those fail that use one at that time: their places are free for others at once. Those that
// have been idle are found out before they are used, and closing does not wait until they are given up (15 s).
func TestConnectionsThatFallSilent(t *testing.T) {
	t.Parallel()
	n, store, q := pooled(t)
	n.silence()
	var all sync.WaitGroup
	for range pgtest.PoolSize {
		all.Go(func() { _, _ = q.broker.DescribeQueue(t.Context(), q.name) })
	}
	all.Wait()
	if failed := q.failures(); failed != 0 {
		t.Errorf("%d requests failed after those that had been under way", failed)
	}
	idle := time.Now().Add(2 * time.Second)
	eventually(t, "the connections are idle", func() bool { return time.Now().After(idle) })
	n.silence()
	if failed := q.failures(); failed != 0 {
		t.Errorf("%d requests failed by idle connections", failed)
	}
	n.silence()
	began := time.Now()
	store.Close()
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("closing took %v", took)
	}
}
