package pg_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// Whatever becomes of trains and callers, stations lose count of nothing: they go on, and what was sent is there.
func TestStationsGoOn(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	n, detour := forwardURL(t, url)
	store := open(t, pg.Options{URL: detour, DirectURL: url})
	broker := newBroker(t, store)
	queues := []*testQueue{newQueue(t, broker), newFIFO(t, broker)}
	l := &hammered{sent: map[string]bool{}, gone: map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var all sync.WaitGroup
	for i := range 20 {
		q := queues[i%len(queues)]
		all.Go(func() { l.hammer(ctx, t, q, i) })
	}
	conn := database(t, url)
	for i, end := 0, time.Now().Add(pg.CallTimeout+4*time.Second); time.Now().Before(end); i++ {
		if err := pg.CheckStations(store); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(rand.IntN(50)) * time.Millisecond)
		switch {
		case i == 20:
			hold(t, conn, pg.CallTimeout+time.Second) // trains run out of time
		case i%4 == 0:
			n.reset()
		case i%4 == 1:
			n.deaf.Store(true)
		case i%4 == 2:
			execute(t, conn, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		default:
			hold(t, conn, 50*time.Millisecond)
		}
	}
	stop()
	all.Wait()
	n.deaf.Store(false)
	eventually(t, "the stations are idle", func() bool { return pg.Idle(store) })
	for _, q := range queues {
		q.drain(t, store, l)
	}
	maps.DeleteFunc(l.sent, func(body string, _ bool) bool { return l.gone[body] })
	if len(l.sent) > 0 {
		t.Errorf("%d messages are lost: %v", len(l.sent), slices.Collect(maps.Keys(l.sent)))
	}
}

// hold holds messages and groups for a while, as applications might, and waits for none.
func hold(t *testing.T, conn *pgx.Conn, while time.Duration) {
	t.Helper()
	execute(t, conn, `BEGIN`)
	execute(t, conn, `SELECT FROM groups FOR UPDATE SKIP LOCKED`)
	execute(t, conn, `SELECT FROM messages LIMIT 1000 FOR UPDATE SKIP LOCKED`)
	<-time.After(while)
	execute(t, conn, `ROLLBACK`)
}

// hammered is what is known of messages, by their bodies.
type hammered struct {
	mu   sync.Mutex
	sent map[string]bool // acknowledged
	gone map[string]bool // deleted, perhaps
}

// hammer sends, receives and deletes until it is told to stop. Callers may be gone before they are answered.
func (l *hammered) hammer(until context.Context, t *testing.T, q *testQueue, worker int) {
	for i := 0; until.Err() == nil; i++ {
		ctx, cancel := context.WithCancel(context.Background())
		if rand.IntN(3) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(20))*time.Millisecond)
		}
		if err := l.act(ctx, q, fmt.Sprintf("%d/%d", worker, i)); err != nil && !errors.Is(err, context.DeadlineExceeded) && core.CodeOf(err) != core.Unavailable {
			t.Errorf("%v", err)
		}
		cancel()
	}
}

func (l *hammered) act(ctx context.Context, q *testQueue, body string) error {
	if rand.IntN(2) == 0 {
		_, err := q.broker.SendMessages(ctx, core.SendInput{Queue: q.name, Messages: []core.NewMessage{{Body: []byte(body), GroupID: fmt.Sprint(rand.IntN(6))}}})
		if err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.sent[body] = true
		}
		return err
	}
	messages, err := q.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 1 + rand.IntN(3), Wait: ptr(20 * time.Millisecond)})
	if err != nil || len(messages) == 0 {
		return err
	}
	if rand.IntN(2) == 0 {
		_, err := q.broker.ReturnMessages(ctx, q.name, messages)
		return err
	}
	l.delete(messages)
	_, err = q.broker.DeleteMessages(ctx, core.DeleteInput{Queue: q.name, Handles: handlesOf(messages)})
	return err
}

func (l *hammered) delete(messages []core.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		l.gone[string(m.Body)] = true
	}
}

// drain receives and deletes all that is left. Sweeps find what receives have passed by while it was locked, and what came late.
func (q *testQueue) drain(t *testing.T, store *pg.Store, l *hammered) {
	t.Helper()
	q.advance(time.Hour)
	pg.SweepSoon(store)
	if err := store.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the queue is empty", func() bool {
		messages := q.receive(core.MaxBatch)
		if len(messages) == 0 {
			return true
		}
		l.delete(messages)
		q.delete(false, handlesOf(messages)...)
		return false
	})
}
