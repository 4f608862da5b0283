package pg_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// slowSend inserts a message as another server might, in a transaction that commit ends: its visible_at
// is the transaction's start, long before.
func slowSend(t *testing.T, url string, storage int64) (at time.Time, commit func(also ...string)) {
	t.Helper()
	conn := database(t, url)
	execute(t, conn, `BEGIN`)
	err := conn.QueryRow(context.Background(), `INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, body)
		VALUES ($1, 1, now(), now(), 1, 8, 0, 'slow') RETURNING visible_at`, storage).Scan(&at)
	if err != nil {
		t.Fatal(err)
	}
	return at, func(also ...string) {
		t.Helper()
		for _, sql := range also {
			execute(t, conn, sql)
		}
		execute(t, conn, `COMMIT`)
	}
}

// A message whose transaction was slow to commit lies behind the mark of a server that has received
// since. It is found when it is told of, or else by a sweep.
func TestSlowCommitBehindTheMark(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		t.Run("is told of", func(t *testing.T) {
			q := newQueue(t, broker)
			queue := q.describe()
			at, commit := slowSend(t, store.URL(), queue.Storage)
			q.send("a")
			q.wantReceive("a") // moves the mark on
			commit(fmt.Sprintf(`SELECT pg_notify('polymq_polymq', '%s')`, pg.NotifyPayload(queue.ID, queue.Storage, at)))
			eventually(t, "it has been heard of", func() bool { return len(q.receive(1)) == 1 })
		})
		t.Run("is swept", func(t *testing.T) {
			q := newQueue(t, broker)
			queue := q.describe()
			_, commit := slowSend(t, store.URL(), queue.Storage)
			q.send("a")
			q.wantReceive("a")
			q.wantReceive()
			commit()
			q.wantReceive() // not a promise, but without it there is nothing to sweep
			pg.SweepSoon(store)
			if err := store.Sweep(context.Background()); err != nil {
				t.Fatal(err)
			}
			q.wantReceive("slow")
		})
		t.Run("of another server is within the margin", func(t *testing.T) {
			q := newQueue(t, broker)
			other := newBroker(t, open(t, pg.Options{URL: store.URL()}))
			eventually(t, "the servers know of each other", func() bool { return pg.Listening(store) == 1 })
			_, commit := slowSend(t, store.URL(), q.describe().Storage)
			q.through(other).send("a")
			q.receive(1)
			commit()
			eventually(t, "it is received", func() bool { return len(q.receive(1)) == 1 || len(q.through(other).receive(1)) == 1 })
		})
	})
}

// Sweeps keep to their share of the time, and to what has moved.
func TestSweepTakesTurns(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newQueue(t, newBroker(t, store))
	behind := func() {
		t.Helper()
		_, commit := slowSend(t, store.URL(), q.describe().Storage)
		q.wantReceive() // the mark is now
		commit()
		q.wantReceive()
	}
	sweep := func() {
		t.Helper()
		if err := store.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	behind()
	sweep()
	slow := q.wantReceive("slow")
	q.delete(false, handlesOf(slow)...)
	behind()
	pg.SweepNever(store)
	sweep()
	q.wantReceive()
	pg.SweepSoon(store)
	sweep()
	q.wantReceive("slow")
}

// A sweep that fails is made up for, however long ago the marks have moved.
func TestSweepThatFailed(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newQueue(t, newBroker(t, store))
	_, commit := slowSend(t, store.URL(), q.describe().Storage)
	q.wantReceive() // the mark is now
	commit()
	q.wantReceive()
	pg.MovedLongAgo(store)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := store.Sweep(ended); err == nil {
		t.Error("a sweep whose context has ended succeeded")
	}
	pg.SweepSoon(store)
	if err := store.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	q.wantReceive("slow")
}

// TestMarksLoseNothing lets two servers do everything that makes messages visible, at once and at random,
// and then asks one of them for all that is left: it must find everything without a sweep.
func TestMarksLoseNothing(t *testing.T) {
	for drain, name := range []string{"the first server finds all", "the second server finds all"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, brokers := servers(t, pg.Options{})
			q := newQueue(t, brokers[0], func(s *core.Settings) { s.VisibilityTimeout = 50 * time.Millisecond })
			var mu sync.Mutex
			left := map[core.MessageID]bool{}
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					random := rand.New(rand.NewPCG(seed, uint64(i)))
					q := q.through(brokers[i%2])
					for range 40 {
						sent, deleted := randomStep(q, random)
						mu.Lock()
						for _, id := range sent {
							left[id] = !left[id] // a receive may have been faster
						}
						for _, id := range deleted {
							left[id] = !left[id]
						}
						mu.Unlock()
					}
				})
			}
			all.Wait()
			for id, there := range left {
				if !there {
					delete(left, id)
				}
			}
			t.Logf("%d messages are left", len(left))
			q = q.through(brokers[drain])
			defer func() {
				if len(left) > 0 {
					t.Logf("%d messages were not found", len(left))
				}
			}()
			eventually(t, "all messages are found", func() bool {
				for _, m := range q.receiveFor(100, time.Hour) {
					if !left[m.ID] {
						t.Errorf("received %s, which was deleted or is received twice", m.ID.UUID())
					}
					delete(left, m.ID)
				}
				return len(left) == 0 || t.Failed()
			})
		})
	}
}

// randomStep does something with a few messages and gives the ids of those sent and deleted.
func randomStep(q *testQueue, random *rand.Rand) (sent, deleted []core.MessageID) {
	moment := func() time.Duration { return time.Duration(random.IntN(30)) * time.Millisecond }
	if random.IntN(2) == 0 {
		messages := make([]core.NewMessage, 1+random.IntN(4))
		for i := range messages {
			messages[i].Priority = 1 + random.IntN(2)
			if random.IntN(3) == 0 {
				messages[i].Delay = ptr(moment())
			}
		}
		for _, s := range q.sendMessages(messages...) {
			sent = append(sent, s.ID)
		}
		return sent, nil
	}
	for _, m := range q.receiveFor(1+random.IntN(4), moment()) {
		switch random.IntN(4) {
		case 0:
			if q.delete(false, m.Handle)[0] == "" {
				deleted = append(deleted, m.ID)
			}
		case 1:
			q.hide(m.Handle, moment())
		case 2:
			q.hide(m.Handle, 0)
		case 3:
			q.giveBack(m)
		}
	}
	return nil, deleted
}
