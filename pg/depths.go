package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// Depth is how much a queue holds, for monitoring.
type Depth struct {
	Queue    core.QueueName
	Messages int64
	Bytes    int64
	InFlight int64
	Delayed  int64
	Oldest   time.Duration // since its oldest message was sent; 0 without one
}

// depthsSQL adds up the counters alone; what is hidden is looked for in those of the queues that hold most, which
// come first. What becomes visible within the present second still counts as hidden. 10,000 queues take 25 ms.
const depthsSQL = `
SELECT q.account, q.region, q.name, n.messages, n.bytes, h.in_flight, h.delayed,
    COALESCE(extract(epoch FROM q.now - COALESCE(s.sent_at, f.sent_at)) * 1000000, 0)::bigint AS oldest
FROM (
    SELECT * FROM (
        SELECT c.storage_id, sum(c.messages)::bigint AS messages, sum(c.bytes)::bigint AS bytes FROM counts c GROUP BY c.storage_id
    ) c
    WHERE EXISTS (SELECT FROM queues q WHERE q.storage_id = c.storage_id) -- else its content is being removed
    ORDER BY c.messages DESC, c.storage_id LIMIT @limit
) n
CROSS JOIN LATERAL (
    SELECT q.account, q.region, q.name, now() + COALESCE((SELECT ahead FROM clocks k WHERE k.account = q.account), '0') AS now
    FROM queues q WHERE q.storage_id = n.storage_id LIMIT 1
) q
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(c.in_flight), 0)::bigint AS in_flight, COALESCE(sum(c.delayed), 0)::bigint AS delayed
    FROM counts c WHERE c.storage_id = n.storage_id AND c.bucket > q.now
) h
LEFT JOIN LATERAL (SELECT m.sent_at FROM messages m WHERE m.storage_id = n.storage_id ORDER BY m.id LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT m.sent_at FROM fifo_messages m WHERE m.storage_id = n.storage_id AND m.size >= 0 ORDER BY m.sequence LIMIT 1) f ON true`

// Depths gives the limit queues that hold most.
func (s *Store) Depths(ctx context.Context, limit int) (depths []Depth, err error) {
	err = s.look(ctx, depthsSQL, pgx.StrictNamedArgs{"limit": limit}, func(rows pgx.Rows) error {
		var d Depth
		var oldest int64
		_, err := pgx.ForEachRow(rows, []any{&d.Queue.Account, &d.Queue.Region, &d.Queue.Name, &d.Messages, &d.Bytes, &d.InFlight, &d.Delayed, &oldest}, func() error {
			d.Oldest = time.Duration(oldest) * time.Microsecond
			depths = append(depths, d)
			return nil
		})
		return err
	})
	return depths, err
}

// PoolStat gives how many connections to the database there are, how many of them are busy, and how often
// and for how long operations have waited for one.
func (s *Store) PoolStat() (open, busy int32, waits int64, waited time.Duration) {
	stat := s.pool.Stat()
	return stat.TotalConns(), stat.AcquiredConns(), stat.EmptyAcquireCount(), stat.EmptyAcquireWaitTime()
}
