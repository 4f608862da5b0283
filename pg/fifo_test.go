package pg_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// newFIFO makes a FIFO queue in an account of its own.
func newFIFO(t testing.TB, broker *core.Broker, settings ...func(*core.Settings)) *testQueue {
	t.Helper()
	in := core.NewQueue{
		Name:     core.QueueName{Account: fmt.Sprintf("%012d", accounts.Add(1)), Region: pgtest.Region, Name: "orders.fifo"},
		FIFO:     true,
		Settings: core.DefaultSettings(),
	}
	for _, set := range settings {
		set(&in.Settings)
	}
	if _, created, err := broker.CreateQueue(context.Background(), in); err != nil || !created {
		t.Fatalf("create queue %s: %v, created %v", in.Name, err, created)
	}
	return &testQueue{t, broker, in.Name}
}

// sendTo sends messages to a group, one by one.
func (q *testQueue) sendTo(group string, bodies ...string) (sent []core.Sent) {
	q.t.Helper()
	for _, body := range bodies {
		sent = append(sent, q.sendMessages(core.NewMessage{Body: []byte(body), GroupID: group})...)
	}
	return sent
}

// fifo runs a test on a FIFO queue, with prepared statements and behind a pooler.
func fifo(t *testing.T, test func(t *testing.T, q *testQueue)) {
	t.Helper()
	inBothModes(t, func(t *testing.T, store *pg.Store) { test(t, newFIFO(t, newBroker(t, store))) })
}

func handleOf(messages []core.Message, body string) string {
	for _, m := range messages {
		if string(m.Body) == body {
			return m.Handle
		}
	}
	return ""
}

func TestFIFOGivesGroupsInOrder(t *testing.T) { // specs/sqs.md 7.2
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g1", "g1m1")
		q.sendTo("g2", "g2m1")
		q.sendTo("g1", "g1m2", "g1m3")
		got := q.wantReceive("g1m1", "g1m2", "g1m3", "g2m1")
		for _, m := range got {
			if want := "g" + string(m.Body[1:2]); m.GroupID != want || m.ReceiveCount != 1 || m.FirstReceivedAt.IsZero() {
				t.Errorf("%s: group %q received %d times, first at %v", m.Body, m.GroupID, m.ReceiveCount, m.FirstReceivedAt)
			}
		}
	})
}

func TestFIFOBatchKeepsOrder(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		var messages []core.NewMessage
		var want []string
		for i := range 30 {
			body := fmt.Sprintf("%02d", i)
			messages, want = append(messages, core.NewMessage{Body: []byte(body), GroupID: "g"}), append(want, body)
		}
		q.sendMessages(messages...)
		q.wantReceive(want...)
	})
}

func TestFIFOFillsALoneReceiveFromSeveralGroups(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		for i := range 12 {
			q.sendTo(fmt.Sprint("g", i), fmt.Sprint("a", i), fmt.Sprint("b", i))
		}
		if got, want := pgtest.Bodies(q.receive(5)), []string{"a0", "b0", "a1", "b1", "a2"}; !slices.Equal(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
		if got, want := pgtest.Bodies(q.receive(3)), []string{"a3", "b3", "a4"}; !slices.Equal(got, want) {
			t.Errorf("received %q then, want %q", got, want)
		}
	})
}

func TestFIFOOnePerGroup(t *testing.T) { // specs/mns.md 4.7
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g1", "a", "b")
		q.sendTo("g2", "c", "d")
		got := q.receiveWith(core.ReceiveInput{Limit: 10, OnePerGroup: true, Wait: ptr(time.Duration(0))})
		if want := []string{"a", "c"}; !slices.Equal(pgtest.Bodies(got), want) {
			t.Errorf("received %q, want %q", pgtest.Bodies(got), want)
		}
	})
}

func TestFIFOGroupIsLockedWhileInFlight(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g1", "a", "b")
		q.sendTo("g2", "x")
		first := q.receive(1)
		q.sendTo("g1", "c") // new sends do not unlock
		q.wantReceive("x")
		q.wantReceive()
		q.wantCounts(2, 2, 0, 4) // locked and visible ones count as visible
		if got := q.delete(false, first[0].Handle); got[0] != "" {
			t.Fatalf("delete: %s", got[0])
		}
		q.wantReceive("b", "c")
	})
}

func TestFIFOPartialDelete(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g", "a", "b", "c", "d")
		got := q.receive(3)
		q.delete(false, handleOf(got, "a"), handleOf(got, "b"))
		q.wantReceive() // c is in flight
		q.advance(30 * time.Second)
		q.wantReceive("c", "d")
	})
	fifo2 := func(deleted string, rest ...string) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			q := newFIFO(t, pgtest.Broker(t))
			q.sendTo("g", "a", "b", "c")
			got := q.receive(3)
			q.delete(false, handleOf(got, deleted))
			q.wantReceive()
			q.advance(30 * time.Second)
			q.wantReceive(rest...)
		}
	}
	t.Run("the first", fifo2("a", "b", "c"))
	t.Run("the middle", fifo2("b", "a", "c"))
	t.Run("the last", fifo2("c", "a", "b"))
}

func TestFIFOChangeVisibilityOfOne(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g1", "m1", "m2", "m3")
		q.sendTo("g2", "x")
		got := q.receive(2)
		q.hide(handleOf(got, "m1"), 0)
		again := q.wantReceive("x", "m1") // not m2, which is hidden, and nothing behind it; the group that returned comes last
		if again[1].ReceiveCount != 2 {
			t.Errorf("m1 was received %d times, want 2", again[1].ReceiveCount)
		}
		q.wantReceive()
		q.hide(handleOf(got, "m2"), 0)
		q.wantReceive() // m1 is in flight
		q.hide(again[1].Handle, 0)
		q.wantReceive("m1", "m2", "m3")
	})
}

func TestFIFOExtendOne(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		extended string
		want     []string
	}{
		"the first":  {"foo", nil},
		"the second": {"bar", []string{"foo"}},
		"the third":  {"baz", []string{"foo", "bar"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newFIFO(t, pgtest.Broker(t))
			q.sendTo("g", "foo", "bar", "baz")
			got := q.receive(3)
			q.hide(handleOf(got, tt.extended), time.Minute)
			q.advance(30 * time.Second)
			q.wantReceive(tt.want...)
		})
	}
}

func TestFIFOVisibilityTimeoutZero(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g", "a", "b")
		for count := range 3 {
			got := q.receiveFor(10, 0)
			if !slices.Equal(pgtest.Bodies(got), []string{"a", "b"}) || got[0].ReceiveCount != count+1 {
				t.Fatalf("received %q for the %d. time, want a b for the %d.", pgtest.Bodies(got), got[0].ReceiveCount, count+1)
			}
		}
		q.wantCounts(2, 0, 0, 2)
	})
}

func TestFIFOExpiryKeepsOrder(t *testing.T) { // localstack#4287
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g", "a", "b", "c")
		got := q.receive(3)
		for i, body := range []string{"c", "b", "a"} { // which become visible in the other order
			q.hide(handleOf(got, body), time.Duration(10+10*i)*time.Second)
		}
		q.advance(20 * time.Second)
		q.wantReceive()
		q.advance(10 * time.Second)
		q.wantReceive("a", "b", "c")
	})
}

func TestFIFOHandles(t *testing.T) { // specs/sqs.md 6.5
	tests := map[string]struct {
		do   func(q *testQueue, m core.Message)
		want core.Code
	}{
		"in flight":               {func(*testQueue, core.Message) {}, ""},
		"after the timeout":       {func(q *testQueue, _ core.Message) { q.advance(30 * time.Second) }, core.ReceiptHandleExpired},
		"received again":          {func(q *testQueue, _ core.Message) { q.advance(30 * time.Second); q.receive(1) }, core.ReceiptHandleSuperseded},
		"deleted before":          {func(q *testQueue, m core.Message) { q.delete(false, m.Handle) }, core.MessageNotFound},
		"extended":                {func(q *testQueue, m core.Message) { q.hide(m.Handle, time.Minute); q.advance(30 * time.Second) }, ""},
		"purged":                  {func(q *testQueue, _ core.Message) { q.purge() }, core.MessageNotFound},
		"made visible by its own": {func(q *testQueue, m core.Message) { q.hide(m.Handle, 0) }, core.ReceiptHandleExpired},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newFIFO(t, pgtest.Broker(t))
			q.sendTo("g", "a")
			m := q.one()
			tt.do(q, m)
			if got := q.delete(false, m.Handle); got[0] != tt.want {
				t.Errorf("delete: %q, want %q", got[0], tt.want)
			}
		})
	}
}

// TestFIFOMessageLog tells of messages by their ids, whatever was done to them.
func TestFIFOMessageLog(t *testing.T) {
	t.Parallel()
	q := newFIFO(t, newBroker(t, pgtest.New(t)))
	q.broker.LogAllMessages(true)
	id := q.sendTo("g", "a")[0].ID
	m := q.wantReceive("a")
	q.hide(m[0].Handle, time.Minute)
	q.delete(false, m[0].Handle)
	page, err := q.broker.ListEvents(t.Context(), core.ListEventsInput{Account: q.name.Account, MessageID: &id, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []core.EventKind
	for _, e := range page.Events {
		kinds = append(kinds, e.Kind)
	}
	if want := []core.EventKind{core.EventSent, core.EventReceived, core.EventVisibility, core.EventDeleted}; !slices.Equal(kinds, want) {
		t.Errorf("the log tells %q, want %q", kinds, want)
	}
}

// TestFIFOInFlightIsCounted receives a backlog in which the messages in flight have to be counted now and then:
// no group is passed by.
func TestFIFOInFlightIsCounted(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store := open(t, pg.Options{URL: url, InFlightLimit: 100})
	pg.SweepNever(store)
	q := newFIFO(t, newBroker(t, store))
	for i := range 25 {
		q.sendTo(fmt.Sprint(i), fmt.Sprint(i))
	}
	for i := range 25 {
		if got := q.receiveFor(1, time.Hour); len(got) != 1 {
			t.Fatalf("receive %d got %d messages", i, len(got))
		}
	}
}

func TestFIFOHandleTwiceInOneTrain(t *testing.T) {
	t.Parallel()
	q := newFIFO(t, pgtest.Broker(t))
	q.sendTo("g", "a")
	m := q.one()
	if got := q.delete(false, m.Handle, m.Handle); got[0] != "" && got[1] != "" || got[0]+got[1] != core.MessageNotFound {
		t.Errorf("deleted twice: %q, want one to be deleted and the other not found", got)
	}
}

func TestFIFOHandleOfAnotherQueue(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	q, other, standard := newFIFO(t, broker), newFIFO(t, broker), newQueue(t, broker)
	q.sendTo("g", "a")
	standard.send("a")
	m, s := q.one(), standard.one()
	for _, tt := range []struct {
		q *testQueue
		m core.Message
	}{{other, m}, {standard, m}, {q, s}} {
		if got := tt.q.delete(false, tt.m.Handle); got[0] != core.ReceiptHandleInvalid {
			t.Errorf("delete by a handle of another queue: %q", got[0])
		}
	}
}

func TestFIFOSequence(t *testing.T) { // specs/sqs.md 5.4
	fifo(t, func(t *testing.T, q *testQueue) {
		var sent []core.Sent
		for i := range 5 {
			sent = append(sent, q.sendTo(fmt.Sprint("g", i%2), fmt.Sprint(i))...)
		}
		sent = append(sent, q.sendMessages(core.NewMessage{Body: []byte("5"), GroupID: "g0"}, core.NewMessage{Body: []byte("6"), GroupID: "g7"})...)
		bySequence := map[string]string{}
		for i, s := range sent {
			n, err := strconv.ParseUint(s.Sequence, 10, 64)
			if err != nil || len(s.Sequence) != 20 {
				t.Errorf("sequence %q: %v", s.Sequence, err)
			}
			if i > 0 {
				if before, _ := strconv.ParseUint(sent[i-1].Sequence, 10, 64); n <= before || s.Sequence <= sent[i-1].Sequence {
					t.Errorf("sequence %s follows %s", s.Sequence, sent[i-1].Sequence)
				}
			}
			bySequence[s.Sequence] = strconv.Itoa(i)
		}
		for _, m := range q.receive(10) {
			if bySequence[m.Sequence] != string(m.Body) {
				t.Errorf("message %s was received with the sequence of %s", m.Body, bySequence[m.Sequence])
			}
		}
	})
}

func TestFIFODelayedMessages(t *testing.T) { // specs/sqs.md 5.6, floci#2104
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g", "a")
		q.alter(core.QueueChange{Delay: ptr(time.Minute)})
		q.advance(time.Minute) // the change reaches back to what was sent before
		sent := q.sendTo("g", "b")
		if sent[0].Handle == "" || !sent[0].VisibleAt.Equal(sent[0].SentAt.Add(time.Minute)) {
			t.Errorf("sent %+v", sent[0])
		}
		q.wantCounts(1, 0, 1, 2)
		got := q.wantReceive("a") // b does not lock what is visible before it
		q.delete(false, got[0].Handle)
		q.wantReceive()
		q.advance(time.Minute)
		q.wantReceive("b")
	})
}

func TestFIFODelayHoldsWhatIsBehind(t *testing.T) {
	t.Parallel()
	q := newFIFO(t, pgtest.Broker(t))
	q.sendMessages(core.NewMessage{Body: []byte("a"), GroupID: "g", Delay: ptr(time.Minute)}, core.NewMessage{Body: []byte("b"), GroupID: "g"})
	q.sendTo("h", "c")
	q.wantReceive("c")
	q.advance(time.Minute)
	q.wantReceive("c", "a", "b")
}

func TestFIFODelayReachesBack(t *testing.T) {
	tests := map[string]struct {
		from, to, after time.Duration
		visible         int64
	}{
		"raised":                 {0, time.Minute, 0, 0},
		"raised, and over":       {0, time.Minute, time.Minute, 2},
		"raised further":         {time.Minute, 2 * time.Minute, time.Minute, 0},
		"raised further, over":   {time.Minute, 2 * time.Minute, 2 * time.Minute, 2},
		"lowered":                {2 * time.Minute, time.Minute, 30 * time.Second, 0},
		"lowered, and over":      {2 * time.Minute, time.Minute, time.Minute, 2},
		"taken away":             {time.Minute, 0, 0, 2},
		"the change of a moment": {time.Minute, 59 * time.Second, 59 * time.Second, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newFIFO(t, pgtest.Broker(t), func(s *core.Settings) { s.Delay = tt.from })
			q.sendTo("g", "a", "b")
			q.alter(core.QueueChange{Delay: &tt.to})
			if tt.after > 0 {
				q.advance(tt.after)
			}
			q.wantCounts(tt.visible, 0, 2-tt.visible, 2)
			if got := int64(len(q.receive(10))); got != tt.visible {
				t.Errorf("received %d messages, want %d", got, tt.visible)
			}
		})
	}
}

// A message that has waited for longer than a new delay is passed over, and a longer one reaches it all the same.
func TestFIFODelayReachesBackTwice(t *testing.T) {
	t.Parallel()
	q := newFIFO(t, pgtest.Broker(t))
	q.sendTo("g", "a")
	q.advance(time.Minute)
	q.alter(core.QueueChange{Delay: ptr(time.Minute)})
	q.wantCounts(1, 0, 0, 1)
	q.alter(core.QueueChange{Delay: ptr(time.Hour)})
	q.wantCounts(0, 0, 1, 1)
	q.wantReceive()
	q.advance(time.Hour)
	q.wantReceive("a")
}

// TestFIFODelayReachesFarBack: a new delay comes to more messages than one step gives it to, and to none that was received.
func TestFIFODelayReachesFarBack(t *testing.T) {
	t.Parallel()
	q := newFIFO(t, pgtest.Broker(t))
	const messages = 2*pg.DelayPageRows + core.MaxBatch
	for i := 0; i < messages; i += core.MaxBatch {
		batch := make([]core.NewMessage, core.MaxBatch)
		for n := range batch {
			batch[n] = core.NewMessage{Body: []byte("x"), GroupID: fmt.Sprint((i + n) % 300)}
		}
		q.sendMessages(batch...)
	}
	received := q.receiveFor(1, 0)[0]
	q.alter(core.QueueChange{Delay: ptr(time.Minute)})
	q.wantCounts(1, 0, messages-1, messages)
	if got := q.receiveFor(10, 0); len(got) != 1 || got[0].ID != received.ID {
		t.Errorf("received %d messages, want the one that had been received before", len(got))
	}
	q.alter(core.QueueChange{Delay: ptr(time.Duration(0))})
	q.wantCounts(messages, 0, 0, messages)
}

// TestFIFODelayThatDies: a server that dies while it gives a queue's messages their new delay leaves the rest to the same call
// again, to another change, or to a worker.
func TestFIFODelayThatDies(t *testing.T) {
	const messages = pg.DelayPageRows + core.MaxBatch
	alter := func(delay time.Duration) func(*testQueue, *pg.Store) {
		return func(q *testQueue, _ *pg.Store) { q.alter(core.QueueChange{Delay: &delay}) }
	}
	work := func(want int) func(*testQueue, *pg.Store) {
		return func(q *testQueue, store *pg.Store) {
			for _, want := range []int{want, 0} {
				if n, err := store.FinishDelays(context.Background(), 10); n != want || err != nil {
					q.t.Errorf("finished %d queues, %v, want %d", n, err, want)
				}
			}
		}
	}
	tests := map[string]struct {
		ago  time.Duration // since the dead server was at it
		goOn func(*testQueue, *pg.Store)
		want map[time.Duration]int // how many messages have a delay
	}{
		"the same call again":         {0, alter(time.Minute), map[time.Duration]int{time.Minute: messages}},
		"another change":              {0, alter(3 * time.Minute), map[time.Duration]int{3 * time.Minute: messages}},
		"back to what it was":         {0, alter(10 * time.Minute), map[time.Duration]int{10 * time.Minute: messages}},
		"a worker":                    {2 * time.Minute, work(1), map[time.Duration]int{time.Minute: messages}},
		"a worker, while it may live": {0, work(0), map[time.Duration]int{time.Minute: pg.DelayPageRows, 10 * time.Minute: core.MaxBatch}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := pgtest.New(t)
			q := newFIFO(t, newBroker(t, store), func(s *core.Settings) { s.Delay = 10 * time.Minute })
			for i := 0; i < messages; i += core.MaxBatch {
				q.sendMessages(slices.Repeat([]core.NewMessage{{Body: []byte("x"), GroupID: fmt.Sprint(i % 300)}}, core.MaxBatch)...)
			}
			conn := database(t, store.URL())
			var rest int64 // the last message that the server does not come to
			if err := conn.QueryRow(t.Context(), `SELECT max(sequence) FROM (SELECT sequence FROM fifo_messages ORDER BY sequence LIMIT $1) m`, core.MaxBatch).Scan(&rest); err != nil {
				t.Fatal(err)
			}
			execute(t, conn, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`)
			execute(t, conn, fmt.Sprintf(`CREATE TRIGGER die BEFORE UPDATE ON fifo_messages FOR EACH ROW WHEN (old.sequence <= %d) EXECUTE FUNCTION die()`, rest))
			if _, err := q.broker.AlterQueue(t.Context(), q.name, core.QueueChange{Delay: ptr(time.Minute)}); core.CodeOf(err) != core.Unavailable {
				t.Fatalf("the change that dies: %v", err)
			}
			execute(t, conn, `DROP TRIGGER die ON fifo_messages`)
			execute(t, conn, `UPDATE delay_changes SET touched_at = now() - $1::interval`, tt.ago)
			tt.goOn(q, store)
			rows, _ := conn.Query(t.Context(), `SELECT visible_at - sent_at, count(*) FROM fifo_messages GROUP BY 1`) // ForEachRow returns its error
			got := map[time.Duration]int{}
			var delay time.Duration
			var n int
			if _, err := pgx.ForEachRow(rows, []any{&delay, &n}, func() error { got[delay] = n; return nil }); err != nil || !maps.Equal(got, tt.want) {
				t.Errorf("got %v and %v, want %v", got, err, tt.want)
			}
			q.wantCounts(0, 0, messages, messages)
		})
	}
}

func TestFIFORetentionUnlocks(t *testing.T) { // specs/sqs.md 6.7
	fifo(t, func(t *testing.T, q *testQueue) {
		q.alter(core.QueueChange{Retention: ptr(time.Minute)})
		q.sendTo("g", "a")
		q.receiveFor(1, time.Hour)
		q.advance(30 * time.Second)
		q.sendTo("g", "b")
		q.wantReceive()
		q.advance(30 * time.Second)
		q.wantReceive("b")
		q.wantCounts(0, 1, 0, 1)
		q.advance(time.Minute)
		q.wantCounts(0, 0, 0, 0)
	})
}

// A group is no longer held up by what is past its retention, also before that is removed.
func TestFIFORetentionUnlocksByItself(t *testing.T) {
	t.Parallel()
	tests := map[string]func(q *testQueue, pass func(time.Duration)){
		"received for longer": func(q *testQueue, pass func(time.Duration)) {
			q.sendTo("g", "a")
			q.receiveFor(1, time.Hour)
			pass(30 * time.Second)
			q.sendTo("g", "b")
			pass(15 * time.Second)
			q.wantReceive()
			pass(15 * time.Second)
			q.wantReceive("b")
		},
		"hidden for longer": func(q *testQueue, pass func(time.Duration)) {
			q.sendTo("g", "a")
			q.hide(q.receive(1)[0].Handle, time.Hour)
			pass(30 * time.Second)
			q.sendTo("g", "b")
			pass(15 * time.Second)
			q.wantReceive()
			pass(15 * time.Second)
			q.wantReceive("b")
		},
		"with another that is in flight": func(q *testQueue, pass func(time.Duration)) {
			q.sendTo("g", "a")
			pass(20 * time.Second)
			q.sendTo("g", "b")
			q.receiveFor(2, time.Hour)
			pass(20 * time.Second)
			q.sendTo("g", "c")
			pass(20 * time.Second)
			q.wantReceive() // a is gone, b is not
			pass(20 * time.Second)
			q.wantReceive("c")
		},
		"with another that is visible before": func(q *testQueue, pass func(time.Duration)) {
			q.sendTo("g", "a")
			pass(20 * time.Second)
			q.sendTo("g", "b")
			q.hide(handleOf(q.receiveFor(2, 55*time.Second), "a"), time.Hour)
			pass(40 * time.Second)
			q.wantReceive() // a is gone, b is hidden for 15 s
			pass(15 * time.Second)
			q.wantReceive("b")
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := pgtest.New(t)
			q := newFIFO(t, newBroker(t, store), func(s *core.Settings) { s.Retention = time.Minute })
			test(q, func(by time.Duration) { // unlike AdvanceClock this removes nothing
				t.Helper()
				pgtest.Execute(t, store.URL(), `INSERT INTO clocks (account, ahead) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET ahead = clocks.ahead + excluded.ahead`,
					q.name.Account, by)
			})
		})
	}
}

func TestFIFORetentionShrinks(t *testing.T) { // what is expired and not yet removed does not hide what is behind it
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	for i := range 20 {
		q.sendTo(fmt.Sprint("g", i), "old")
	}
	q.sendTo("g0", "new")
	q.advance(2 * time.Minute)
	q.sendTo("g0", "newer")
	q.sendTo("h", "other")
	q.alter(core.QueueChange{Retention: ptr(time.Minute)})
	got := pgtest.Bodies(slices.Concat(q.receive(1), q.receive(1), q.receive(1)))
	slices.Sort(got)
	if want := []string{"newer", "other"}; !slices.Equal(got, want) {
		t.Errorf("received %q, want %q", got, want)
	}
	if _, err := store.ExpireMessages(context.Background(), 1000); err != nil {
		t.Fatal(err)
	}
	q.wantCounts(0, 2, 0, 10)
}

func TestFIFOPurge(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		send := func() core.Sent {
			return q.sendMessages(core.NewMessage{Body: []byte("a"), GroupID: "g", DeduplicationID: "d"})[0]
		}
		send()
		q.receive(1)
		q.sendTo("g", "b")
		q.purge()
		q.wantCounts(0, 0, 0, 0)
		q.wantReceive()
		if send().Duplicate {
			t.Error("the purge did not forget what was sent")
		}
		q.wantReceive("a")
	})
}

func TestFIFODeleteAndCreate(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	q.sendMessages(core.NewMessage{Body: []byte("a"), GroupID: "g", DeduplicationID: "d"})
	q.receive(1)
	if err := q.broker.DeleteQueue(context.Background(), q.name); err != nil {
		t.Fatal(err)
	}
	if _, _, err := q.broker.CreateQueue(context.Background(), core.NewQueue{Name: q.name, FIFO: true, Settings: core.DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	q.wantReceive()
	if sent := q.sendMessages(core.NewMessage{Body: []byte("b"), GroupID: "g", DeduplicationID: "d"}); sent[0].Duplicate {
		t.Error("a new queue remembers what an old one of its name was sent")
	}
	q.wantReceive("b")
	for {
		n, err := store.RemoveDropped(context.Background(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	var messages, groups int
	if err := database(t, store.URL()).QueryRow(context.Background(), `SELECT (SELECT count(*) FROM fifo_messages), (SELECT count(*) FROM groups)`).Scan(&messages, &groups); err != nil {
		t.Fatal(err)
	}
	if messages != 1 || groups != 1 {
		t.Errorf("%d messages and %d groups are left, want those of the new queue", messages, groups)
	}
}

func TestFIFOPeek(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g", "a", "b")
		q.sendTo("h", "c")
		q.receive(1)
		if got := bodies(peekAll(q, false)); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("peeked at %q, want b c", got)
		}
		if got := bodies(peekAll(q, true)); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("peeked at %q with those hidden, want a b c", got)
		}
		q.wantReceive("c")
	})
}

func TestFIFOGiveBack(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.sendTo("g", "a", "b", "c")
		got := q.receive(2)
		q.giveBack(got...)
		q.wantCounts(3, 0, 0, 3)
		again := q.wantReceive("a", "b", "c")
		if again[0].ReceiveCount != 1 || again[0].Handle == got[0].Handle {
			t.Errorf("received %d times after it was given back", again[0].ReceiveCount)
		}
	})
}

func TestFIFOMessageFields(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		sent := q.sendMessages(core.NewMessage{
			Body: []byte("a"), Form: core.FormBase64, GroupID: "g", DeduplicationID: "d", Sender: "AIDA", Priority: 3,
			Attributes: []core.Attribute{{Name: "n", Type: "String", Value: []byte("v")}}, System: map[string]string{"AWSTraceHeader": "t"},
		})[0]
		m := q.one()
		if m.ID != sent.ID || m.Sequence != sent.Sequence || m.GroupID != "g" || m.DeduplicationID != "d" || m.Sender != "AIDA" || m.Priority != 3 ||
			m.Form != core.FormBase64 || m.System["AWSTraceHeader"] != "t" || len(m.Attributes) != 1 || !m.SentAt.Equal(sent.SentAt) || m.Size != 9 {
			t.Errorf("received %+v, sent %+v", m, sent)
		}
	})
}

func TestFIFONeedsAGroup(t *testing.T) {
	t.Parallel()
	q := newFIFO(t, pgtest.Broker(t))
	_, err := q.broker.SendMessages(context.Background(), core.SendInput{Queue: q.name, Messages: []core.NewMessage{{Body: []byte("a"), GroupID: "g"}, {Body: []byte("b")}}})
	if core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("sent without a group: %v", err)
	}
	q.wantCounts(0, 0, 0, 0)
}

func TestFIFOWakesReceivers(t *testing.T) { // specs/sqs.md 6.4
	tests := map[string]func(q *testQueue, held core.Message){
		"a delete of the head":       func(q *testQueue, m core.Message) { q.delete(false, m.Handle) },
		"a visibility timeout of 0":  func(q *testQueue, m core.Message) { q.hide(m.Handle, 0) },
		"a visibility timeout's end": func(q *testQueue, m core.Message) { q.hide(m.Handle, time.Second) },
		"a send to another group":    func(q *testQueue, _ core.Message) { q.sendTo("h", "x") },
		"the end of a delay": func(q *testQueue, _ core.Message) {
			q.sendMessages(core.NewMessage{Body: []byte("x"), GroupID: "h", Delay: ptr(time.Second)})
		},
		"the clock":                    func(q *testQueue, _ core.Message) { q.advance(time.Minute) },
		"a message that is given back": func(q *testQueue, m core.Message) { q.giveBack(m) },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, brokers := servers(t, pg.Options{})
			q := newFIFO(t, brokers[0])
			q.sendTo("g", "a", "b")
			held := q.receive(1)[0]
			var waiting sync.WaitGroup
			for _, broker := range brokers {
				waiting.Go(func() {
					messages, err := broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: q.name, Limit: 1, VisibilityTimeout: ptr(time.Duration(0)), Wait: ptr(core.MaxReceiveWait)})
					if err != nil || len(messages) != 1 {
						t.Errorf("a waiting receive got %d messages: %v", len(messages), err)
					}
				})
			}
			do(q, held)
			waiting.Wait()
		})
	}
}
