package pg_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// deafness has a server hear nothing of what the other one tells, as if its connection were slow.
type deafness struct {
	bell      *testQueue
	deaf, end chan struct{}
}

func newDeafness(t *testing.T, store *pg.Store, other *core.Broker) *deafness {
	t.Helper()
	d := &deafness{newQueue(t, other), make(chan struct{}), make(chan struct{})}
	id := d.bell.describe().ID
	store.Notify(func(a core.Arrival) { // by whoever hears, who hears nothing else meanwhile
		if a.Queue == id {
			d.deaf <- struct{}{}
			<-d.end
		}
	})
	return d
}

// begin returns when the server hears nothing more, until end is called or the test ends.
func (d *deafness) begin() (end func()) {
	d.bell.t.Helper()
	ended := false
	end = func() {
		if !ended {
			ended = true
			d.end <- struct{}{}
		}
	}
	d.bell.t.Cleanup(end)
	d.bell.send("listen to this")
	<-d.deaf
	return end
}

// place has the first server, whose view of the queue's line is old, place messages far behind where receives through the second one have
// come to, once before has been called. It tries again where the first server has looked at the line meanwhile.
func place(t *testing.T, stores [2]*pg.Store, brokers [2]*core.Broker, before, after func(second *testQueue)) {
	t.Helper()
	for placed := false; !placed; {
		q := newQueue(t, brokers[0])
		other := q.through(brokers[1])
		q.sendToGroups(1, "g")
		q.receiveFor(10, 2*time.Hour) // the front of the line, as the first server knows it
		q.advance(time.Hour)          // which knows nothing newer until it receives again
		other.wantReceive()
		mark := pg.MarkOf(stores[1], q.describe().Storage)
		before(other)
		placed = q.sendToGroups(2, "h")[0].VisibleAt.Before(mark.Add(-time.Minute))
		after(other)
	}
}

// wantAll fails unless these messages were received, in any order.
func wantAll(t *testing.T, got []core.Message, want ...string) {
	t.Helper()
	if all := slices.Sorted(slices.Values(bodies(got))); !slices.Equal(all, want) {
		t.Errorf("received %q, want %q", all, want)
	}
}

// TestReceiveFindsWhatIsPlaced: a message of a group may be placed far ahead of where receives through another server have come to,
// which has not heard of it yet. It is found all the same.
func TestReceiveFindsWhatIsPlaced(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, q *testQueue){
		"a receive that finds others": func(t *testing.T, q *testQueue) {
			q.send("a", "b")
			wantAll(t, q.receive(10), "a", "b", "h-0", "h-1")
		},
		"a receive that finds nothing else": func(t *testing.T, q *testQueue) { wantAll(t, q.receive(10), "h-0", "h-1") },
		"a receive that hides nothing": func(t *testing.T, q *testQueue) {
			q.send("a", "b")
			wantAll(t, q.receiveFor(10, 0), "a", "b", "h-0", "h-1")
		},
		"a peek": func(t *testing.T, q *testQueue) {
			page, err := q.broker.PeekMessages(context.Background(), core.PeekInput{Queue: q.name, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			wantAll(t, page.Messages, "h-0", "h-1")
		},
	}
	for name, find := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, stores, brokers := servers(t, pg.Options{})
			deafness := newDeafness(t, stores[1], brokers[0])
			var hear func()
			place(t, stores, brokers, func(*testQueue) { hear = deafness.begin() }, func(second *testQueue) {
				find(t, second)
				hear()
			})
		})
	}
}

// TestReceiveHearsOthersFirst: a receive waits for what its server has not heard yet.
func TestReceiveHearsOthersFirst(t *testing.T) {
	t.Parallel()
	_, stores, brokers := servers(t, pg.Options{})
	deafness := newDeafness(t, stores[1], brokers[0])
	var hear func()
	place(t, stores, brokers, func(*testQueue) { hear = deafness.begin() }, func(second *testQueue) {
		received := make(chan []core.Message)
		go func() { received <- second.receive(10) }()
		eventually(t, "the receive waits for what others told", func() bool { return pg.AwaitsEcho(stores[1]) })
		hear()
		wantAll(t, <-received, "h-0", "h-1")
	})
}

// TestPlacedSendIsTold: who sends a message that stands behind other servers' marks is answered when these were told of it.
func TestPlacedSendIsTold(t *testing.T) {
	t.Parallel()
	_, stores, brokers := servers(t, pg.Options{})
	place(t, stores, brokers, func(second *testQueue) {
		first := second.through(brokers[0])
		release := pg.HoldOutbox(stores[0])
		sent := make(chan []core.Sent, 1)
		go func() { sent <- first.sendToGroups(1, "i") }()
		eventually(t, "the sender waits for others to be told", func() bool {
			if len(sent) > 0 {
				t.Fatal("the sender was answered before others were told")
			}
			return pg.AwaitsTelling(stores[0])
		})
		release()
		<-sent
	}, func(second *testQueue) { wantAll(t, second.receive(10), "h-0", "h-1", "i-0") })
}

// TestReceiveFindsWhatIsLate: a message whose transaction took long lies behind the mark of a server that has received meanwhile. It is
// found when its sender has been answered, though that server has not heard of it yet.
func TestReceiveFindsWhatIsLate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		queue func(testing.TB, *core.Broker, ...func(*core.Settings)) *testQueue
		send  func(q *testQueue, body string)
	}{
		"standard": {newQueue, func(q *testQueue, body string) { q.send(body) }},
		"FIFO":     {newFIFO, func(q *testQueue, body string) { q.sendTo(body, body) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, stores, brokers := servers(t, pg.Options{})
			deafness := newDeafness(t, stores[1], brokers[0])
			q := tt.queue(t, brokers[0])
			other := q.through(brokers[1])
			tt.send(q, "locked")
			locked := q.receive(1)[0]
			admin := database(t, url)
			execute(t, admin, `BEGIN`)
			execute(t, admin, `SELECT FROM messages FOR UPDATE`)
			execute(t, admin, `SELECT FROM groups FOR UPDATE`)
			hear := deafness.begin()
			release := pg.HoldTrains(stores[0])
			var all sync.WaitGroup
			all.Go(func() { q.hide(locked.Handle, time.Hour) }) // waits for the lock, and with it the send of the same train
			all.Go(func() { tt.send(q, "late") })
			eventually(t, "both wait for a train", func() bool { return pg.Waiting(stores[0]) == 2 })
			release()
			watch := database(t, url)
			eventually(t, "the train waits for the lock", func() bool { return locksAwaited(t, watch) == 1 })
			began := time.Now()
			eventually(t, "that is longer than others look back", func() bool { return time.Since(began) > 2*pg.MarkMargin })
			other.wantReceive()
			execute(t, admin, `COMMIT`)
			all.Wait()
			wantAll(t, other.receive(10), "late")
			hear()
		})
	}
}

// TestReceiveFindsWhatIsKeptLonger: a longer retention brings back what receives through another server have passed, which has not heard of
// the change.
func TestReceiveFindsWhatIsKeptLonger(t *testing.T) {
	t.Parallel()
	url, stores, brokers := servers(t, pg.Options{})
	deafness := newDeafness(t, stores[1], brokers[0])
	q := newQueue(t, brokers[0], func(s *core.Settings) { s.Retention = time.Minute })
	other := q.through(brokers[1])
	q.send("old")
	execute(t, database(t, url), `UPDATE messages SET sent_at = sent_at - interval '1 hour', visible_at = visible_at - interval '1 hour'`)
	other.wantReceive()
	hear := deafness.begin()
	q.alter(core.QueueChange{Retention: ptr(24 * time.Hour)})
	other.wantReceive("old")
	hear()
}

// TestReceiveNeedNotListen: a receive makes sure that its server has heard all only where that may change what it gives.
func TestReceiveNeedNotListen(t *testing.T) {
	t.Parallel()
	grouped := func(q *testQueue) { q.sendToGroups(3, "g") }
	tests := map[string]struct {
		alone   bool
		send    func(q *testQueue)
		receive func(q *testQueue, store *pg.Store)
		want    int64
	}{
		"short":                         {false, grouped, func(q *testQueue, _ *pg.Store) { q.receive(10) }, 1},
		"empty":                         {false, grouped, func(q *testQueue, _ *pg.Store) { q.receive(3); q.receive(10) }, 1},
		"full":                          {false, grouped, func(q *testQueue, _ *pg.Store) { q.receive(3) }, 0},
		"of a queue that has no groups": {false, func(q *testQueue) { q.send("a") }, func(q *testQueue, _ *pg.Store) { q.receive(10); q.receive(10) }, 0},
		"through the only server":       {true, grouped, func(q *testQueue, _ *pg.Store) { q.receive(10); q.receive(10); q.receiveFor(10, 0) }, 0},
		"that waits": {false, grouped, func(q *testQueue, store *pg.Store) {
			q.receive(3)
			ctx, leave := context.WithCancel(context.Background())
			ended := q.wait(ctx, store, 10)
			leave()
			<-ended
		}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first, second *pg.Store
			if tt.alone {
				first = pgtest.New(t)
				second = first
			} else {
				_, stores, _ := servers(t, pg.Options{})
				first, second = stores[0], stores[1]
			}
			q := newQueue(t, newBroker(t, first))
			tt.send(q)
			tt.receive(q.through(newBroker(t, second)), second)
			if got := pg.Echoes(second); got != tt.want {
				t.Errorf("listened %d times, want %d", got, tt.want)
			}
		})
	}
}

// A server that has signed off is not brought back by a heartbeat, be it one that began before.
func TestServerThatSignedOff(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := pgtest.DatabaseURL(t)
	stays, goes := open(t, pg.Options{URL: url, Name: "stays"}), open(t, pg.Options{URL: url, Name: "goes"})
	var beats sync.WaitGroup
	for range 4 {
		beats.Go(func() {
			for range 10 {
				if err := goes.Heartbeat(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err := pg.SignOff(ctx, goes); err != nil {
		t.Error(err)
	}
	beats.Wait()
	servers, err := stays.Servers(ctx)
	if err != nil || len(servers) != 1 || servers[0].Name != "stays" {
		t.Errorf("there are %+v, %v", servers, err)
	}
}

// A server that others took to be gone, for it stood still, tells them that it is not, and believes nothing that it remembers: nobody
// told it what changed meanwhile.
func TestServerThatStoodStill(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := pgtest.DatabaseURL(t)
	here, there := open(t, pg.Options{URL: url, Name: "here"}), open(t, pg.Options{URL: url, Name: "there"})
	q := newQueue(t, newBroker(t, here))
	eventually(t, "the servers know of each other", func() bool { return pg.Listening(here) == 1 && pg.Listening(there) == 1 })
	pgtest.Execute(t, url, `UPDATE servers SET seen_at = now() - interval '30 seconds' WHERE name = 'there'`)
	if err := here.Heartbeat(ctx); err != nil || pg.Listening(here) != 0 {
		t.Fatalf("%d servers listen, %v", pg.Listening(here), err)
	}
	if _, err := there.Queue(ctx, q.name); err != nil {
		t.Fatal(err)
	}
	q.alter(core.QueueChange{Delay: ptr(time.Second)})
	if err := there.Heartbeat(ctx); err != nil {
		t.Fatal(err)
	}
	if queue := there.KnownQueue(q.name); queue != nil {
		t.Errorf("it remembers the queue as it was: %+v", queue)
	}
	eventually(t, "the other one knows of it", func() bool { return pg.Listening(here) == 1 })
}
