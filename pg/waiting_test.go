package pg_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// wakeTime is how much later than a message is due a waiting receive may have it, at the best of a few
// times on a busy machine. What it took is logged; on an idle machine it is to be less than 20 ms.
const wakeTime = time.Second

// soonEnough repeats until a receive was woken in time, a few times at the most.
func soonEnough(t *testing.T, late func() time.Duration) {
	t.Helper()
	for range 4 {
		took := late()
		t.Logf("woken %v after it was due", took)
		if took <= wakeTime {
			return
		}
	}
	t.Errorf("woken too late, each time")
}

// answer is how a waiting receive ended.
type answer struct {
	messages []core.Message
	err      error
	at       time.Time
}

// wait begins a receive that waits, and returns when it has looked in vain: a train has carried it and
// come back.
func (q *testQueue) wait(ctx context.Context, store *pg.Store, limit int) <-chan answer {
	q.t.Helper()
	ended := make(chan answer, 1)
	_, before := store.Trains()
	go func() {
		messages, err := q.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: limit, Wait: ptr(deadline)})
		ended <- answer{messages, err, time.Now()}
	}()
	eventually(q.t, "the receive has looked", func() bool { _, after := store.Trains(); return after > before })
	return ended
}

// got waits for a receive's end, and fails unless it has these bodies.
func (q *testQueue) got(ended <-chan answer, want ...string) answer {
	q.t.Helper()
	a := <-ended
	if a.err != nil || !slices.Equal(bodies(a.messages), want) {
		q.t.Fatalf("received %q, %v; want %q", bodies(a.messages), a.err, want)
	}
	return a
}

// servers are two of them on one database, which know of each other.
func servers(t *testing.T, second pg.Options) (url string, stores [2]*pg.Store, brokers [2]*core.Broker) {
	t.Helper()
	url = pgtest.DatabaseURL(t)
	second.URL = url
	stores = [2]*pg.Store{pgtest.Open(t, url), open(t, second)}
	for i, store := range stores {
		brokers[i] = newBroker(t, store)
		if i == 0 || store.Listens() {
			eventually(t, "the servers know of each other", func() bool { return pg.Listening(stores[1-i]) == 1 })
		}
	}
	return url, stores, brokers
}

// TestWaitingReceiveIsWoken measures from when a message is due until a waiting receive has it.
func TestWaitingReceiveIsWoken(t *testing.T) {
	const soon = 300 * time.Millisecond
	tests := map[string]struct {
		prepare func(q *testQueue) core.Message
		act     func(q *testQueue, m core.Message)
		due     time.Duration // after act
	}{
		"by a send": {nil, func(q *testQueue, _ core.Message) { q.send("a") }, 0},
		"by a send of another priority": {nil, func(q *testQueue, _ core.Message) {
			q.sendMessages(core.NewMessage{Body: []byte("a"), Priority: 1})
		}, 0},
		"by a delay": {nil, func(q *testQueue, _ core.Message) {
			q.sendMessages(core.NewMessage{Body: []byte("a"), Delay: ptr(soon)})
		}, soon},
		"by a change of visibility": {
			func(q *testQueue) core.Message { q.send("a"); return q.receiveFor(1, time.Hour)[0] },
			func(q *testQueue, m core.Message) { q.hide(m.Handle, 0) }, 0,
		},
		"by a change of visibility to a moment ahead": {
			func(q *testQueue) core.Message { q.send("a"); return q.receiveFor(1, time.Hour)[0] },
			func(q *testQueue, m core.Message) { q.hide(m.Handle, soon) }, soon,
		},
		"by a message that is given back": {
			func(q *testQueue) core.Message { q.send("a"); return q.receiveFor(1, time.Hour)[0] },
			func(q *testQueue, m core.Message) { q.giveBack(m) }, 0,
		},
		"by time that was moved": {
			func(q *testQueue) core.Message { q.send("a"); return q.receiveFor(1, time.Hour)[0] },
			func(q *testQueue, _ core.Message) { q.advance(time.Hour) }, 0,
		},
		"by time that was moved to just before": {
			func(q *testQueue) core.Message { q.send("a"); return q.receiveFor(1, time.Hour)[0] },
			func(q *testQueue, m core.Message) { q.advance(m.VisibleAt.Sub(q.now()) - soon) }, soon,
		},
		"by a purge and a send": {
			func(q *testQueue) core.Message { return core.Message{} },
			func(q *testQueue, _ core.Message) { q.purge(); q.send("a") }, 0,
		},
		"by a queue made anew": {
			func(q *testQueue) core.Message {
				q.alter(core.QueueChange{ReceiveWait: ptr(time.Second)})
				return core.Message{}
			},
			func(q *testQueue, _ core.Message) {
				q.purge()
				q.alter(core.QueueChange{Delay: ptr(soon)})
				q.send("a")
			}, soon,
		},
	}
	t.Parallel()
	_, stores, brokers := servers(t, pg.Options{})
	for where, actor := range map[string]int{"here": 0, "on another server": 1} {
		for name, tt := range tests {
			t.Run(name+" "+where, func(t *testing.T) {
				soonEnough(t, func() time.Duration {
					q := newQueue(t, brokers[0])
					var m core.Message
					if tt.prepare != nil {
						m = tt.prepare(q)
					}
					ended := q.wait(t.Context(), stores[0], 1)
					tt.act(q.through(brokers[actor]), m)
					due := time.Now().Add(tt.due)
					return q.got(ended, "a").at.Sub(due)
				})
			})
		}
	}
}

// Messages that are hidden already when a receive begins to wait are found ahead of time.
func TestWaitingReceiveKnowsWhatIsToCome(t *testing.T) {
	const soon = 300 * time.Millisecond
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, priority := range map[string]int{"of the usual priority": 8, "of another": 3} {
			t.Run(name, func(t *testing.T) {
				soonEnough(t, func() time.Duration {
					q := newQueue(t, broker)
					q.sendMessages(core.NewMessage{Body: []byte("a"), Priority: priority})
					q.receiveFor(1, soon)
					due := time.Now().Add(soon)
					return q.got(q.wait(t.Context(), store, 1), "a").at.Sub(due)
				})
			})
		}
	})
}

// Without LISTEN, a server finds what others made visible when it looks ahead.
func TestServerThatDoesNotListenLooksAhead(t *testing.T) {
	t.Parallel()
	_, stores, brokers := servers(t, pg.Options{Pooled: true})
	if stores[1].Listens() {
		t.Error("it says that it listens")
	}
	q := newQueue(t, brokers[0])
	ended := q.through(brokers[1]).wait(t.Context(), stores[1], 1)
	q.send("a")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case a := <-ended:
			if a.err != nil || len(a.messages) != 1 {
				t.Errorf("received %d messages, %v", len(a.messages), a.err)
			}
			return
		case <-tick.C:
			if err := brokers[1].LookAhead(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestQueueIsDeletedWhileAReceiveWaits(t *testing.T) {
	t.Parallel()
	_, stores, brokers := servers(t, pg.Options{})
	for name, broker := range map[string]*core.Broker{"here": brokers[0], "on another server": brokers[1]} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t, brokers[0])
			ended := q.wait(t.Context(), stores[0], 1)
			if err := broker.DeleteQueue(context.Background(), q.name); err != nil {
				t.Fatal(err)
			}
			if a := <-ended; core.CodeOf(a.err) != core.QueueNotFound {
				t.Errorf("received %d messages, %v; want QueueNotFound", len(a.messages), a.err)
			}
		})
	}
}

// As many receives are answered as there are messages, on whichever server they wait.
func TestManyWaitingReceives(t *testing.T) {
	t.Parallel()
	_, _, brokers := servers(t, pg.Options{})
	q := newQueue(t, brokers[0])
	const waiting, sent = 30, 20
	ctx, leave := context.WithCancel(t.Context())
	var mu sync.Mutex
	var all sync.WaitGroup
	received, left := map[core.MessageID]int{}, 0
	enough := make(chan struct{})
	for i := range waiting {
		all.Go(func() {
			messages, err := brokers[i%2].ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 1, Wait: ptr(deadline)})
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, context.Canceled) {
				left++
				return
			}
			if err != nil || len(messages) != 1 {
				t.Errorf("received %d messages, %v", len(messages), err)
				return
			}
			received[messages[0].ID]++
			if len(received) == sent {
				close(enough)
			}
		})
	}
	eventually(t, "they wait", func() bool { return brokers[0].Waiting()+brokers[1].Waiting() == waiting })
	for i := range sent {
		q.through(brokers[i%2]).send("a")
	}
	select {
	case <-enough:
	case <-time.After(3 * deadline):
		t.Errorf("only %d of %d messages were received", len(received), sent)
	}
	leave()
	all.Wait()
	if len(received) != sent || left != waiting-sent {
		t.Errorf("%d messages received, %d receives left", len(received), left)
	}
	q.wantCounts(0, sent, 0, sent)
}

// TestVanishedReceivers lets callers go away at different moments. Nobody loses a message, and no
// receive is counted that nobody saw.
func TestVanishedReceivers(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		receive := func(ctx context.Context, q *testQueue, limit int, wait time.Duration) ([]core.Message, error) {
			return broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: limit, Wait: &wait, VisibilityTimeout: ptr(time.Hour)})
		}
		isBack := func(t *testing.T, q *testQueue) {
			t.Helper()
			var got []core.Message
			eventually(t, "the messages are back", func() bool {
				got = append(got, q.receive(2)...)
				return len(got) == 2
			})
			for _, m := range got {
				if m.ReceiveCount != 1 || m.VisibleAt.Sub(m.FirstReceivedAt) != 30*time.Second {
					t.Errorf("received %d times, first at %v, now until %v", m.ReceiveCount, m.FirstReceivedAt, m.VisibleAt)
				}
			}
			q.wantCounts(0, 2, 0, 2)
		}
		t.Run("before the receive", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a", "b")
			ctx, leave := context.WithCancel(context.Background())
			leave()
			if got, err := receive(ctx, q, 2, 0); !errors.Is(err, context.Canceled) {
				t.Errorf("received %q, %v", bodies(got), err)
			}
			isBack(t, q)
		})
		t.Run("during the receive", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a", "b")
			release := pg.HoldTrains(store)
			ctx, leave := context.WithCancel(context.Background())
			ended := make(chan error)
			go func() { _, err := receive(ctx, q, 2, 0); ended <- err }()
			awaitWaiting(t, store, 1)
			leave()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			release()
			isBack(t, q)
		})
		t.Run("while it waits", func(t *testing.T) {
			q := newQueue(t, broker)
			ctx, leave := context.WithCancel(context.Background())
			ended := q.wait(ctx, store, 2)
			leave()
			if a := <-ended; !errors.Is(a.err, context.Canceled) {
				t.Error(a.err)
			}
			q.send("a", "b")
			isBack(t, q)
		})
		t.Run("others get their messages", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a", "b", "c", "d")
			release := pg.HoldTrains(store)
			ctx, leave := context.WithCancel(context.Background())
			var gone, stay sync.WaitGroup
			gone.Go(func() { _, _ = receive(ctx, q, 2, 0) })
			awaitWaiting(t, store, 1)
			others := make(chan string, 2)
			for i := range 2 {
				stay.Go(func() {
					got, err := receive(context.Background(), q, 1, 0)
					if err != nil || len(got) != 1 || got[0].ReceiveCount != 1 {
						t.Errorf("received %q, %v", bodies(got), err)
						return
					}
					others <- string(got[0].Body)
				})
				awaitWaiting(t, store, 2+i)
			}
			leave()
			gone.Wait()
			release()
			stay.Wait()
			eventually(t, "what is left is back", func() bool { return q.describe().Counts.Visible == 2 })
			close(others)
			var all []string
			for body := range others {
				all = append(all, body)
			}
			rest, err := receive(context.Background(), q, 4, 0)
			if all = append(all, bodies(rest)...); err != nil || !slices.Equal(slices.Sorted(slices.Values(all)), []string{"a", "b", "c", "d"}) {
				t.Errorf("those who stayed and the next one received %q, %v; want each message once", all, err)
			}
		})
		t.Run("a waiting receive gets their messages", func(t *testing.T) {
			q := newQueue(t, broker)
			ended := q.wait(context.Background(), store, 10)
			release := pg.HoldTrains(store)
			ctx, leave := context.WithCancel(context.Background())
			gone := make(chan error)
			go func() { _, err := receive(ctx, q, 2, 0); gone <- err }()
			awaitWaiting(t, store, 1)
			leave()
			<-gone
			sent := make(chan error)
			go func() {
				_, err := broker.SendMessages(context.Background(), core.SendInput{Queue: q.name, Messages: []core.NewMessage{{Body: []byte("a")}}})
				sent <- err
			}()
			awaitWaiting(t, store, 2) // they travel together: the message goes to the one that is gone
			release()
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			if a := q.got(ended, "a"); a.messages[0].ReceiveCount != 1 {
				t.Errorf("received %d times", a.messages[0].ReceiveCount)
			}
		})
		t.Run("their messages may have gone on", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			m := q.one()
			q.advance(time.Minute)
			again := q.one()
			q.giveBack(m) // too late
			if got := q.delete(true, again.Handle); got[0] != "" {
				t.Errorf("delete: %s", got[0])
			}
		})
	})
}
