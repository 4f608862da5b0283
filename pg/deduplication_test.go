package pg_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// sendID sends one message with a deduplication id.
func (q *testQueue) sendID(group, id, body string) core.Sent {
	q.t.Helper()
	return q.sendMessages(core.NewMessage{Body: []byte(body), GroupID: group, DeduplicationID: id})[0]
}

func TestDeduplication(t *testing.T) { // specs/sqs.md 7.1
	fifo(t, func(t *testing.T, q *testQueue) {
		first := q.sendID("g", "d", "a")
		again := q.sendID("g", "d", "other")
		if first.Duplicate || !again.Duplicate || again.ID != first.ID || again.Sequence != first.Sequence || !again.SentAt.Equal(first.SentAt) {
			t.Errorf("sent %+v, then %+v", first, again)
		}
		if other := q.sendID("h", "d", "b"); !other.Duplicate { // an id is the queue's
			t.Errorf("sent to another group: %+v", other)
		}
		m := q.one()
		if string(m.Body) != "a" || m.DeduplicationID != "d" {
			t.Errorf("received %q with id %q", m.Body, m.DeduplicationID)
		}
		q.delete(false, m.Handle)
		if gone := q.sendID("g", "d", "c"); !gone.Duplicate || gone.ID != first.ID { // it outlives the message
			t.Errorf("sent after the delete: %+v", gone)
		}
		q.wantReceive()
		q.wantCounts(0, 0, 0, 0)
	})
}

func TestDeduplicationWindow(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		after []time.Duration // of the sends of one id, each since the one before
		want  int             // messages
	}{
		"within the window":                 {[]time.Duration{0, 5*time.Minute - 10*time.Second}, 1},
		"behind it":                         {[]time.Duration{0, 5 * time.Minute}, 2},
		"a duplicate does not extend it":    {[]time.Duration{0, 2 * time.Minute, 3 * time.Minute}, 2},
		"and the next one counts from then": {[]time.Duration{0, 5 * time.Minute, 4 * time.Minute, time.Minute}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newFIFO(t, pgtest.Broker(t))
			for _, after := range tt.after {
				if after > 0 {
					q.advance(after)
				}
				q.sendID("g", "d", "a")
			}
			if got := len(q.receive(10)); got != tt.want {
				t.Errorf("received %d messages, want %d", got, tt.want)
			}
		})
	}
}

func TestDeduplicationScope(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		q.alter(core.QueueChange{DeduplicationScope: ptr(core.DeduplicateInGroup)})
		q.sendID("g", "d", "a")
		if q.sendID("h", "d", "b").Duplicate {
			t.Error("the other group's id is a duplicate")
		}
		if !q.sendID("g", "d", "c").Duplicate {
			t.Error("the same group's id is none")
		}
		q.wantReceive("a", "b")
	})
}

func TestDeduplicationWithinOneCall(t *testing.T) {
	fifo(t, func(t *testing.T, q *testQueue) {
		message := func(body, id string) core.NewMessage {
			return core.NewMessage{Body: []byte(body), GroupID: "g", DeduplicationID: id}
		}
		sent := q.sendMessages(message("a", "1"), message("b", "2"), message("c", "1"), message("d", ""), message("e", "1"), message("f", ""))
		var duplicates []int
		for i, s := range sent {
			if s.Duplicate {
				duplicates = append(duplicates, i)
				if s.ID != sent[0].ID || s.Sequence != sent[0].Sequence {
					t.Errorf("message %d is a duplicate of another than the first", i)
				}
			}
		}
		if !slices.Equal(duplicates, []int{2, 4}) {
			t.Errorf("the duplicates are %v", duplicates)
		}
		q.wantReceive("a", "b", "d", "f")
		q.wantCounts(0, 4, 0, 4)
	})
}

func TestDeduplicationWithinOneTrain(t *testing.T) {
	t.Parallel()
	_, stores, brokers := servers(t, pg.Options{})
	q := newFIFO(t, brokers[0])
	other := q.through(brokers[1])
	q.sendID("g", "warm", "up") // so that both know the queue
	other.sendID("g", "warm", "up")
	release := pg.HoldTrains(stores[0])
	const callers = 20
	results := make(chan core.Sent, 2*callers)
	for i := range callers {
		go func() { results <- q.sendID(fmt.Sprint("g", i), "d", "a") }()
	}
	eventually(t, "all wait", func() bool { return pg.Waiting(stores[0]) == callers })
	for range callers {
		go func() { results <- other.sendID("h", "d", "a") }()
	}
	release()
	var stored []core.Sent
	ids := map[core.MessageID]bool{}
	for range 2 * callers {
		s := <-results
		ids[s.ID] = true
		if !s.Duplicate {
			stored = append(stored, s)
		}
	}
	if len(stored) != 1 || len(ids) != 1 {
		t.Errorf("%d of %d sends of one id were stored, under %d ids", len(stored), 2*callers, len(ids))
	}
	q.wantReceive("up", "a")
	conn := database(t, stores[0].URL())
	eventually(t, "groups made for duplicates are gone", func() bool {
		var groups int
		if err := conn.QueryRow(context.Background(), `SELECT count(*) FROM groups`).Scan(&groups); err != nil {
			t.Fatal(err)
		}
		return groups == 2
	})
}

// TestDeduplicationOfAChangedQueue sends while the queue changes under the server's view of it: what is then sent
// anew is no duplicate of what was not stored.
func TestDeduplicationOfAChangedQueue(t *testing.T) {
	t.Parallel()
	_, _, brokers := servers(t, pg.Options{})
	q := newFIFO(t, brokers[0])
	other := q.through(brokers[1])
	for i := range 30 {
		done := make(chan core.Sent)
		go func() { done <- q.sendID("g", fmt.Sprint(i), fmt.Sprint(i)) }()
		if i%2 == 0 {
			other.alter(core.QueueChange{VisibilityTimeout: ptr(time.Duration(i+1) * time.Second)})
		} else {
			other.purge()
		}
		if sent := <-done; sent.Duplicate {
			t.Errorf("message %d is a duplicate", i)
		}
		q.purge()
	}
}

func TestRemoveIDs(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	for i := range 5 {
		q.sendID("g", fmt.Sprint(i), "a")
	}
	q.receiveWith(core.ReceiveInput{Limit: 1, AttemptID: "1", Wait: ptr(time.Duration(0))})
	if n, err := store.RemoveIDs(context.Background(), 10); n != 0 || err != nil {
		t.Fatalf("removed %d fresh ids: %v", n, err)
	}
	conn := database(t, store.URL())
	execute(t, conn, `UPDATE deduplication SET written_at = written_at - interval '5 minutes'`)
	execute(t, conn, `UPDATE receive_attempts SET written_at = written_at - interval '5 minutes'`)
	for _, want := range []int{3, 2, 1, 0} {
		if n, err := store.RemoveIDs(context.Background(), 2); n != want || err != nil {
			t.Fatalf("removed %d ids, want %d: %v", n, want, err)
		}
	}
}

// attempt receives with an attempt's id.
func (q *testQueue) attempt(id string, limit int, timeout time.Duration) []core.Message {
	q.t.Helper()
	return q.receiveWith(core.ReceiveInput{Limit: limit, AttemptID: id, VisibilityTimeout: &timeout, Wait: ptr(time.Duration(0))})
}

func TestAttemptIsRepeated(t *testing.T) { // specs/sqs.md 7.3
	t.Parallel()
	for name, pooled := range map[string]bool{"direct": false, "pooled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.DatabaseURL(t)
			store := open(t, pg.Options{URL: url, DirectURL: url, Pooled: pooled})
			q := newFIFO(t, newBroker(t, store))
			other := q.through(newBroker(t, open(t, pg.Options{URL: url, DirectURL: url, Pooled: pooled})))
			q.sendTo("g", "a", "b", "c")
			q.sendTo("h", "d")
			first := q.attempt("1", 2, time.Minute)
			q.advance(30 * time.Second)
			again := other.attempt("1", 2, time.Minute)
			if !slices.Equal(bodies(again), []string{"a", "b"}) || !slices.Equal(handlesOf(again), handlesOf(first)) || again[0].ReceiveCount != 1 {
				t.Fatalf("received %q and then %q with other handles or counts", bodies(first), bodies(again))
			}
			q.wantCounts(2, 2, 0, 4)
			q.advance(45 * time.Second) // the second attempt hid them anew
			q.wantReceive("d")
			if got := q.delete(false, again[0].Handle); got[0] != "" {
				t.Errorf("delete: %s", got[0])
			}
			q.wantCounts(1, 2, 0, 3)
		})
	}
}

func TestAttemptIsOver(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do   func(q *testQueue, first []core.Message)
		want []string
	}{
		"one was deleted":     {func(q *testQueue, m []core.Message) { q.delete(false, m[0].Handle) }, []string{"c"}},
		"one was changed":     {func(q *testQueue, m []core.Message) { q.hide(m[1].Handle, 2*time.Hour) }, []string{"c"}},
		"all are visible":     {func(q *testQueue, _ []core.Message) { q.advance(time.Minute) }, []string{"c", "a", "b"}},
		"received by another": {func(q *testQueue, _ []core.Message) { q.advance(time.Minute); q.receiveFor(10, time.Hour) }, nil},
		"another id":          {nil, []string{"c"}},
		"purged":              {func(q *testQueue, _ []core.Message) { q.purge(); q.sendTo("g", "new") }, []string{"new"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newFIFO(t, pgtest.Broker(t))
			q.sendTo("g", "a", "b")
			first := q.attempt("1", 2, time.Minute)
			q.sendTo("h", "c")
			id := "2"
			if tt.do != nil {
				id = "1"
				tt.do(q, first)
			}
			if got := bodies(q.attempt(id, 10, time.Minute)); !slices.Equal(got, tt.want) {
				t.Errorf("received %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("after the window", func(t *testing.T) {
		t.Parallel()
		q := newFIFO(t, pgtest.Broker(t))
		q.sendTo("g", "a")
		q.attempt("1", 2, time.Hour)
		q.advance(core.DeduplicationWindow)
		if got := q.attempt("1", 10, time.Minute); len(got) != 0 {
			t.Errorf("received %q again", bodies(got))
		}
	})
}

func TestAttemptsOfOneIDAtOnce(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	q.sendTo("g", "a")
	q.sendTo("h", "b")
	release := pg.HoldTrains(store)
	results := make(chan []core.Message, 2)
	for range 2 {
		go func() { results <- q.attempt("1", 1, time.Minute) }()
	}
	eventually(t, "both wait", func() bool { return pg.Waiting(store) == 2 })
	release()
	got := append(bodies(<-results), bodies(<-results)...)
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b"}) { // both began before either had received
		t.Errorf("received %q", got)
	}
	if again := q.attempt("1", 1, time.Minute); len(again) != 1 {
		t.Errorf("received %q by the same id later", bodies(again))
	}
}
