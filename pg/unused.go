package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// noteUsesSQL writes the time of queues that were used, and of those of which nothing is known yet: they are
// as good as used when somebody begins to look. Rows are locked in key order.
const noteUsesSQL = `
INSERT INTO queue_uses (queue_id, used_at)
SELECT q.id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0')
FROM queues q WHERE q.id = ANY (@queues) OR NOT EXISTS (SELECT FROM queue_uses u WHERE u.queue_id = q.id)
ORDER BY q.id
ON CONFLICT (queue_id) DO UPDATE SET used_at = EXCLUDED.used_at`

const forgetUsesSQL = `DELETE FROM queue_uses u WHERE NOT EXISTS (SELECT FROM queues q WHERE q.id = u.queue_id)`

// NoteUses is of core.UnusedStore.
func (s *Store) NoteUses(ctx context.Context, queues []int64) error {
	if queues == nil {
		queues = []int64{}
	}
	if _, err := s.exec(ctx, noteUsesSQL, pgx.StrictNamedArgs{"queues": queues}); err != nil {
		return err
	}
	_, err := s.exec(ctx, forgetUsesSQL, nil)
	return err
}

// unusedQueuesSQL looks at the messages themselves, and not at the counters, of the few queues that are left then.
const unusedQueuesSQL = `
SELECT q.account, q.region, q.name FROM queue_uses u JOIN queues q ON q.id = u.queue_id
CROSS JOIN LATERAL (SELECT q.account || '/' || q.region || '/' || q.name AS name) n
WHERE u.used_at < now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') - @unused::interval
    AND NOT EXISTS (SELECT FROM messages m WHERE m.storage_id = q.storage_id)
    AND NOT EXISTS (SELECT FROM fifo_messages m WHERE m.storage_id = q.storage_id)
    AND NOT EXISTS (SELECT FROM queues s WHERE s.dead_letter_target = q.name AND s.account = q.account AND s.region = q.region AND s.id <> q.id)
    AND n.name NOT IN (SELECT s.queue FROM subscriptions s WHERE s.gone_at IS NULL UNION ALL SELECT s.dead_letter FROM subscriptions s WHERE s.gone_at IS NULL)
    AND NOT EXISTS (SELECT FROM move_tasks t WHERE t.status IN ('RUNNING', 'CANCELLING') AND (t.source_id = q.id OR t.account = q.account AND t.destination <> ''))
LIMIT @limit`

// UnusedQueues is of core.UnusedStore.
func (s *Store) UnusedQueues(ctx context.Context, unused time.Duration, limit int) (names []core.QueueName, err error) {
	err = s.do(ctx, unusedQueuesSQL, pgx.StrictNamedArgs{"unused": unused, "limit": limit}, func(rows pgx.Rows) (err error) {
		names, err = pgx.CollectRows(rows, pgx.RowToStructByPos[core.QueueName])
		return err
	})
	return names, err
}
