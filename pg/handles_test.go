package pg_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// TestHandles says for each state of a handle what deleting and changing visibility with it give,
// where any handle of a message will do and where only its newest one does.
func TestHandles(t *testing.T) {
	const (
		invalid    = core.ReceiptHandleInvalid
		gone       = core.MessageNotFound
		superseded = core.ReceiptHandleSuperseded
		expired    = core.ReceiptHandleExpired
	)
	tests := map[string]struct {
		handle      func(q *testQueue) string
		any, newest core.Code // "": it works
	}{
		"in flight": {func(q *testQueue) string { return q.receive(1)[0].Handle }, "", ""},
		"visibility changed": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.hide(handle, time.Hour)
			q.advance(59 * time.Minute)
			return handle
		}, "", ""},
		"rotated, the new one": {func(q *testQueue) string { return q.rotate(q.receive(1)[0].Handle) }, "", ""},
		"rotated, the old one": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.rotate(handle)
			return handle
		}, "", superseded},
		"received again": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.advance(time.Minute)
			q.receive(1)
			return handle
		}, "", superseded},
		"expired": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.advance(30 * time.Second)
			return handle
		}, "", expired},
		"not yet expired": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.advance(15 * time.Second)
			return handle
		}, "", ""},
		"made visible": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.hide(handle, 0)
			return handle
		}, "", expired},
		"given back": {func(q *testQueue) string {
			messages := q.receive(1)
			q.giveBack(messages...)
			return messages[0].Handle
		}, "", superseded},
		"deleted": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.delete(true, handle)
			return handle
		}, gone, gone},
		"past its retention": {func(q *testQueue) string {
			handle := q.receiveFor(1, 12*time.Hour)[0].Handle
			q.alter(core.QueueChange{Retention: ptr(time.Hour)})
			q.advance(time.Hour)
			return handle
		}, gone, gone},
		"of a queue that was purged": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.purge()
			return handle
		}, gone, gone},
		"of a queue that was deleted and made anew": {func(q *testQueue) string {
			handle := q.receive(1)[0].Handle
			q.recreate()
			return handle
		}, invalid, invalid},
		"of another queue": {func(q *testQueue) string {
			other := newQueue(q.t, q.broker)
			other.send("b")
			return other.receive(1)[0].Handle
		}, invalid, invalid},
		"of no version":    {func(q *testQueue) string { return q.receive(1)[0].Handle[2:] }, invalid, invalid},
		"of a later form":  {func(q *testQueue) string { return "2" + q.receive(1)[0].Handle[1:] }, invalid, invalid},
		"one letter less":  {func(q *testQueue) string { h := q.receive(1)[0].Handle; return h[:len(h)-1] }, invalid, invalid},
		"one letter more":  {func(q *testQueue) string { return q.receive(1)[0].Handle + "A" }, invalid, invalid},
		"one letter wrong": {func(q *testQueue) string { return flip(q.receive(1)[0].Handle, 12) }, invalid, invalid},
		"a wrong checksum": {func(q *testQueue) string { h := q.receive(1)[0].Handle; return flip(h, len(h)-1) }, invalid, invalid},
		"not base64":       {func(q *testQueue) string { return "1-" + strings.Repeat("%", 40) }, invalid, invalid},
		"nothing":          {func(q *testQueue) string { return "" }, invalid, invalid},
		"very long":        {func(q *testQueue) string { return strings.Repeat("A", 1<<20) }, invalid, invalid},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, tt := range tests {
			for newest, want := range map[bool]core.Code{false: tt.any, true: tt.newest} {
				t.Run(fmt.Sprintf("%s/delete newest=%v", name, newest), func(t *testing.T) {
					t.Parallel()
					q := newQueue(t, broker)
					q.send("a")
					if got := q.delete(newest, tt.handle(q)); got[0] != want {
						t.Errorf("got %q, want %q", got[0], want)
					}
				})
				t.Run(fmt.Sprintf("%s/change newest=%v", name, newest), func(t *testing.T) {
					t.Parallel()
					q := newQueue(t, broker)
					q.send("a")
					changes := []core.VisibilityChange{{Handle: tt.handle(q), Timeout: time.Hour}}
					got := q.change(core.ChangeVisibilityInput{Changes: changes, Newest: newest})
					if codes := codes([]error{got[0].Err}); codes[0] != want {
						t.Errorf("got %q, want %q", codes[0], want)
					}
				})
			}
		}
	})
}

// flip changes the letter at a place.
func flip(text string, place int) string {
	letter := byte('A')
	if text[place] == letter {
		letter = 'B'
	}
	return text[:place] + string(letter) + text[place+1:]
}

// rotate hides a message for another half hour and gives its new handle.
func (q *testQueue) rotate(handle string) string {
	q.t.Helper()
	changes := []core.VisibilityChange{{Handle: handle, Timeout: 30 * time.Minute}}
	result := q.change(core.ChangeVisibilityInput{Changes: changes, Newest: true, Rotate: true})[0]
	if result.Err != nil || result.Handle == handle {
		q.t.Fatalf("rotate: %+v", result)
	}
	return result.Handle
}

func (q *testQueue) giveBack(messages ...core.Message) {
	q.t.Helper()
	if _, err := q.broker.ReturnMessages(context.Background(), q.name, messages); err != nil {
		q.t.Fatalf("return: %v", err)
	}
}

func TestHandlesHaveTheCharactersAndLengthThatClientsCanCarry(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send(repeat("a", 50)...)
		foreign := func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r)
		}
		seen := map[string]bool{}
		for _, handle := range handlesOf(q.receive(50)) {
			if strings.ContainsFunc(handle, foreign) || len(handle) >= 256 || !strings.HasPrefix(handle, "1-") || seen[handle] {
				t.Errorf("handle %s", handle)
			}
			seen[handle] = true
		}
	})
}

func TestDeleteBatch(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send(repeat("a", 6)...)
		handles := handlesOf(q.receive(5))
		q.delete(false, handles[4])
		for _, newest := range []bool{false, true} {
			first, second := handles[0], handles[1]
			if newest {
				first, second = handles[2], handles[3]
			}
			got := q.delete(newest, "x", second, handles[4], first, first)
			want := []core.Code{core.ReceiptHandleInvalid, "", core.MessageNotFound, "", ""}
			if got[4] == core.MessageNotFound || got[4] == core.ReceiptHandleExpired { // the same one a second time
				got[4] = ""
			}
			if !slices.Equal(got, want) {
				t.Errorf("newest %v: %q, want %q", newest, got, want)
			}
		}
		q.wantCounts(1, 0, 0, 1)
	})
}

func TestChangeVisibilityBatch(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send("a", "b", "c")
		received := q.receive(2)
		a, b := received[0].Handle, received[1].Handle
		got := q.change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{
			{Handle: "x"}, {Handle: b, Timeout: 0}, {Handle: a, Timeout: time.Hour},
		}})
		if core.CodeOf(got[0].Err) != core.ReceiptHandleInvalid || got[1].Err != nil || got[2].Err != nil || got[1].Handle != b || got[2].Handle != a {
			t.Fatalf("results %+v", got)
		}
		if hidden := got[2].VisibleAt.Sub(got[1].VisibleAt); hidden != time.Hour {
			t.Errorf("b visible %v after a, want an hour", hidden)
		}
		q.wantCounts(2, 1, 0, 3)
		q.wantReceive("c", "b")
		q.advance(time.Hour)
		q.wantReceive("b", "c", "a") // the receive had hidden both to the same time
	})
}

// A message named twice is changed once; counts stay right.
func TestChangeVisibilityNamesAMessageTwice(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send("a")
		handle := q.one().Handle
		for _, r := range q.change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{{Handle: handle, Timeout: time.Hour}, {Handle: handle, Timeout: 2 * time.Hour}}}) {
			if r.Err != nil {
				t.Errorf("error %v", r.Err)
			}
		}
		q.wantCounts(0, 1, 0, 1)
		q.advance(59 * time.Minute)
		q.wantCounts(0, 1, 0, 1)
		q.advance(61 * time.Minute)
		q.wantCounts(1, 0, 0, 1)
	})
}

func TestChangeVisibilityHasALimitInAll(t *testing.T) {
	const most = 12 * time.Hour
	tests := map[string]struct {
		since, timeout time.Duration // since the receive
		total          time.Duration
		want           core.Code
	}{
		"within":             {6 * time.Hour, 6*time.Hour - time.Minute, most, ""},
		"beyond":             {6 * time.Hour, 6*time.Hour + time.Minute, most, core.VisibilityTooLong},
		"at once":            {0, most - time.Minute, most, ""},
		"no limit":           {6 * time.Hour, most, 0, ""},
		"visible at the end": {most - time.Minute, 0, most, ""},
	}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				q := newQueue(t, broker)
				q.send("a")
				first := q.receiveFor(1, 0) // the time runs from the newest receive
				q.advance(time.Hour)
				m := q.receiveFor(1, most)[0]
				if m.ID != first[0].ID {
					t.Fatal("not the message")
				}
				q.advance(tt.since)
				got := q.change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{{Handle: m.Handle, Timeout: tt.timeout}}, MaxTotal: tt.total})[0]
				checkCode(t, got.Err, tt.want)
				if tt.want != "" {
					q.wantCounts(0, 1, 0, 1) // as it was
				}
			})
		}
	})
}

// checkCode fails unless err has the code, "" standing for no error.
func checkCode(t testing.TB, err error, want core.Code) {
	t.Helper()
	if got := codes([]error{err}); got[0] != want {
		t.Errorf("got error %v, want code %q", err, want)
	}
}

// A message that has become visible again keeps its place in the line.
func TestChangeVisibilityLeavesVisibleMessagesAlone(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send("a", "b")
		handles := handlesOf(q.receive(2))
		q.advance(30 * time.Second)
		if got := q.hide(handles[0], time.Hour); got.Err != nil {
			t.Errorf("change visibility: %v", got.Err)
		}
		q.wantCounts(2, 0, 0, 2)
		q.wantReceive("a", "b")
	})
}

func TestReturnMessages(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		t.Run("undoes a first receive", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			q.giveBack(q.one())
			q.wantCounts(1, 0, 0, 1)
			if m := peekAll(q, false)[0]; m.ReceiveCount != 0 || !m.FirstReceivedAt.IsZero() {
				t.Errorf("received %d times, first at %v", m.ReceiveCount, m.FirstReceivedAt)
			}
		})
		t.Run("undoes a second receive", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			first := q.one()
			q.advance(time.Minute)
			q.giveBack(q.one())
			if m := q.one(); m.ReceiveCount != 2 || !m.FirstReceivedAt.Equal(first.FirstReceivedAt) {
				t.Errorf("received %d times, first at %v; want 2 and %v", m.ReceiveCount, m.FirstReceivedAt, first.FirstReceivedAt)
			}
		})
		t.Run("undoes a receive that hid nothing", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			q.giveBack(q.receiveFor(1, 0)...)
			q.wantCounts(1, 0, 0, 1)
			if m := q.one(); m.ReceiveCount != 1 {
				t.Errorf("received %d times, want 1", m.ReceiveCount)
			}
		})
		t.Run("undoes a receive whose visibility timeout is over", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			m := q.one()
			q.advance(30 * time.Second)
			q.giveBack(m)
			q.wantCounts(1, 0, 0, 1)
			if m := q.one(); m.ReceiveCount != 1 {
				t.Errorf("received %d times, want 1", m.ReceiveCount)
			}
		})
		t.Run("says what it did not return", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a", "b", "c")
			m := q.receive(3)
			q.delete(false, m[1].Handle)
			results, err := broker.ReturnMessages(context.Background(), q.name, []core.Message{m[0], {Handle: "no handle"}, m[1], m[2]})
			if err != nil || len(results) != 4 || results[0] != nil || core.CodeOf(results[1]) != core.ReceiptHandleInvalid || core.CodeOf(results[2]) != core.MessageNotFound || results[3] != nil {
				t.Errorf("results %v, %v", results, err)
			}
			results, err = broker.ReturnMessages(context.Background(), q.name, m[:1])
			if err != nil || len(results) != 1 || core.CodeOf(results[0]) != core.ReceiptHandleSuperseded {
				t.Errorf("returned twice: %v, %v", results, err)
			}
		})
		t.Run("works once", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			m := q.one()
			q.giveBack(m)
			again := q.one()
			q.giveBack(m) // not the newest handle any more
			q.wantCounts(0, 1, 0, 1)
			if got := q.delete(true, again.Handle); got[0] != "" {
				t.Errorf("delete: %q", got[0])
			}
		})
		t.Run("passes over what cannot be returned", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a", "b")
			messages := q.receive(2)
			q.delete(true, messages[0].Handle)
			q.giveBack(messages[0], core.Message{Handle: "x"}, messages[1])
			q.wantReceive("b")
		})
		t.Run("of a purged queue does nothing", func(t *testing.T) {
			q := newQueue(t, broker)
			q.send("a")
			m := q.one()
			q.purge()
			q.giveBack(m)
			q.wantCounts(0, 0, 0, 0)
		})
	})
}

// Operations on a queue that was changed through another server notice it, whatever this server
// believes about it.
func TestOperationsOnAQueueChangedElsewhere(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker, other := newBroker(t, open(t, pg.Options{URL: url, Pooled: true})), newBroker(t, open(t, pg.Options{URL: url}))
	tests := map[string]func(q *testQueue){
		"altered": func(q *testQueue) {
			q.through(other).alter(core.QueueChange{VisibilityTimeout: ptr(time.Hour)})
			q.send("b")
			q.receive(10)
			q.advance(time.Minute)
			q.wantCounts(0, 2, 0, 2)
		},
		"purged": func(q *testQueue) {
			q.through(other).purge()
			q.wantReceive()
			q.send("b")
			q.wantReceive("b")
		},
		"purged, handles": func(q *testQueue) {
			old := q.one().Handle
			q.through(other).purge()
			q.through(other).send("b")
			handle := q.through(other).one().Handle
			if got := q.delete(false, handle, old, "x"); !slices.Equal(got, []core.Code{"", core.MessageNotFound, core.ReceiptHandleInvalid}) {
				q.t.Errorf("got %q", got)
			}
		},
		"purged, only new handles": func(q *testQueue) {
			q.through(other).purge()
			q.through(other).send("b")
			if got := q.hide(q.through(other).one().Handle, time.Hour); got.Err != nil {
				q.t.Errorf("got %v", got.Err)
			}
		},
		"made anew": func(q *testQueue) {
			old := q.one().Handle
			q.through(other).recreate()
			q.wantReceive()
			if got := q.delete(false, old); got[0] != core.ReceiptHandleInvalid {
				q.t.Errorf("got %q", got[0])
			}
			q.send("b")
			q.wantReceive("b")
		},
		"given a new priority": func(q *testQueue) {
			q.through(other).sendMessages(core.NewMessage{Body: []byte("b"), Priority: 1})
			q.wantReceive("b", "a")
		},
		"deleted": func(q *testQueue) {
			m := q.one()
			if err := other.DeleteQueue(context.Background(), q.name); err != nil {
				q.t.Fatal(err)
			}
			ctx := context.Background()
			for name, do := range map[string]func() error{
				"send": func() error {
					_, err := broker.SendMessages(ctx, core.SendInput{Queue: q.name, Messages: make([]core.NewMessage, 1)})
					return err
				},
				"receive": func() error {
					_, err := broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 1})
					return err
				},
				"peek": func() error { _, err := broker.PeekMessages(ctx, core.PeekInput{Queue: q.name, Limit: 1}); return err },
				"delete": func() error {
					_, err := broker.DeleteMessages(ctx, core.DeleteInput{Queue: q.name, Handles: []string{m.Handle}})
					return err
				},
				"delete with no handle": func() error {
					_, err := broker.DeleteMessages(ctx, core.DeleteInput{Queue: q.name, Handles: []string{"x"}})
					return err
				},
				"change": func() error {
					_, err := broker.ChangeVisibility(ctx, core.ChangeVisibilityInput{Queue: q.name, Changes: []core.VisibilityChange{{Handle: m.Handle}}})
					return err
				},
				"return": func() error { _, err := broker.ReturnMessages(ctx, q.name, []core.Message{m}); return err },
			} {
				if err := do(); core.CodeOf(err) != core.QueueNotFound {
					q.t.Errorf("%s: %v, want QueueNotFound", name, err)
				}
			}
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, broker)
			q.send("a") // this server has the queue in its cache now
			test(q)
		})
	}
}
