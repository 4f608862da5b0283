package pg_test

import (
	"context"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// BenchmarkFIFOCycle is BenchmarkCycle on a FIFO queue, with 64 callers.
func BenchmarkFIFOCycle(b *testing.B) {
	for _, groups := range []int64{64, 1000} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			const callers = 64
			store := pgtest.New(b)
			q := newFIFO(b, newBroker(b, store))
			runFIFOCycles(b, q, callers, groups)
			reportTrains(b, store)
		})
	}
}

// backlogMessages is how large the backlog of BenchmarkFIFOBacklog is: go test ./pg -run '^$' -bench FIFOBacklog -backlog 1000000
var backlogMessages = flag.Int("backlog", 10_000, "messages that wait in the queue of BenchmarkFIFOBacklog")

// BenchmarkFIFOBacklog is BenchmarkFIFOCycle with messages waiting, ten to a group, and half of the groups locked: what is
// locked must cost nothing.
func BenchmarkFIFOBacklog(b *testing.B) {
	const callers, groups = 64, 1000
	for _, backlog := range []int{0, *backlogMessages} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			store := pgtest.New(b)
			q := newFIFO(b, newBroker(b, store))
			q.fillGroups(store, backlog)
			runFIFOCycles(b, q, callers, groups)
			reportTrains(b, store)
		})
	}
}

// fillGroups puts messages into a FIFO queue, ten to a group. The first message of every other group is in flight.
func (q *testQueue) fillGroups(store *pg.Store, messages int) {
	q.t.Helper()
	storage := q.describe().Storage
	conn := database(q.t, store.URL())
	execute(q.t, conn, `INSERT INTO groups (storage_id, group_key, due, head)
		SELECT $1::bigint, g, now() + CASE WHEN g % 2 = 0 THEN -interval '1 hour' ELSE interval '1 hour' END + g * interval '1 microsecond', (g - 1) * 10 + 1
		FROM generate_series(1, $2::bigint / 10) g`, storage, messages)
	execute(q.t, conn, `INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, receive_count, handle_version, size, priority, form, group_id, body)
		SELECT storage_id, group_key, head + i, head + i, CASE WHEN i = 0 THEN due ELSE now() - interval '1 hour' END, now() - interval '1 hour',
			(i = 0 AND due > now())::integer, (i = 0 AND due > now())::integer, 200, 8, 0, 'waiting ' || group_key, $2
		FROM groups, generate_series(0, 9) i WHERE storage_id = $1`, storage, body200)
	execute(q.t, conn, `INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight)
		SELECT storage_id, '-infinity', count(*), sum(size), 0 FROM fifo_messages WHERE storage_id = $1 GROUP BY 1
		UNION ALL SELECT storage_id, visible_at, 0, 0, count(*) FROM fifo_messages WHERE storage_id = $1 AND visible_at > now() GROUP BY 1, 2`, storage)
	execute(q.t, conn, `SELECT setval('sequence_blocks', $1), setval('message_blocks', $1)`, messages/1024+1)
	execute(q.t, conn, `VACUUM ANALYZE`)
}

func reportTrains(b *testing.B, store *pg.Store) {
	trains, operations := store.Trains()
	b.ReportMetric(float64(operations)/float64(trains), "operations/train")
}

// runFIFOCycles has that many callers send to that many groups, receive and delete.
func runFIFOCycles(b *testing.B, q *testQueue, callers int, groups int64) {
	b.Helper()
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
	close(cycles)
	for range callers {
		if err := <-failed; err != nil {
			b.Error(err)
		}
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
