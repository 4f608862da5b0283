package pg_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func bodies(messages []core.Message) []string { return pgtest.Bodies(messages) }

// peekAll peeks page by page, two messages each.
func peekAll(q *testQueue, hidden bool) []core.Message {
	q.t.Helper()
	var all []core.Message
	in := core.PeekInput{Queue: q.name, Limit: 2, Hidden: hidden}
	for {
		page, err := q.broker.PeekMessages(context.Background(), in)
		if err != nil {
			q.t.Fatalf("peek: %v", err)
		}
		all = append(all, page.Messages...)
		if page.Next == "" {
			return all
		}
		if len(page.Messages) != in.Limit {
			q.t.Fatalf("a page of %d messages that is not the last", len(page.Messages))
		}
		in.After = page.Next
	}
}

func TestPeek(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		if got := peekAll(q, true); len(got) != 0 {
			t.Errorf("peeked into an empty queue and saw %q", bodies(got))
		}
		q.send("in flight 1", "in flight 2")
		received := q.receiveFor(2, time.Hour)
		q.sendMessages(core.NewMessage{Body: []byte("delayed"), Delay: ptr(30 * time.Minute)})
		q.sendMessages(core.NewMessage{Body: []byte("urgent"), Priority: 1}, core.NewMessage{Body: []byte("idle"), Priority: 16})
		q.send("a", "b", "c")

		want := []string{"urgent", "a", "b", "c", "idle"}
		if got := bodies(peekAll(q, false)); !slices.Equal(got, want) {
			t.Errorf("visible: %q, want %q", got, want)
		}
		all := peekAll(q, true)
		want = []string{"urgent", "a", "b", "c", "delayed", "in flight 1", "in flight 2", "idle"}
		if got := bodies(all); !slices.Equal(got, want) {
			t.Errorf("all: %q, want %q", got, want)
		}
		for _, m := range all {
			wantCount := 0
			if m.ID == received[0].ID || m.ID == received[1].ID {
				wantCount = 1
			}
			if m.Handle != "" || m.ReceiveCount != wantCount || m.FirstReceivedAt.IsZero() != (wantCount == 0) || m.Sender != q.name.Account {
				t.Errorf("peeked at %s: %+v", m.Body, m)
			}
		}
		q.wantReceive("urgent", "a", "b", "c", "idle") // nothing was changed
	})
}

func TestPeekRefusesCursorsThatAreNone(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		for _, after := range []string{"x", "1-2", "99999-1-1", "1-99999999999999999999-1", "1--9223372036854775808-1", "1-1-\x00", "-1-0-0"} {
			_, err := q.broker.PeekMessages(context.Background(), core.PeekInput{Queue: q.name, Limit: 1, After: after})
			if core.CodeOf(err) != core.InvalidArgument {
				t.Errorf("after %q: %v, want InvalidArgument", after, err)
			}
		}
		for _, after := range []string{"16-9223372036854775807-9223372036854775807", "0-0-0"} {
			if _, err := q.broker.PeekMessages(context.Background(), core.PeekInput{Queue: q.name, Limit: 1, After: after}); err != nil {
				t.Errorf("after %q: %v", after, err)
			}
		}
	})
}

// Messages that become visible at the same moment are told apart by their ids.
func TestPeekPagesThroughOneMoment(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.sendMessages(repeat(core.NewMessage{Body: []byte("a"), Delay: ptr(time.Hour)}, 7)...)
		seen := map[core.MessageID]bool{}
		for _, m := range peekAll(q, true) {
			seen[m.ID] = true
		}
		if len(seen) != 7 {
			t.Errorf("saw %d messages, want 7", len(seen))
		}
	})
}
