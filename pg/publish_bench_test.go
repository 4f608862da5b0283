package pg_test

import (
	"context"
	"fmt"
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
