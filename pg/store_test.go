package pg_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestSendReceiveDelete(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	queue := pgtest.Queue(t, broker, "orders")
	pgtest.Send(t, broker, queue, "a", "b", "c")
	got := pgtest.Receive(t, broker, queue, 10)
	if bodies := pgtest.Bodies(got); !slices.Equal(bodies, []string{"a", "b", "c"}) {
		t.Fatalf("received %v, want a b c", bodies)
	}
	if again := pgtest.Receive(t, broker, queue, 10); len(again) != 0 {
		t.Errorf("received %v again", pgtest.Bodies(again))
	}
	for _, m := range got {
		errs, err := broker.DeleteMessages(context.Background(), core.DeleteInput{Queue: queue, Handles: []string{m.Handle}})
		if err != nil || errs[0] != nil {
			t.Errorf("delete %s: %v %v", m.Body, err, errs)
		}
	}
	pgtest.Advance(t, broker, time.Minute)
	if again := pgtest.Receive(t, broker, queue, 10); len(again) != 0 {
		t.Errorf("received deleted messages: %v", pgtest.Bodies(again))
	}
}
