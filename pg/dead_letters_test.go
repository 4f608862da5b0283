package pg_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// beside makes another queue in the account of this one.
func (q *testQueue) beside(name string, settings ...func(*core.Settings)) *testQueue {
	q.t.Helper()
	in := core.NewQueue{Name: q.name, Settings: core.DefaultSettings()}
	in.Name.Name = name
	for _, set := range settings {
		set(&in.Settings)
	}
	if _, created, err := q.broker.CreateQueue(context.Background(), in); err != nil || !created {
		q.t.Fatalf("create queue %s: %v, created %v", in.Name, err, created)
	}
	return &testQueue{q.t, q.broker, in.Name}
}

// deadTo sets the policy that moves messages to the target after so many receives.
func (q *testQueue) deadTo(target *testQueue, receives int) {
	q.t.Helper()
	q.alter(core.QueueChange{DeadLetter: &core.DeadLetterPolicy{Target: target.name.Name, MaxReceives: receives}})
}

// withDeadLetters gives a queue and its dead-letter queue.
func withDeadLetters(t *testing.T, broker *core.Broker, receives int) (queue, dead *testQueue) {
	t.Helper()
	queue = newQueue(t, broker)
	dead = queue.beside("dead")
	queue.deadTo(dead, receives)
	return queue, dead
}

// wear receives a message so often that the next receive would move it.
func (q *testQueue) wear(receives, messages int) {
	q.t.Helper()
	for range receives {
		if got := q.receiveFor(core.MaxBatch, 0); len(got) != messages {
			q.t.Fatalf("received %d messages, want %d", len(got), messages)
		}
	}
}

func TestDeadLetterMovesWhenReceivedOnceMore(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		for _, most := range []int{1, 2, 5} {
			t.Run(fmt.Sprint(most), func(t *testing.T) {
				queue, dead := withDeadLetters(t, newBroker(t, store), most)
				queue.send("a")
				for n := 1; n <= most; n++ {
					if m := queue.one(); m.ReceiveCount != n {
						t.Errorf("receive %d counts %d", n, m.ReceiveCount)
					}
					dead.wantReceive()
					queue.advance(30 * time.Second)
				}
				queue.wantCounts(1, 0, 0, 1)
				queue.wantReceive()
				queue.wantCounts(0, 0, 0, 0)
				dead.wantCounts(1, 0, 0, 1)
				if m := dead.one(); string(m.Body) != "a" || m.ReceiveCount != most+1 {
					t.Errorf("got %q with count %d, want a with %d", m.Body, m.ReceiveCount, most+1)
				}
				dead.wantCounts(0, 1, 0, 1)
			})
		}
	})
}

func TestReceiveGoesOnBehindDeadLetters(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		queue, dead := withDeadLetters(t, newBroker(t, store), 1)
		queue.send("dead 1", "dead 2")
		queue.wear(1, 2)
		queue.send("a", "b", "c")
		if got := queue.receive(3); len(got) != 3 {
			t.Errorf("received %d messages past two dead letters, want 3", len(got))
		}
		if got := dead.receiveFor(3, 0); len(got) != 2 {
			t.Errorf("%d dead letters, want 2", len(got))
		}
	})
}

func TestDeadLetterKeepsWhatItWas(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	sent := queue.sendMessages(core.NewMessage{
		Body: []byte("body"), Form: core.FormBase64, GroupID: "g", Sender: "me", Priority: 3,
		Attributes: []core.Attribute{{Name: "n", Type: "Number.int", Value: []byte("7")}},
		System:     map[string]string{"AWSTraceHeader": "Root=1"},
	})[0]
	queue.advance(time.Minute)
	first := queue.receiveFor(1, 0)[0]
	queue.advance(time.Minute)
	queue.wantReceive()
	queue.advance(time.Minute)
	m := dead.one()
	want := first
	want.Source, want.ReceiveCount = queue.name.String(), 2
	want.Handle, want.VisibleAt = m.Handle, m.VisibleAt
	if fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
	if m.ID != sent.ID || !m.SentAt.Equal(sent.SentAt) || !m.FirstReceivedAt.Equal(first.FirstReceivedAt) || m.FirstReceivedAt.Equal(m.SentAt) {
		t.Errorf("id %v, sent %v, first received %v; want those of %+v and %v", m.ID, m.SentAt, m.FirstReceivedAt, sent, first.FirstReceivedAt)
	}
	if codes := queue.delete(false, first.Handle); codes[0] != core.MessageNotFound {
		t.Errorf("delete by the handle from before the move: %q", codes)
	}
	if codes := dead.delete(true, m.Handle); codes[0] != "" {
		t.Errorf("delete from the dead-letter queue: %q", codes)
	}
	dead.wantCounts(0, 0, 0, 0)
}

// A dead letter expires when it would have in a queue of the dead-letter queue's retention.
func TestDeadLetterRetentionGoesOn(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	dead.alter(core.QueueChange{Retention: ptr(time.Hour)})
	queue.send("a")
	queue.wear(1, 1)
	queue.advance(50 * time.Minute)
	queue.wantReceive()
	if got := dead.receiveFor(1, 0); len(got) != 1 {
		t.Fatalf("the dead letter is not there")
	}
	queue.advance(11 * time.Minute)
	dead.wantReceive()
	dead.wantCounts(0, 0, 0, 0)
}

// Every queue of a chain hands its messages out as often as its own policy says.
func TestDeadLetterChain(t *testing.T) {
	t.Parallel()
	first, second := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	third := first.beside("third")
	second.deadTo(third, 2)
	first.send("a")
	for _, step := range []struct {
		queue *testQueue
		count int // 0: none is received
	}{{first, 1}, {first, 0}, {second, 2}, {second, 3}, {second, 0}, {first, 0}, {third, 4}, {third, 5}} {
		got := step.queue.receiveFor(1, 0)
		if step.count == 0 && len(got) != 0 || step.count > 0 && (len(got) != 1 || got[0].ReceiveCount != step.count) {
			t.Fatalf("received %+v from %s, want count %d", got, step.queue.name, step.count)
		}
	}
	if m := third.one(); m.Source != second.name.String() {
		t.Errorf("source %q, want %q", m.Source, second.name)
	}
}

// A circle of policies gives each message its receives in turn, and loses none.
func TestDeadLetterCircle(t *testing.T) {
	t.Parallel()
	first, second := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	second.deadTo(first, 1)
	first.send("a")
	for range 3 {
		for _, q := range []*testQueue{first, second} {
			handle := q.receiveFor(1, 0)[0].Handle
			q.wantReceive()
			if codes := q.delete(true, handle); codes[0] != core.MessageNotFound {
				t.Errorf("delete after the move: %q", codes)
			}
		}
	}
	first.wantReceive("a")
}

func TestReceiveGoesOnPastDeadLetters(t *testing.T) {
	tests := map[string]struct{ worn, fresh, limit, want int }{
		"some of a receive":        {3, 4, 10, 4},
		"all that was asked for":   {10, 4, 10, 4},
		"several times as many":    {35, 2, 10, 2},
		"one by one":               {5, 2, 1, 1},
		"nothing but dead letters": {12, 0, 5, 0},
	}
	t.Parallel()
	store := pgtest.New(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queue, dead := withDeadLetters(t, newBroker(t, store), 2)
			queue.send(repeat("worn", tt.worn)...)
			queue.wear(2, tt.worn)
			if tt.fresh > 0 {
				queue.send(repeat("new", tt.fresh)...)
			}
			if got := pgtest.Bodies(queue.receive(tt.limit)); !slices.Equal(got, repeat("new", tt.want)) {
				t.Errorf("received %q, want %d new ones", got, tt.want)
			}
			dead.wantCounts(int64(tt.worn), 0, 0, int64(4*tt.worn))
		})
	}
}

// What a receive gives for no time at all is visible again at once: it neither finds that itself, nor takes it for a dead letter.
func TestReceiveGoesNotOnToWhatItHasReceived(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		for _, most := range []int{1, 2} {
			queue, dead := withDeadLetters(t, newBroker(t, store), most)
			queue.send("worn")
			queue.wear(most, 1)
			queue.send("a", "b")
			if got := pgtest.Bodies(queue.receiveFor(3, 0)); len(got) == 0 || len(slices.Compact(slices.Sorted(slices.Values(got)))) < len(got) {
				t.Errorf("received %q", got)
			}
			dead.wantCounts(1, 0, 0, 4)
			queue.wantCounts(2, 0, 0, 2)
		}
	})
}

func TestDeadLetterQueueMissing(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	here, there := newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))
	queue, dead := withDeadLetters(t, here, 1)
	queue.sendMessages(core.NewMessage{Body: []byte("a"), Priority: 1}, core.NewMessage{Body: []byte("b"), Priority: 16})
	queue.wear(1, 2)
	if err := there.DeleteQueue(t.Context(), dead.name); err != nil {
		t.Fatal(err)
	}
	if got := queue.receiveFor(10, 0); len(got) != 2 || got[0].ReceiveCount != 2 {
		t.Errorf("received %+v, want both messages once more", got)
	}
	queue.wantCounts(2, 0, 0, 2)
	again := queue.through(there).beside("dead")
	eventually(t, "the messages go to the new dead-letter queue", func() bool { return len(queue.receiveFor(10, 0)) == 0 })
	if got := pgtest.Bodies(again.receive(10)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the new dead-letter queue has %q", got)
	}
	queue.wantCounts(0, 0, 0, 0)
}

func TestDeadLetterWakesItsReaders(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	here, there := pgtest.Open(t, url), pgtest.Open(t, url)
	eventually(t, "the servers know each other", func() bool { return pg.Listening(here) == 1 && pg.Listening(there) == 1 })
	queue, dead := withDeadLetters(t, newBroker(t, here), 1)
	for name, broker := range map[string]*core.Broker{"this server": queue.broker, "the other": newBroker(t, there)} {
		queue.send(name)
		queue.wear(1, 1)
		reader := dead.through(broker)
		reader.wantReceive() // its mark is now
		got := make(chan []core.Message, 1)
		go func() { got <- reader.receiveWith(core.ReceiveInput{Limit: 1, Wait: ptr(core.MaxReceiveWait)}) }()
		queue.wantReceive()
		select {
		case m := <-got:
			if len(m) != 1 || string(m[0].Body) != name {
				t.Errorf("%s: a poll of the dead-letter queue got %q", name, pgtest.Bodies(m))
			}
		case <-time.After(3 * deadline):
			t.Fatalf("%s: a poll of the dead-letter queue was not woken", name)
		}
	}
}

// A receiver that vanished has not seen the message: it does not count.
func TestReturnedMessagesAreNoDeadLetters(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	queue.send("a")
	for range 3 {
		m := queue.one()
		if m.ReceiveCount != 1 {
			t.Errorf("count %d, want 1", m.ReceiveCount)
		}
		if _, err := queue.broker.ReturnMessages(t.Context(), queue.name, []core.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	queue.wear(1, 1)
	queue.wantReceive()
	for range 2 {
		m := dead.one()
		if m.ReceiveCount != 2 {
			t.Errorf("count %d in the dead-letter queue, want 2", m.ReceiveCount)
		}
		if _, err := dead.broker.ReturnMessages(t.Context(), dead.name, []core.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	dead.wantCounts(1, 0, 0, 1)
}

// A server that dies between a receive and the move of the dead letters that it found leaves them as they were: nobody
// has received them, and they are moved a little later, whatever the visibility timeout.
func TestDeadLetterMoveDies(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := withDeadLetters(t, newBroker(t, store), 1)
	queue.alter(core.QueueChange{VisibilityTimeout: ptr(12 * time.Hour)})
	queue.send("worn")
	queue.wear(1, 1)
	queue.send("new")
	conn := database(t, store.URL())
	execute(t, conn, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`)
	execute(t, conn, `CREATE TRIGGER die BEFORE DELETE ON messages EXECUTE FUNCTION die()`)
	queue.wantReceive("new")
	queue.wantCounts(0, 2, 0, 7)
	dead.wantCounts(0, 0, 0, 0)
	execute(t, conn, `DROP TRIGGER die ON messages`)
	queue.advance(pg.MoveTime)
	queue.wantReceive()
	queue.wantCounts(0, 1, 0, 3)
	dead.wantCounts(1, 0, 0, 4)
	if m := dead.one(); string(m.Body) != "worn" || m.ReceiveCount != 2 {
		t.Errorf("the dead-letter queue gives %q, received %d times, want worn, once there and once here", m.Body, m.ReceiveCount)
	}
}

// Receivers on two servers at once: each message is handed out as often as the policy says, then it is
// in the dead-letter queue, once.
func TestDeadLettersOfManyReceivers(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	const messages, most = 200, 3
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.Open(t, url)), most)
	other := newBroker(t, pgtest.Open(t, url))
	for range messages / 100 {
		queue.send(repeat("a", 100)...)
	}
	counts := make(chan map[core.MessageID]int)
	receive := func(q *testQueue, limit int) {
		seen := map[core.MessageID]int{}
		for idle := 0; idle < 3; {
			got, err := q.broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: q.name, Limit: limit, VisibilityTimeout: ptr(time.Duration(0)), Wait: ptr(time.Duration(0))})
			if err != nil && core.CodeOf(err) != core.Unavailable {
				t.Errorf("receive: %v", err)
			}
			if idle++; len(got) > 0 {
				idle = 0
			}
			for _, m := range got {
				seen[m.ID]++
			}
		}
		counts <- seen
	}
	for i := range 4 {
		go receive(queue, 1+3*i)
		go receive(queue.through(other), 1+3*i)
	}
	total := map[core.MessageID]int{}
	for range 8 {
		for id, n := range <-counts {
			total[id] += n
		}
	}
	queue.wantReceive()
	for id, n := range total {
		if n != most {
			t.Errorf("%s was received %d times, want %d", id.UUID(), n, most)
		}
	}
	queue.wantCounts(0, 0, 0, 0)
	dead.wantCounts(messages, 0, 0, messages)
	if len(total) != messages {
		t.Errorf("%d messages were received, want %d", len(total), messages)
	}
}

func TestDeadLetterPolicyIsChecked(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	queue := newQueue(t, newBroker(t, pgtest.Open(t, url)))
	elsewhere := newBroker(t, pgtest.Open(t, url))
	queue.through(elsewhere).beside("any")
	queue.beside("none", func(s *core.Settings) { s.DeadLetterSources = core.NoSource })
	queue.beside("listed", func(s *core.Settings) { s.DeadLetterSources = core.Sources("others", "orders") })
	queue.beside("unlisted", func(s *core.Settings) { s.DeadLetterSources = core.Sources("others") })
	fifo := core.NewQueue{Name: queue.name, FIFO: true, Settings: core.DefaultSettings()}
	fifo.Name.Name = "dead.fifo"
	if _, _, err := elsewhere.CreateQueue(t.Context(), fifo); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		policy core.DeadLetterPolicy
		want   core.Code
	}{
		"takes any":          {core.DeadLetterPolicy{Target: "any", MaxReceives: 1}, ""},
		"takes this one":     {core.DeadLetterPolicy{Target: "listed", MaxReceives: 1000}, ""},
		"takes none":         {core.DeadLetterPolicy{Target: "none", MaxReceives: 1}, core.DeadLetterDenied},
		"takes another":      {core.DeadLetterPolicy{Target: "unlisted", MaxReceives: 1}, core.DeadLetterDenied},
		"missing":            {core.DeadLetterPolicy{Target: "missing", MaxReceives: 1}, core.DeadLetterQueueNotFound},
		"itself":             {core.DeadLetterPolicy{Target: "orders", MaxReceives: 1}, core.InvalidArgument},
		"another type":       {core.DeadLetterPolicy{Target: "dead.fifo", MaxReceives: 1}, core.QueueTypeMismatch},
		"no receives":        {core.DeadLetterPolicy{Target: "any"}, core.InvalidArgument},
		"too many receives":  {core.DeadLetterPolicy{Target: "any", MaxReceives: 1001}, core.InvalidArgument},
		"receives, no queue": {core.DeadLetterPolicy{MaxReceives: 1}, core.InvalidArgument},
		"none":               {core.DeadLetterPolicy{}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			queue.alter(core.QueueChange{DeadLetter: &core.DeadLetterPolicy{}})
			_, err := queue.broker.AlterQueue(t.Context(), queue.name, core.QueueChange{DeadLetter: &tt.policy})
			var want core.DeadLetterPolicy
			if tt.want == "" {
				want = tt.policy
			}
			if codes([]error{err})[0] != tt.want || queue.describe().DeadLetter != want {
				t.Errorf("alter gave %v and the policy is %+v, want %q and %+v", err, queue.describe().DeadLetter, tt.want, want)
			}
			in := core.NewQueue{Name: queue.name, Settings: core.DefaultSettings()}
			in.Settings.DeadLetter = tt.policy
			if _, _, err := queue.broker.CreateQueue(t.Context(), in); codes([]error{err})[0] != tt.want {
				t.Errorf("create of the queue that exists: %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDeadLetterSources(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := withDeadLetters(t, newBroker(t, store), 1)
	names := []string{"orders"}
	for _, name := range []string{"b", "a", "c"} {
		queue.beside(name).deadTo(dead, 5)
		names = append(names, name)
	}
	slices.Sort(names)
	newQueue(t, queue.broker).beside("dead") // in another account
	var got []string
	for in := (core.ListQueuesInput{Limit: 3}); ; {
		page, err := queue.broker.DeadLetterSources(t.Context(), dead.name, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range page.Queues {
			got = append(got, q.Name.Name)
		}
		if in.After = page.Next; in.After == "" {
			break
		}
	}
	if !slices.Equal(got, names) {
		t.Errorf("sources %q, want %q", got, names)
	}
	queue.alter(core.QueueChange{DeadLetter: &core.DeadLetterPolicy{}})
	if page, err := queue.broker.DeadLetterSources(t.Context(), dead.name, core.ListQueuesInput{Limit: 10}); err != nil || len(page.Queues) != 3 {
		t.Errorf("%d sources, %v; want 3 when one has no policy any more", len(page.Queues), err)
	}
	missing := dead.name
	missing.Name = "missing"
	if _, err := queue.broker.DeadLetterSources(t.Context(), missing, core.ListQueuesInput{Limit: 10}); core.CodeOf(err) != core.QueueNotFound {
		t.Errorf("sources of a queue that is missing: %v", err)
	}
	var e *core.Error
	if _, err := queue.broker.DeadLetterSources(t.Context(), dead.name, core.ListQueuesInput{Limit: 0}); !errors.As(err, &e) || e.Code != core.InvalidArgument {
		t.Errorf("a page of none: %v", err)
	}
}

func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	queue := newQueue(t, newBroker(t, open(t, pg.Options{URL: url, InFlightLimit: 5})))
	queue.send(repeat("a", 9)...)
	receive := func(limit int) ([]core.Message, error) {
		return queue.broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: queue.name, Limit: limit, Wait: ptr(time.Duration(0))})
	}
	first, err := receive(3)
	if err != nil || len(first) != 3 {
		t.Fatalf("received %d, %v; want 3", len(first), err)
	}
	if got, err := receive(10); err != nil || len(got) != 2 {
		t.Errorf("received %d, %v; want the 2 that are left until the limit", len(got), err)
	}
	if got, err := receive(1); core.CodeOf(err) != core.InFlightLimit {
		t.Errorf("received %d, %v; want %s", len(got), err, core.InFlightLimit)
	}
	queue.wantCounts(4, 5, 0, 9)
	// A poll that waits gets nothing, and is told nothing, until there is room.
	polled := make(chan []core.Message, 1)
	go func() { polled <- queue.receiveWith(core.ReceiveInput{Limit: 10, Wait: ptr(core.MaxReceiveWait)}) }()
	queue.delete(false, first[0].Handle)
	eventually(t, "the poll gets what may be in flight", func() bool {
		if err := queue.broker.LookAhead(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(polled) == 1
	})
	if got := <-polled; len(got) != 1 {
		t.Errorf("the poll got %d, want 1", len(got))
	}
	if _, err := receive(1); core.CodeOf(err) != core.InFlightLimit {
		t.Errorf("after the poll: %v, want %s", err, core.InFlightLimit)
	}
	if got := queue.describe().Counts; got.InFlight != 5 {
		t.Errorf("%d in flight, want 5", got.InFlight)
	}
	queue.advance(30 * time.Second)
	if got, err := receive(10); err != nil || len(got) != 5 {
		t.Errorf("received %d, %v after the visibility timeout; want 5", len(got), err)
	}
	// What is visible again at once is never in flight.
	queue.advance(30 * time.Second)
	for range 4 {
		if got := queue.receiveFor(4, 0); len(got) != 4 {
			t.Errorf("received %d with visibility timeout 0, want 4", len(got))
		}
	}
}

// Who knows no limit, as MNS's clients, receives on, and what it receives counts for those who know one.
func TestInFlightUnbounded(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(testing.TB, *core.Broker, ...func(*core.Settings)) *testQueue{"standard": newQueue, "FIFO": newFIFO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queue := create(t, newBroker(t, open(t, pg.Options{URL: pgtest.DatabaseURL(t), InFlightLimit: 2})))
			for i := range 6 {
				if name == "FIFO" {
					queue.sendTo(fmt.Sprint(i), fmt.Sprint(i))
				} else {
					queue.send(fmt.Sprint(i))
				}
			}
			for _, step := range []struct {
				unbounded   bool
				limit, want int
			}{{false, 10, 2}, {true, 1, 1}, {true, 2, 2}, {false, 10, 0}, {true, 10, 1}} {
				got, err := queue.broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: queue.name, Limit: step.limit, Wait: ptr(time.Duration(0)), Unbounded: step.unbounded})
				if len(got) != step.want || err != nil && core.CodeOf(err) != core.InFlightLimit {
					t.Errorf("%+v: received %d, %v", step, len(got), err)
				}
			}
		})
	}
}

// moveDue asks for the moves that are due of messages as the handles say they are.
func (q *testQueue) moveDue(store *pg.Store, handles ...string) {
	q.t.Helper()
	queue := q.describe()
	if err := store.MoveDeadLetters(context.Background(), &queue, handles); err != nil {
		q.t.Fatalf("move dead letters of %s: %v", q.name, err)
	}
}

func TestDeadLettersMoveWhenTheyAreDue(t *testing.T) {
	tests := map[string]struct {
		do    func(q *testQueue, m core.Message) string // gives the handle
		moves bool
	}{
		"visible again": {func(q *testQueue, m core.Message) string { q.advance(30 * time.Second); return m.Handle }, true},
		"in flight":     {func(q *testQueue, m core.Message) string { q.advance(29 * time.Second); return m.Handle }, false},
		"made visible": {func(q *testQueue, m core.Message) string {
			return q.change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{{Handle: m.Handle}}, Rotate: true})[0].Handle
		}, true},
		"by an older handle": {func(q *testQueue, m core.Message) string { q.rotate(m.Handle); q.advance(time.Hour); return m.Handle }, false},
		"kept hidden": {func(q *testQueue, m core.Message) string {
			q.hide(m.Handle, time.Hour)
			q.advance(time.Minute)
			return m.Handle
		}, false},
		"returned unread": {func(q *testQueue, m core.Message) string { q.giveBack(m); return m.Handle }, false},
		"deleted":         {func(q *testQueue, m core.Message) string { q.delete(false, m.Handle); return m.Handle }, false},
		"past the retention": {func(q *testQueue, m core.Message) string {
			q.alter(core.QueueChange{Retention: ptr(time.Minute)})
			q.advance(time.Minute)
			return m.Handle
		}, false},
		"one receive is left": {func(q *testQueue, m core.Message) string {
			q.alter(core.QueueChange{DeadLetter: &core.DeadLetterPolicy{Target: "dead", MaxReceives: 2}})
			q.advance(time.Minute)
			return m.Handle
		}, false},
		"no policy any more": {func(q *testQueue, m core.Message) string {
			q.alter(core.QueueChange{DeadLetter: &core.DeadLetterPolicy{}})
			q.advance(time.Minute)
			return m.Handle
		}, false},
		"purged":                {func(q *testQueue, m core.Message) string { q.purge(); q.advance(time.Minute); return m.Handle }, false},
		"no handle of anything": {func(q *testQueue, _ core.Message) string { q.advance(time.Minute); return "1-abc" }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := pgtest.New(t)
			queue, dead := withDeadLetters(t, newBroker(t, store), 1)
			queue.sendMessages(core.NewMessage{Body: []byte("a"), Priority: 3}) // which the target does not look for yet
			handle := tt.do(queue, queue.one())
			before := queue.describe().Counts
			queue.moveDue(store, handle)
			queue.moveDue(store, handle) // what was moved is not moved again
			if !tt.moves {
				if after := queue.describe().Counts; after != before {
					t.Errorf("counts were %+v, now %+v", before, after)
				}
				dead.wantCounts(0, 0, 0, 0)
				return
			}
			queue.wantCounts(0, 0, 0, 0)
			dead.wantCounts(1, 0, 0, 1)
			queue.wantReceive()
			if m := dead.one(); string(m.Body) != "a" || m.ReceiveCount != 2 || m.Source != queue.name.String() {
				t.Errorf("got %q, count %d, from %q", m.Body, m.ReceiveCount, m.Source)
			}
			dead.wantReceive()
		})
	}
}

// A receive and the move of the same message meet: it is in one queue or the other, never in both.
func TestDeadLettersAreDueWhileTheyAreReceived(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := withDeadLetters(t, newBroker(t, store), 1)
	const messages = 10
	for range messages {
		queue.send("a")
	}
	var handles []string
	for _, m := range queue.receiveFor(messages, 0) {
		handles = append(handles, m.Handle)
	}
	seen := queue.describe()
	moving := make(chan error, 1)
	go func() { moving <- store.MoveDeadLetters(context.Background(), &seen, handles) }()
	queue.wantReceive()
	if err := <-moving; err != nil {
		t.Errorf("move dead letters: %v", err)
	}
	queue.wantReceive()
	queue.wantCounts(0, 0, 0, 0)
	dead.wantCounts(messages, 0, 0, messages)
}
