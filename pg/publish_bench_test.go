package pg_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// BenchmarkPublish publishes to topics with so many queues, from 64 callers at a time, and beside it sends
// to one queue.
func BenchmarkPublish(b *testing.B) {
	body := make([]byte, 200)
	for i := range body {
		body[i] = 'x'
	}
	run := func(b *testing.B, broker *core.Broker, deliveries int, do func() error) {
		b.SetParallelism(32)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := do(); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N*deliveries)/b.Elapsed().Seconds(), "deliveries/s")
	}
	b.Run("send", func(b *testing.B) {
		broker := topicBroker(b, pgtest.New(b))
		queue := pgtest.Queue(b, broker, "q")
		run(b, broker, 1, func() error {
			_, err := broker.SendMessages(context.Background(), core.SendInput{Queue: queue, Messages: []core.NewMessage{{Body: body}}})
			return err
		})
	})
	for _, queues := range []int{1, 100} {
		b.Run(fmt.Sprintf("queues=%d", queues), func(b *testing.B) {
			broker := topicBroker(b, pgtest.New(b))
			newTopic(b, broker)
			for i := range queues {
				subscribeQueue(b, broker, fmt.Sprintf("q%d", i))
			}
			run(b, broker, queues, func() error {
				_, err := broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: body}}})
				return err
			})
		})
	}
}

// BenchmarkPublishFIFO publishes to one FIFO topic with a FIFO queue, in a thousand groups.
func BenchmarkPublishFIFO(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			broker := newFIFOTopic(b, "")
			var next atomic.Int64
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			if callers == 1 {
				for b.Loop() {
					publishOne(b, broker, next.Add(1))
				}
				return
			}
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					publishOne(b, broker, next.Add(1))
				}
			})
		})
	}
}

func publishOne(b *testing.B, broker *core.Broker, n int64) {
	b.Helper()
	in := core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: body200, GroupID: fmt.Sprint(n % 1000), DeduplicationID: fmt.Sprint(n)}}}
	if _, err := broker.Publish(context.Background(), in); err != nil {
		b.Error(err)
	}
}
