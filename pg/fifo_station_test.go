package pg_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// TestLockedGroupHoldsUpNoStandardQueue: while an application's transaction holds a message group, with more waiting for it than the
// server has connections, standard queues of the server go on as if nothing were the matter.
func TestLockedGroupHoldsUpNoStandardQueue(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := newBroker(t, open(t, pg.Options{URL: url}))
	fifo, standard := newFIFO(t, broker), newQueue(t, broker)
	fifo.sendTo("held", "first")
	held := fifo.attempt("attempt", 1, 30*time.Second)

	conn, watch := application(t, url), application(t, url)
	ctx := context.Background()
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fifo.sqlSendTo(tx, "held", "", "second")
	var waiting sync.WaitGroup
	ended := make(chan error, 100)
	for i := range 5 * pgtest.PoolSize {
		waiting.Go(func() {
			_, err := broker.SendMessages(ctx, core.SendInput{Queue: fifo.name, Messages: []core.NewMessage{{Body: fmt.Append(nil, i), GroupID: "held"}}})
			ended <- err
		})
		waiting.Go(func() { // repeats the attempt, by a transaction of its own
			_, err := broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: fifo.name, Limit: 1, AttemptID: "attempt", Wait: ptr(time.Duration(0))})
			ended <- err
		})
	}
	eventually(t, "they wait for the group", func() bool { return locksAwaited(t, watch) > 0 })
	const rounds = 5 // before those who wait give up
	start := time.Now()
	for i := range rounds {
		standard.send(fmt.Sprint(i))
		standard.delete(false, standard.one().Handle)
	}
	took := time.Since(start)
	select {
	case err := <-ended:
		t.Fatalf("one has not waited for the group: %v", err)
	default:
	}
	t.Logf("%d sends, receives and deletes took %v", rounds, took)
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	for range 10 * pgtest.PoolSize {
		if err := <-ended; err != nil {
			t.Errorf("after the group was released: %v", err)
		}
	}
	fifo.delete(true, held[0].Handle)
}
