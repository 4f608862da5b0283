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
	whileLocked := func(do func()) {
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fifo.sqlSendTo(tx, "held", "", "second")
		var waiting sync.WaitGroup
		ended := make(chan error, 10*pgtest.PoolSize)
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
		do()
		select {
		case err := <-ended:
			t.Fatalf("one has not waited for the group: %v", err)
		default:
		}
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		waiting.Wait()
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Errorf("after the group was released: %v", err)
			}
		}
	}
	timesBeside(t, 50, whileLocked, func() {
		standard.send("a")
		standard.delete(false, standard.one().Handle)
	})
	fifo.delete(true, held[0].Handle)
}

// timesBeside does something so often while others wait for a lock. They give up after four seconds, so it has them released after a half
// of that and goes on beside others: that none of them ended shows that nothing waited for the lock, on however slow a machine.
func timesBeside(t *testing.T, times int, whileLocked func(do func()), do func()) {
	t.Helper()
	locks, done, start := 0, 0, time.Now()
	for ; done < times; locks++ {
		began := time.Now()
		whileLocked(func() {
			for first := true; done < times && (first || time.Since(began) < 2*time.Second); first = false {
				do()
				done++
			}
		})
	}
	t.Logf("%d times, beside %d locks, took %v", done, locks, time.Since(start))
}
