package pg_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// A cooldown is of one thing and one name, ends with the account's time, and holds on every server.
func TestCooldown(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	one, two := newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))
	ctx := context.Background()
	start := func(broker *core.Broker, name string, what core.Cooldown, want bool) {
		t.Helper()
		if started, err := broker.StartCooldown(ctx, pgtest.Name(name), what, time.Minute); err != nil || started != want {
			t.Errorf("started %v, %v, want %v", started, err, want)
		}
	}
	cooling := func(name string, what core.Cooldown, want bool) {
		t.Helper()
		for _, broker := range []*core.Broker{one, two} {
			if got, err := broker.CoolingDown(ctx, pgtest.Name(name), what); err != nil || got != want {
				t.Errorf("cooling down: %v, %v, want %v", got, err, want)
			}
		}
	}
	cooling("orders", core.AfterPurge, false)
	start(one, "orders", core.AfterPurge, true)
	start(two, "orders", core.AfterPurge, false)
	cooling("orders", core.AfterPurge, true)
	cooling("orders", core.AfterDelete, false)
	cooling("returns", core.AfterPurge, false)
	pgtest.Advance(t, one, 50*time.Second)
	start(one, "orders", core.AfterPurge, false) // and no longer for having been tried
	pgtest.Advance(t, one, 10*time.Second)
	cooling("orders", core.AfterPurge, false)
	start(two, "orders", core.AfterPurge, true)
	if _, err := one.StartCooldown(ctx, pgtest.Name("a b"), core.AfterPurge, time.Minute); core.CodeOf(err) != core.QueueNotFound {
		t.Errorf("a name that is none: %v", err)
	}
}

// Nobody's change of a queue is lost, whichever server it goes through.
func TestEditQueueLosesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))}
	name := pgtest.Queue(t, brokers[0], "orders")
	const each = 10
	var all sync.WaitGroup
	for _, broker := range brokers {
		all.Go(func() {
			for range each {
				_, err := broker.EditQueue(context.Background(), name, func(q core.Queue) (core.QueueChange, error) {
					n, _ := strconv.Atoi(q.Attributes["n"])
					next := strconv.Itoa(n + 1)
					return core.QueueChange{Attributes: map[string]*string{"n": &next}}, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	queue, err := brokers[0].DescribeQueue(context.Background(), name)
	if want := strconv.Itoa(each * len(brokers)); err != nil || queue.Attributes["n"] != want {
		t.Errorf("got %q, %v, want %s", queue.Attributes["n"], err, want)
	}
	refusal := errors.New("no")
	if _, err := brokers[0].EditQueue(context.Background(), name, func(core.Queue) (core.QueueChange, error) {
		return core.QueueChange{}, refusal
	}); !errors.Is(err, refusal) {
		t.Errorf("got %v, want edit's own error", err)
	}
}
