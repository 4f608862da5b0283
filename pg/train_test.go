package pg_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// awaitWaiting returns when so many callers wait for a train.
func awaitWaiting(t *testing.T, store *pg.Store, callers int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d callers wait", callers), func() bool { return pg.Waiting(store) == callers })
}

func TestWhatWaitsLeavesAsOneTrain(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send("delete", "hide", "receive")
		messages := q.receive(2)
		release := pg.HoldTrains(store)
		before, _ := store.Trains()
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() { q.send(fmt.Sprint(i)) })
		}
		all.Go(func() { q.delete(true, messages[0].Handle) })
		all.Go(func() { q.hide(messages[1].Handle, time.Hour) })
		all.Go(func() {
			if got := q.receive(1); len(got) != 1 || string(got[0].Body) != "receive" {
				t.Errorf("received %q", bodies(got))
			}
		})
		awaitWaiting(t, store, 8)
		release()
		all.Wait()
		if after, _ := store.Trains(); after-before != 1 {
			t.Errorf("%d trains, want one for all that waited", after-before)
		}
		q.wantCounts(5, 2, 0, 16)
	})
}

func TestTrainsAreBounded(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newQueue(t, newBroker(t, store))
	release := pg.HoldTrains(store)
	before, _ := store.Trains()
	const callers = 3 * pg.MaxTrainRows / 100
	var all sync.WaitGroup
	for range callers {
		all.Go(func() { q.send(repeat("a", 100)...) })
	}
	awaitWaiting(t, store, callers)
	release()
	all.Wait()
	if after, _ := store.Trains(); after-before != callers/2+callers%2 { // two calls of 100 rows each fit
		t.Errorf("%d trains for %d calls of 100 messages", after-before, callers)
	}
	q.wantCounts(callers*100, 0, 0, callers*100)
}

// A row that the database refuses fails its caller and nobody else.
func TestBadRowFailsAlone(t *testing.T) {
	tests := map[string]struct {
		bad  core.NewMessage
		want core.Code
	}{
		"a character that text cannot have": {core.NewMessage{Body: []byte("bad"), GroupID: "a\x00b", Priority: 8, Delay: ptr(time.Duration(0))}, core.InvalidArgument},
		"a priority that is none":           {core.NewMessage{Body: []byte("bad"), Priority: 17, Delay: ptr(time.Duration(0))}, core.Internal},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				bad := tt.bad
				q := newQueue(t, broker)
				q.send("delete", "hide", "receive")
				messages := q.receive(2)
				queue, err := store.Queue(context.Background(), q.name)
				if err != nil {
					t.Fatal(err)
				}
				queue = ptr(*queue)
				queue.Priorities |= 1 << bad.Priority // no change of the queue by the way
				release := pg.HoldTrains(store)
				var all sync.WaitGroup
				for i := range 12 {
					all.Go(func() { q.send(fmt.Sprint(i%10), "x") })
				}
				good := bad
				good.GroupID, good.Priority = "", 8
				for range 3 {
					all.Go(func() {
						_, err := store.SendMessages(context.Background(), queue, []core.NewMessage{good, bad, good})
						if err == nil || core.CodeOf(err) != tt.want {
							t.Errorf("the bad row: %v, want %s", err, tt.want)
						}
					})
				}
				all.Go(func() {
					if got := q.delete(true, messages[0].Handle); got[0] != "" {
						t.Errorf("delete: %s", got[0])
					}
				})
				all.Go(func() {
					if got := q.hide(messages[1].Handle, time.Hour); got.Err != nil {
						t.Errorf("change visibility: %v", got.Err)
					}
				})
				all.Go(func() {
					if got := q.receive(1); len(got) != 1 {
						t.Errorf("received %q", bodies(got))
					}
				})
				awaitWaiting(t, store, 18)
				release()
				all.Wait()
				q.wantCounts(24, 2, 0, 24+4+7)
			})
		}
	})
}

// A caller that gives up does not wait; what it asked for happens, and to nobody else's harm.
func TestCallersGiveUp(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send("delete", "hide")
		messages := q.receive(2)
		release := pg.HoldTrains(store)
		ctx, giveUp := context.WithCancel(context.Background())
		var gone, stay sync.WaitGroup
		for name, do := range map[string]func() error{
			"send": func() error {
				_, err := q.broker.SendMessages(ctx, core.SendInput{Queue: q.name, Messages: []core.NewMessage{{Body: []byte("s")}}})
				return err
			},
			"delete": func() error {
				_, err := q.broker.DeleteMessages(ctx, core.DeleteInput{Queue: q.name, Handles: []string{messages[0].Handle}})
				return err
			},
			"change": func() error {
				_, err := q.broker.ChangeVisibility(ctx, core.ChangeVisibilityInput{Queue: q.name, Changes: []core.VisibilityChange{{Handle: messages[1].Handle, Timeout: time.Hour}}})
				return err
			},
		} {
			gone.Go(func() {
				if err := do(); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		stay.Go(func() { q.send("t") })
		awaitWaiting(t, store, 4)
		giveUp()
		gone.Wait() // while nothing can happen
		release()
		stay.Wait()
		q.wantCounts(2, 1, 0, 6)
		q.advance(time.Minute)
		q.wantCounts(2, 1, 0, 6)
	})
}

func TestBigBodiesBesideSmallOnes(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		const big, small, size = 3, 40, 1 << 20
		var all sync.WaitGroup
		all.Go(func() {
			for i := range big {
				q.sendMessages(core.NewMessage{Body: bytes.Repeat([]byte{byte(i)}, size)})
			}
		})
		for i := range small {
			all.Go(func() { q.send(fmt.Sprintf("%02d", i)) })
		}
		all.Wait()
		q.wantCounts(big+small, 0, 0, big*size+small*2)
		seen := map[string]int{}
		for len(seen) < big+small {
			got := q.receive(7)
			if len(got) == 0 {
				break
			}
			for _, m := range got {
				if len(m.Body) == size {
					if bytes.Count(m.Body, m.Body[:1]) != len(m.Body) {
						t.Error("a body is not as it was sent")
					}
					m.Body = m.Body[:1]
				}
				seen[string(m.Body)]++
			}
		}
		if len(seen) != big+small {
			t.Errorf("received %d different messages, want %d", len(seen), big+small)
		}
	})
}

func TestBiggestMessage(t *testing.T) {
	t.Parallel()
	q := newQueue(t, newBroker(t, pgtest.New(t)))
	body := bytes.Repeat([]byte{0, 0xFF, '\\', '"'}, core.MaxMessageBytes/4)
	q.send("small", string(body), "small")
	got := q.receive(3)
	if len(got) != 3 || !bytes.Equal(got[1].Body, body) || got[1].Size != core.MaxMessageBytes {
		t.Errorf("received %d messages", len(got))
	}
}

// What receives read together is bounded, and everybody gets some of it.
func TestReceivesOfBigMessagesShare(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		const size, messages, callers, limit = 128 << 10, 110, 3, 40
		body := make([]byte, size)
		for range messages / 10 {
			q.sendMessages(repeat(core.NewMessage{Body: body}, 10)...)
		}
		release := pg.HoldTrains(store)
		var all sync.WaitGroup
		var received atomic.Int64
		for range callers {
			all.Go(func() {
				got := len(q.receive(limit))
				if got == 0 {
					t.Error("a caller got nothing")
				}
				received.Add(int64(got))
			})
		}
		awaitWaiting(t, store, callers)
		before, _ := store.Trains()
		release()
		all.Wait()
		after, _ := store.Trains()
		if most := (after-before)*pg.MaxReceiveBytes/size + limit; received.Load() > most || after-before < 2 {
			t.Errorf("%d messages in %d trains", received.Load(), after-before)
		}
		q.wantCounts(messages-received.Load(), received.Load(), 0, messages*size)
	})
}

// TestEveryMessageOnce lets many callers of two servers send, receive and delete at once.
func TestEveryMessageOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, open(t, pg.Options{URL: url, DirectURL: url, Pooled: true}))}
	q := newQueue(t, brokers[0])
	const senders, receivers, each = 20, 20, 50
	var mu sync.Mutex
	seen := map[string]int{}
	var left atomic.Int64
	left.Store(senders * each)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			q := q.through(brokers[i%2])
			for j := 0; j < each; j += 2 {
				q.send(fmt.Sprintf("%d/%d", i, j), fmt.Sprintf("%d/%d", i, j+1))
			}
		})
	}
	for i := range receivers {
		all.Go(func() {
			q := q.through(brokers[i%2])
			end := time.Now().Add(3 * deadline)
			for left.Load() > 0 && time.Now().Before(end) {
				got := q.receiveWith(core.ReceiveInput{Limit: 1 + i%10, Wait: ptr(50 * time.Millisecond)})
				if len(got) == 0 {
					continue
				}
				for _, code := range q.delete(i%2 == 0, handlesOf(got)...) {
					if code != "" {
						t.Errorf("delete: %s", code)
					}
				}
				mu.Lock()
				for _, m := range got {
					seen[string(m.Body)]++
					if m.ReceiveCount != 1 {
						t.Errorf("%s was received %d times", m.Body, m.ReceiveCount)
					}
				}
				mu.Unlock()
				left.Add(-int64(len(got)))
			}
		})
	}
	all.Wait()
	for body, n := range seen {
		if n != 1 {
			t.Errorf("%s was received %d times", body, n)
		}
	}
	if len(seen) != senders*each {
		t.Errorf("received %d messages, want %d", len(seen), senders*each)
	}
	q.wantCounts(0, 0, 0, 0)
}

// Two servers delete and change the same messages in opposite orders.
func TestOppositeOrdersDoNotDeadlock(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))}
	q := newQueue(t, brokers[0])
	const messages = 60
	q.send(repeat("a", messages)...)
	handles := handlesOf(q.receive(messages))
	backwards := slices.Clone(handles)
	slices.Reverse(backwards)
	change := func(q *testQueue, handles []string) {
		changes := make([]core.VisibilityChange, len(handles))
		for i := range handles {
			changes[i] = core.VisibilityChange{Handle: handles[i], Timeout: time.Hour}
		}
		for _, r := range q.change(core.ChangeVisibilityInput{Changes: changes}) {
			if r.Err != nil && core.CodeOf(r.Err) != core.MessageNotFound {
				t.Errorf("change: %v", r.Err)
			}
		}
	}
	var all sync.WaitGroup
	for i, handles := range [][]string{handles, backwards} {
		q := q.through(brokers[i])
		for part := range 4 {
			all.Go(func() {
				for range 15 {
					change(q, handles)
				}
				q.delete(false, handles[part*messages/4:(part+1)*messages/4]...)
			})
		}
	}
	all.Wait()
	q.wantCounts(0, 0, 0, 0)
}

// One message is deleted, changed and given back by many at once: it ends deleted, and counted so.
func TestOneMessageDeletedAndChangedAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))}
	for range 5 {
		q := newQueue(t, brokers[0])
		q.send("a", "b")
		m := q.receive(1)[0]
		var deleted atomic.Int64
		var all sync.WaitGroup
		for i := range 12 {
			q := q.through(brokers[i%2])
			all.Go(func() {
				switch i % 4 {
				case 0, 1:
					if q.delete(false, m.Handle)[0] == "" {
						deleted.Add(1)
					}
				case 2:
					q.hide(m.Handle, time.Hour)
				case 3:
					q.giveBack(m)
				}
			})
		}
		all.Wait()
		if deleted.Load() != 1 {
			t.Errorf("deleted %d times", deleted.Load())
		}
		q.wantCounts(1, 0, 0, 1)
		q.wantReceive("b")
	}
}

// Connections break under load: what was acknowledged is there, and errors say that one may try again.
func TestConnectionsBreak(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		const senders, each = 10, 60
		var mu sync.Mutex
		acknowledged := map[string]bool{}
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for j := range each {
					body := fmt.Sprintf("%d/%d", i, j)
					_, err := q.broker.SendMessages(context.Background(), core.SendInput{Queue: q.name, Messages: []core.NewMessage{{Body: []byte(body)}}})
					if err != nil && core.CodeOf(err) != core.Unavailable {
						t.Errorf("send: %v", err)
					}
					if err == nil {
						mu.Lock()
						acknowledged[body] = true
						mu.Unlock()
					}
				}
			})
		}
		conn := database(t, store.URL())
		for range 10 {
			execute(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'polymq' ORDER BY random() LIMIT 2`)
			before, _ := store.Trains()
			eventually(t, "trains leave", func() bool { after, _ := store.Trains(); return after > before || pg.Waiting(store) == 0 })
		}
		all.Wait()
		for broken := 0; ; { // also those that were stored and not acknowledged
			got, err := q.broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: q.name, Limit: 100, Wait: ptr(time.Duration(0))})
			if core.CodeOf(err) == core.Unavailable && broken < pgtest.PoolSize { // a connection that was not used since
				broken++
				continue
			}
			if err != nil {
				t.Fatalf("receive: %v", err)
			}
			if len(got) == 0 {
				break
			}
			for _, m := range got {
				delete(acknowledged, string(m.Body))
			}
		}
		if len(acknowledged) > 0 {
			t.Errorf("%d acknowledged messages are lost", len(acknowledged))
		}
	})
}

// Random loads of all kinds at once do not trip over each other.
func TestMixedLoad(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		queues := []*testQueue{newQueue(t, broker), newQueue(t, broker), newQueue(t, broker)}
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(2, uint64(i)))
				for range 12 {
					q := queues[random.IntN(len(queues))]
					q.sendMessages(repeat(core.NewMessage{Body: make([]byte, random.IntN(1000)), Priority: random.IntN(17)}, 1+random.IntN(10))...)
					for _, m := range q.receiveFor(1+random.IntN(10), time.Duration(random.IntN(3))*time.Second) {
						if random.IntN(2) == 0 {
							q.delete(false, m.Handle)
						}
					}
					if random.IntN(10) == 0 {
						q.purge()
					}
				}
			})
		}
		all.Wait()
		for _, q := range queues {
			q.purge()
			q.wantCounts(0, 0, 0, 0)
		}
	})
}
