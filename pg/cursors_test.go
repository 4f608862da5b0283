package pg_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// A cursor is understood where it is so many numbers and nothing else.
func FuzzCursors(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "1-2", "1-2-3", "1-2-3-4", "1--2", "1-2x", " 1", "+1", "9223372036854775807", "9223372036854775808", "1-9223372036854775808", "0x1", "1_0", ""} {
		for more := range uint8(3) {
			f.Add(seed, more)
		}
	}
	f.Fuzz(func(t *testing.T, after string, more uint8) {
		n := 1 + int(more%3) // numbers that the cursors of a list have
		numbers, err := pg.ReadCursor(after, n)
		if err != nil {
			if core.CodeOf(err) != core.InvalidArgument {
				t.Errorf("%q: %v", after, err)
			}
			return
		}
		var again []string
		for i, text := range strings.Split(after, "-") {
			if digits := strings.TrimLeft(text, "0"); i >= n || numbers[i] < 0 || text == "" || digits != strings.TrimLeft(fmt.Sprint(numbers[i]), "0") {
				t.Errorf("%q is %v", after, numbers)
				return
			}
			again = append(again, text)
		}
		if len(again) != n {
			t.Errorf("%q is %v", after, numbers)
		}
	})
}

// Lists whose cursors are numbers refuse what is none of theirs.
func TestMadeUpCursors(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	sub := subscribeURL(t, broker, "http://a/")
	queue := pgtest.Queue(t, broker, "orders")
	fifo := core.NewQueue{Name: pgtest.Name("orders.fifo"), FIFO: true, Settings: core.DefaultSettings()}
	if _, _, err := broker.CreateQueue(t.Context(), fifo); err != nil {
		t.Fatal(err)
	}
	deliveries := core.ListDeliveriesInput{Topic: alerts, Subscription: sub.Name.Name, Limit: 1}
	lists := map[string]struct {
		list func(after string) error
		own  string // a cursor of the list
	}{
		"messages": {func(after string) error {
			_, err := broker.PeekMessages(t.Context(), core.PeekInput{Queue: queue, Limit: 1, After: after})
			return err
		}, "8-1-1"},
		"messages of a FIFO queue": {func(after string) error {
			_, err := broker.PeekMessages(t.Context(), core.PeekInput{Queue: fifo.Name, Limit: 1, After: after})
			return err
		}, "1"},
		"deliveries": {func(after string) error {
			in := deliveries
			in.After = after
			_, err := broker.ListDeliveries(t.Context(), in)
			return err
		}, "1-1"},
		"attempts": {func(after string) error {
			in := deliveries
			in.After = after
			_, err := broker.ListAttempts(t.Context(), in)
			return err
		}, "1"},
		"outbox": {func(after string) error {
			in := deliveries
			in.After = after
			_, err := broker.ListKept(t.Context(), in)
			return err
		}, "1"},
	}
	for name, l := range lists {
		if err := l.list(l.own); err != nil {
			t.Errorf("%s: a cursor of its own: %v", name, err)
		}
		for _, after := range []string{"x", "-1", "-1-1", "-300000000000000000-1", "8-1-1-1", "8-1-1x", l.own + "x", l.own + "-", "17-1-1", "65544-1-1", "8--1-1", "9223372036854775808"} {
			if err := l.list(after); core.CodeOf(err) != core.InvalidArgument {
				t.Errorf("%s, %q: %v", name, after, err)
			}
		}
	}
}
