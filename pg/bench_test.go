package pg_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// BenchmarkCycle sends, receives and deletes, each a call, with many callers at once.
func BenchmarkCycle(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			store := pgtest.New(b)
			broker := core.NewBroker(store)
			b.Cleanup(broker.Close)
			queue := pgtest.Queue(b, broker, "orders")
			cycles := make(chan struct{}, callers)
			failed := make(chan error, callers)
			for range callers {
				go func() {
					var err error
					for range cycles {
						if err == nil {
							err = cycle(broker, queue)
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

var body200 = make([]byte, 200)

func cycle(broker *core.Broker, queue core.QueueName) error {
	ctx := context.Background()
	if _, err := broker.SendMessages(ctx, core.SendInput{Queue: queue, Messages: []core.NewMessage{{Body: body200}}}); err != nil {
		return err
	}
	wait := 5 * time.Second
	messages, err := broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: queue, Limit: 1, Wait: &wait})
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("received %d messages: %w", len(messages), err)
	}
	errs, err := broker.DeleteMessages(ctx, core.DeleteInput{Queue: queue, Handles: []string{messages[0].Handle}})
	if err != nil {
		return err
	}
	return errs[0]
}
