package pg_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// BenchmarkPublishScheduled publishes to a topic with a queue and an endpoint from 64 callers, beside retries that wait at a thousand endpoints
// and are looked at as a server does: go test ./pg -run '^$' -bench PublishScheduled -benchtime 20s -backlog 1000000
func BenchmarkPublishScheduled(b *testing.B) {
	for _, scheduled := range []int{0, *backlogMessages} {
		b.Run(fmt.Sprintf("scheduled=%d", scheduled), func(b *testing.B) {
			store := pgtest.New(b)
			broker := topicBroker(b, store)
			newTopic(b, broker)
			subscribeQueue(b, broker, "q")
			subscribeURL(b, broker, "http://localhost:1/hook")
			conn := database(b, store.URL())
			execute(b, conn, `INSERT INTO published (id, topic_id, published_at, content) SELECT -i, -1, now(), $2 FROM generate_series(1, $1::bigint / 100) i`, scheduled, body200)
			execute(b, conn, `INSERT INTO deliveries (published_id, subscription_id, lane, due_at, attempts)
				SELECT -(1 + i / 100), -(1 + i % 100), 1 + i % 1000, now() + interval '1 hour' + i * interval '1 millisecond', 3 FROM generate_series(0, $1::bigint - 1) i`, scheduled)
			execute(b, conn, `VACUUM ANALYZE`)
			ctx, stop := context.WithCancel(context.Background())
			var looking sync.WaitGroup
			looking.Go(func() { lookAtLanes(ctx, broker) })
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := broker.Publish(ctx, core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: body200}}}); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
			stop()
			looking.Wait()
		})
	}
}

// lookAtLanes looks for what is due as workers.Push does: each look is followed by a pause of fifty times its length, up to 4 s.
func lookAtLanes(ctx context.Context, broker *core.Broker) {
	for ctx.Err() == nil {
		began := time.Now()
		_, _ = broker.DueLanes(ctx, 5*time.Second) // what it finds is of no interest
		select {
		case <-time.After(min(50*time.Since(began), 4*time.Second)):
		case <-ctx.Done():
		}
	}
}
