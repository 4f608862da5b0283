package pg_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// BenchmarkFIFOCycle is BenchmarkCycle on a FIFO queue, with 64 callers.
func BenchmarkFIFOCycle(b *testing.B) {
	for _, groups := range []int64{64, 1000} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			const callers = 64
			store := pgtest.New(b)
			q := newFIFO(b, newBroker(b, store))
			var next atomic.Int64
			cycles := make(chan struct{}, callers)
			failed := make(chan error, callers)
			for range callers {
				go func() {
					var err error
					for range cycles {
						if err == nil {
							err = fifoCycle(q, fmt.Sprint(next.Add(1)%groups))
						}
					}
					failed <- err
				}()
			}
			for b.Loop() {
				cycles <- struct{}{}
			}
			trains, operations := store.Trains()
			b.ReportMetric(float64(operations)/float64(trains), "operations/train")
			close(cycles)
			for range callers {
				if err := <-failed; err != nil {
					b.Error(err)
				}
			}
		})
	}
}

func fifoCycle(q *testQueue, group string) error {
	ctx := context.Background()
	message := core.NewMessage{Body: body200, GroupID: group, DeduplicationID: fmt.Sprint(group, time.Now().UnixNano())}
	if _, err := q.broker.SendMessages(ctx, core.SendInput{Queue: q.name, Messages: []core.NewMessage{message}}); err != nil {
		return err
	}
	messages, err := q.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 1, Wait: ptr(5 * time.Second)})
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("received %d messages: %w", len(messages), err)
	}
	errs, err := q.broker.DeleteMessages(ctx, core.DeleteInput{Queue: q.name, Handles: []string{messages[0].Handle}})
	if err != nil {
		return err
	}
	return errs[0]
}
