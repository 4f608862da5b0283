package pg_test

import (
	"bytes"
	"context"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

func TestReceiveGivesWhatWasSent(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		messages := []core.NewMessage{
			{Body: []byte("plain")},
			{Body: []byte{}},
			{},
			{
				Body: []byte("aGVsbG8="), Form: core.FormBase64, Priority: 3, GroupID: "tenant", Sender: "AIDAEXAMPLE",
				Attributes: []core.Attribute{
					{Name: "binary", Type: "Binary.png", Value: []byte{0, 1, 0xFF}},
					{Name: "empty", Type: "Binary", Value: []byte{}},
					{Name: "number", Type: "Number", Value: []byte("1.50")},
					{Name: "text", Type: "String.<>&", Value: []byte("grüße\n\"'<>&\u2028")},
				},
				System: map[string]string{"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"},
			},
			{Body: bytes.Repeat([]byte{0, 0xFF, '\\', '\''}, 1000), Form: core.FormRaw, Priority: core.MaxPriority},
		}
		sent := q.sendMessages(messages...)
		got := q.receive(10)
		if len(got) != len(messages) {
			t.Fatalf("received %d messages, want %d", len(got), len(messages))
		}
		for i, place := range []int{3, 0, 1, 2, 4} { // by priority
			checkReceived(t, got[i], messages[place], sent[place], q.name.Account)
		}
	})
}

// checkReceived compares a message that was received for the first time with what was sent.
func checkReceived(t *testing.T, got core.Message, m core.NewMessage, sent core.Sent, account string) {
	t.Helper()
	if got.ID != sent.ID || !got.SentAt.Equal(sent.SentAt) {
		t.Errorf("id %s of %v, want %s of %v", got.ID.UUID(), got.SentAt, sent.ID.UUID(), sent.SentAt)
	}
	if !bytes.Equal(got.Body, m.Body) || got.Form != m.Form || got.GroupID != m.GroupID || got.Size != m.Size() {
		t.Errorf("body %q, form %d, group %q, size %d; want %q, %d, %q, %d", got.Body, got.Form, got.GroupID, got.Size, m.Body, m.Form, m.GroupID, m.Size())
	}
	if len(got.Attributes) != len(m.Attributes) || len(m.Attributes) > 0 && !reflect.DeepEqual(got.Attributes, m.Attributes) || !maps.Equal(got.System, m.System) {
		t.Errorf("attributes %v and %v, want %v and %v", got.Attributes, got.System, m.Attributes, m.System)
	}
	wantSender, wantPriority := m.Sender, m.Priority
	if wantSender == "" {
		wantSender = account
	}
	if wantPriority == 0 {
		wantPriority = core.DefaultPriority
	}
	if got.Sender != wantSender || got.Priority != wantPriority || got.Source != "" || got.Sequence != "" {
		t.Errorf("sender %q, priority %d, source %q, sequence %q", got.Sender, got.Priority, got.Source, got.Sequence)
	}
	if got.ReceiveCount != 1 || got.FirstReceivedAt.Before(got.SentAt) || got.VisibleAt.Sub(got.FirstReceivedAt) != 30*time.Second {
		t.Errorf("received %d times, first at %v, visible at %v, sent at %v", got.ReceiveCount, got.FirstReceivedAt, got.VisibleAt, got.SentAt)
	}
}

func TestVisibilityTimeout(t *testing.T) {
	tests := map[string]struct {
		timeout *time.Duration // nil: the queue's 30 s
		after   time.Duration
		want    int
	}{
		"the queue's, in flight": {nil, 15 * time.Second, 0},
		"the queue's, back":      {nil, 30 * time.Second, 1},
		"its own, in flight":     {ptr(time.Hour), 59 * time.Minute, 0},
		"its own, back":          {ptr(time.Hour), time.Hour, 1},
		"the longest, in flight": {ptr(core.MaxVisibilityTimeout), core.MaxVisibilityTimeout - time.Minute, 0},
		"the longest, back":      {ptr(core.MaxVisibilityTimeout), core.MaxVisibilityTimeout, 1},
		"none":                   {ptr(time.Duration(0)), 0, 1},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				q := newQueue(t, broker)
				q.send("a")
				first := q.receiveWith(core.ReceiveInput{Limit: 1, VisibilityTimeout: tt.timeout, Wait: ptr(time.Duration(0))})
				q.advance(tt.after)
				again := q.receive(1)
				if len(first) != 1 || len(again) != tt.want {
					t.Fatalf("received %d and %d messages, want 1 and %d", len(first), len(again), tt.want)
				}
				if tt.want == 0 {
					return
				}
				if m := again[0]; m.ID != first[0].ID || m.Handle == first[0].Handle || m.ReceiveCount != 2 || !m.FirstReceivedAt.Equal(first[0].FirstReceivedAt) {
					t.Errorf("second receive %+v after %+v", m, first[0])
				}
			})
		}
	})
}

func TestDelay(t *testing.T) {
	tests := map[string]struct {
		queue   time.Duration
		message *time.Duration
		after   time.Duration
		want    int
	}{
		"none":                      {0, nil, 0, 1},
		"the message's, not over":   {0, ptr(time.Minute), 30 * time.Second, 0},
		"the message's, over":       {0, ptr(time.Minute), time.Minute, 1},
		"the queue's, not over":     {time.Minute, nil, 30 * time.Second, 0},
		"the queue's, over":         {time.Minute, nil, time.Minute, 1},
		"0 overrides the queue's":   {time.Minute, ptr(time.Duration(0)), 0, 1},
		"more than the queue's":     {time.Minute, ptr(time.Hour), 59 * time.Minute, 0},
		"the longest, not over":     {0, ptr(core.MaxDelay), core.MaxDelay - time.Minute, 0},
		"the longest, over":         {0, ptr(core.MaxDelay), core.MaxDelay, 1},
		"less than any clock tells": {0, ptr(time.Nanosecond), 0, 1},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				q := newQueue(t, broker, func(s *core.Settings) { s.Delay, s.Retention = tt.queue, core.MaxRetention })
				sent := q.sendMessages(core.NewMessage{Body: []byte("a"), Delay: tt.message})[0]
				if delayed := sent.VisibleAt.After(sent.SentAt); delayed != (sent.Handle != "") {
					t.Errorf("handle %q of a message sent at %v and visible at %v", sent.Handle, sent.SentAt, sent.VisibleAt)
				}
				q.advance(tt.after)
				got := q.receive(1)
				if len(got) != tt.want {
					t.Fatalf("received %d messages, want %d", len(got), tt.want)
				}
				if tt.want == 1 && got[0].ReceiveCount != 1 {
					t.Errorf("receive count %d, want 1", got[0].ReceiveCount)
				}
			})
		}
	})
}

func TestHandleOfADelayedMessage(t *testing.T) {
	delayed := core.NewMessage{Body: []byte("a"), Delay: ptr(time.Minute)}
	tests := map[string]func(t *testing.T, q *testQueue, handle string){
		"deletes": func(t *testing.T, q *testQueue, handle string) {
			if got := q.delete(true, handle); got[0] != "" {
				t.Errorf("delete: %s", got[0])
			}
			q.advance(time.Hour)
			q.wantReceive()
			q.wantCounts(0, 0, 0, 0)
		},
		"makes visible": func(t *testing.T, q *testQueue, handle string) {
			if got := q.hide(handle, 0); got.Err != nil {
				t.Errorf("change visibility: %v", got.Err)
			}
			q.wantCounts(1, 0, 0, 1)
			if m := q.one(); m.ReceiveCount != 1 {
				t.Errorf("receive count %d, want 1", m.ReceiveCount)
			}
		},
		"delays further": func(t *testing.T, q *testQueue, handle string) {
			q.hide(handle, time.Hour)
			q.advance(59 * time.Minute)
			q.wantReceive()
			q.wantCounts(0, 0, 1, 1)
			q.advance(time.Minute)
			q.wantReceive("a")
		},
		"is superseded by a receive": func(t *testing.T, q *testQueue, handle string) {
			q.advance(time.Minute)
			q.one()
			if got := q.delete(true, handle); got[0] != core.ReceiptHandleSuperseded {
				t.Errorf("delete: %q, want superseded", got[0])
			}
		},
		"cannot be given back": func(t *testing.T, q *testQueue, handle string) {
			if _, err := q.broker.ReturnMessages(context.Background(), q.name, []core.Message{{Handle: handle}}); err != nil {
				t.Errorf("return: %v", err)
			}
			q.wantCounts(0, 0, 1, 1)
			q.advance(time.Minute)
			if m := q.one(); m.ReceiveCount != 1 {
				t.Errorf("receive count %d, want 1", m.ReceiveCount)
			}
		},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				q := newQueue(t, broker)
				test(t, q, q.sendMessages(delayed)[0].Handle)
			})
		}
	})
}

func TestRetention(t *testing.T) {
	const week = 7 * 24 * time.Hour
	tests := map[string]struct {
		retention time.Duration                                 // when the message is sent
		do        func(t *testing.T, q *testQueue, m core.Sent) // between sending and looking
		want      bool                                          // it is still there
	}{
		"not over": {week, func(t *testing.T, q *testQueue, _ core.Sent) { q.advance(week - time.Minute) }, true},
		"over":     {week, func(t *testing.T, q *testQueue, _ core.Sent) { q.advance(week) }, false},
		"shortened for what was sent before": {week, func(t *testing.T, q *testQueue, _ core.Sent) {
			q.advance(time.Hour)
			q.alter(core.QueueChange{Retention: ptr(time.Hour)})
		}, false},
		"lengthened for what was sent before": {time.Hour, func(t *testing.T, q *testQueue, _ core.Sent) {
			q.advance(59 * time.Minute)
			q.alter(core.QueueChange{Retention: ptr(week)})
			q.advance(time.Hour)
		}, true},
		"over while in flight": {time.Hour, func(t *testing.T, q *testQueue, _ core.Sent) {
			q.receiveFor(1, 2*time.Hour)
			q.advance(2 * time.Hour)
		}, false},
		"not over when back": {3 * time.Hour, func(t *testing.T, q *testQueue, _ core.Sent) {
			q.receiveFor(1, 2*time.Hour)
			q.advance(2 * time.Hour)
		}, true},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				q := newQueue(t, broker, func(s *core.Settings) { s.Retention = tt.retention })
				tt.do(t, q, q.send("a")[0])
				if tt.want {
					q.wantCounts(1, 0, 0, 1)
					q.wantReceive("a")
					return
				}
				q.wantReceive()
				if got := peekAll(q, true); len(got) != 0 {
					t.Errorf("peeked at %d messages", len(got))
				}
				if _, err := store.ExpireMessages(context.Background(), 100); err != nil {
					t.Fatal(err)
				}
				q.wantCounts(0, 0, 0, 0)
			})
		}
	})
}

func TestMessagesExpireInFlight(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store), func(s *core.Settings) { s.Retention = time.Hour })
		q.sendMessages(core.NewMessage{Body: []byte("in flight")}, core.NewMessage{Body: []byte("delayed"), Delay: ptr(5 * time.Hour)}, core.NewMessage{Body: []byte("visible")})
		m := q.receiveFor(1, 10*time.Hour)[0]
		q.advance(59 * time.Minute)
		q.wantCounts(1, 1, 1, 23)
		q.advance(time.Minute)
		q.wantCounts(0, 0, 0, 0)
		if got := q.delete(false, m.Handle); got[0] != core.MessageNotFound {
			t.Errorf("delete: %q, want MessageNotFound", got[0])
		}
	})
}

// A longer retention reaches back also to what receives have passed by.
func TestLongerRetentionBringsBack(t *testing.T) {
	t.Parallel()
	url, _, brokers := servers(t, pg.Options{})
	q := newQueue(t, brokers[0], func(s *core.Settings) { s.Retention = time.Hour })
	other := q.through(brokers[1])
	q.send("a", "b")
	execute(t, database(t, url), `UPDATE messages SET sent_at = sent_at - interval '2 hours'`)
	q.wantReceive()
	other.wantReceive()
	q.alter(core.QueueChange{Retention: ptr(3 * time.Hour)})
	if got := q.receive(1); len(got) != 1 {
		t.Errorf("received %d messages through this server, want 1", len(got))
	}
	eventually(t, "the other server has heard of the change", func() bool { return len(other.receive(1)) == 1 })
}

func TestOrder(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		t.Run("of sending", func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, broker)
			var want []string
			for i := range 60 {
				body := string(rune('0' + i))
				want = append(want, body)
				if i%7 != 0 {
					continue
				}
				q.send(want[max(0, len(want)-7):]...)
			}
			want = want[:57]
			if got := bodies(q.receive(20)); !slices.Equal(got, want[:20]) {
				t.Errorf("received %q, want %q", got, want[:20])
			}
			q.wantReceive(want[20:]...)
		})
		t.Run("of priorities", func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, broker)
			for _, p := range []int{16, 8, 1, 0, 16, 2, 1} {
				q.sendMessages(core.NewMessage{Body: []byte{byte('a' + p)}, Priority: p})
			}
			if got := bodies(q.receive(4)); !slices.Equal(got, []string{"b", "b", "c", "i"}) {
				t.Errorf("received %q first", got)
			}
			q.sendMessages(core.NewMessage{Body: []byte("urgent"), Priority: 1})
			q.wantReceive("urgent", "a", "q", "q")
		})
		t.Run("of becoming visible", func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, broker)
			q.sendMessages(core.NewMessage{Body: []byte("delayed"), Delay: ptr(time.Hour)})
			q.send("received")
			q.receiveFor(1, 2*time.Hour)
			q.advance(30 * time.Minute)
			q.send("plain")
			q.advance(2 * time.Hour)
			q.wantReceive("plain", "delayed", "received")
		})
		t.Run("of sending, of what became visible at once", func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, broker)
			q.send("a", "b")
			at := q.send("c")[0].VisibleAt
			conn := database(t, store.URL())
			for _, body := range []string{"c", "b", "a"} { // in the order of their places in the table the index has them, too
				execute(t, conn, `UPDATE messages SET visible_at = $1 WHERE body = $2 AND storage_id = (SELECT storage_id FROM queues WHERE account = $3)`, at, []byte(body), q.name.Account)
			}
			q.wantReceive("a", "b", "c")
		})
	})
}

func TestReceiveLimit(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		for range 3 {
			q.send(repeat("a", core.MaxBatch)...)
		}
		for _, want := range []struct{ limit, n int }{{1, 1}, {99, 99}, {100, 100}, {100, 100}, {1, 0}} {
			if got := q.receive(want.limit); len(got) != want.n {
				t.Errorf("received %d messages of %d asked for, want %d", len(got), want.limit, want.n)
			}
		}
	})
}
