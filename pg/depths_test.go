package pg_test

import (
	"context"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// The largest queues come first, and those that were purged or deleted take no place.
func TestDepths(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store := pgtest.New(t)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	large, small, gone := pgtest.Queue(t, broker, "large"), pgtest.Queue(t, broker, "small"), pgtest.Queue(t, broker, "gone")
	pgtest.Send(t, broker, gone, "1", "2", "3", "4", "5")
	pgtest.Send(t, broker, large, "1", "2", "3")
	pgtest.Send(t, broker, small, "1")
	if got := len(pgtest.Receive(t, broker, large, 2)); got != 2 {
		t.Fatalf("received %d", got)
	}
	if err := broker.DeleteQueue(ctx, gone); err != nil {
		t.Fatal(err)
	}
	depths, err := store.Depths(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(depths) != 2 || depths[0].Queue != large || depths[1].Queue != small {
		t.Fatalf("the largest two are %+v", depths)
	}
	if d := depths[0]; d.Messages != 3 || d.InFlight != 2 || d.Delayed != 0 || d.Bytes != 3 || d.Oldest <= 0 {
		t.Errorf("the largest holds %+v", d)
	}
	if one, err := store.Depths(ctx, 1); err != nil || len(one) != 1 {
		t.Errorf("one of them: %+v, error %v", one, err)
	}
}
