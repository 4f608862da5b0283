package pg_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// BenchmarkRedrive is BenchmarkCycle with 64 callers, alone and beside a move task, and says how many messages a second that moves:
// go test ./pg -run '^$' -bench Redrive -benchtime 30s -backlog 1000000
func BenchmarkRedrive(b *testing.B) {
	for _, moves := range []bool{false, true} {
		b.Run(fmt.Sprintf("moves=%v", moves), func(b *testing.B) {
			const callers = 64
			store := pgtest.New(b)
			q := newQueue(b, newBroker(b, store))
			source, dead := q.beside("source"), q.beside("dead")
			source.deadTo(dead, 1)
			conn := database(b, store.URL())
			execute(b, conn, `INSERT INTO messages (storage_id, id, visible_at, sent_at, first_received_at, received_at, receive_count, handle_version, size, priority, form, source, body)
				SELECT $1, i, now() - interval '1 hour' + i * interval '1 microsecond', now(), now(), now(), 1, 1, 200, 8, 0, $2, $3 FROM generate_series(1, $4) i`,
				dead.describe().Storage, source.name.String(), body200, *backlogMessages)
			execute(b, conn, `INSERT INTO counts (storage_id, bucket, messages, bytes) VALUES ($1, '-infinity', $2::bigint, 200 * $2::bigint)`, dead.describe().Storage, *backlogMessages)
			execute(b, conn, `SELECT setval('message_blocks', $1)`, *backlogMessages/1024+1)
			execute(b, conn, `VACUUM ANALYZE`)
			cycles, failed := make(chan struct{}, callers), make(chan error, callers)
			for range callers {
				go func() {
					var err error
					for range cycles {
						if err == nil {
							err = cycle(q.broker, q.name)
						}
					}
					failed <- err
				}()
			}
			start := time.Now()
			if moves {
				dead.startMove(core.StartMove{})
			}
			for b.Loop() {
				cycles <- struct{}{}
			}
			if moves {
				reportMoved(b, dead, start)
			}
			close(cycles)
			for range callers {
				if err := <-failed; err != nil {
					b.Error(err)
				}
			}
		})
	}
}

// reportMoved says how fast a task moves messages, until now or until it ended.
func reportMoved(b *testing.B, dead *testQueue, start time.Time) {
	b.Helper()
	took := time.Since(start)
	tasks, err := dead.broker.ListMoves(context.Background(), dead.name, 1)
	if err != nil || len(tasks) != 1 {
		b.Fatalf("list the moves: %d, %v", len(tasks), err)
	}
	if task := tasks[0]; task.Status == core.MoveCompleted {
		took = task.EndedAt.Sub(task.StartedAt)
	}
	b.ReportMetric(float64(tasks[0].Moved)/took.Seconds(), "moved/s")
}
