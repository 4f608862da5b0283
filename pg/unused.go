package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// noteUsesSQL writes the time of queues that were used, and of those of which nothing is known yet: they are
// as good as used when somebody begins to look. So are all of them when nobody has looked for a while, which
// the row of no queue tells. Rows are locked in key order.
const noteUsesSQL = `
INSERT INTO queue_uses (queue_id, used_at)
SELECT n.id, n.used_at FROM (
    SELECT 0::bigint AS id, now() AS used_at
    UNION ALL
    SELECT q.id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0')
    FROM queues q WHERE q.id = ANY (@queues) OR NOT EXISTS (SELECT FROM queue_uses u WHERE u.queue_id = q.id)
        OR NOT EXISTS (SELECT FROM queue_uses u WHERE u.queue_id = 0 AND u.used_at > now() - @gap::interval)
) n
ORDER BY n.id
ON CONFLICT (queue_id) DO UPDATE SET used_at = EXCLUDED.used_at`

// usesGap is how long no server may look at what is used before nothing is known of it any more.
const usesGap = 15 * time.Minute

const forgetUsesSQL = `DELETE FROM queue_uses u WHERE u.queue_id > 0 AND NOT EXISTS (SELECT FROM queues q WHERE q.id = u.queue_id)`

// NoteUses is of core.UnusedStore.
func (s *Store) NoteUses(ctx context.Context, queues []int64) error {
	if queues == nil {
		queues = []int64{}
	}
	if _, err := s.exec(ctx, noteUsesSQL, pgx.StrictNamedArgs{"queues": queues, "gap": usesGap}); err != nil {
		return err
	}
	_, err := s.exec(ctx, forgetUsesSQL, nil)
	return err
}

// idleQueues are those that nobody has used for so long.
const idleQueues = `
SELECT q.* FROM queue_uses u CROSS JOIN LATERAL (SELECT q.id, q.storage_id, q.account, q.region, q.name FROM queues q WHERE q.id = u.queue_id LIMIT 1) q
WHERE u.used_at < now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') - @unused::interval`

// whichMayGo are the conditions that an idle queue meets which may be deleted. It looks at the messages themselves, and not at the counters.
const whichMayGo = `
WHERE (SELECT true FROM messages m WHERE m.storage_id = q.storage_id LIMIT 1) IS NULL
    AND (SELECT true FROM fifo_messages m WHERE m.storage_id = q.storage_id LIMIT 1) IS NULL
    AND (SELECT true FROM queues s
        WHERE s.account = q.account AND s.region = q.region AND s.dead_letter_target = q.name AND s.dead_letter_target <> '' AND s.id <> q.id LIMIT 1) IS NULL
    AND (SELECT true FROM move_tasks t
        WHERE t.status IN ('RUNNING', 'CANCELLING') AND (t.source_id = q.id OR t.account = q.account AND t.destination <> '') LIMIT 1) IS NULL
    AND q.account || '/' || q.region || '/' || q.name NOT IN (
        SELECT s.queue FROM subscriptions s WHERE s.gone_at IS NULL UNION ALL SELECT s.dead_letter FROM subscriptions s WHERE s.gone_at IS NULL)`

const unusedQueuesSQL = `
WITH idle AS MATERIALIZED (` + idleQueues + `)
SELECT q.account, q.region, q.name FROM idle q ` + whichMayGo + ` LIMIT @limit`

// UnusedQueues is of core.UnusedStore.
func (s *Store) UnusedQueues(ctx context.Context, unused time.Duration, limit int) (names []core.QueueName, err error) {
	err = s.do(ctx, unusedQueuesSQL, pgx.StrictNamedArgs{"unused": unused, "limit": limit}, func(rows pgx.Rows) (err error) {
		names, err = pgx.CollectRows(rows, pgx.RowToStructByPos[core.QueueName])
		return err
	})
	return names, err
}

const deleteUnusedSQL = `
WITH idle AS MATERIALIZED (` + idleQueues + ` AND u.queue_id = @id
), gone AS (
    DELETE FROM queues q WHERE q.id = ANY (ARRAY(SELECT q.id FROM idle q ` + whichMayGo + `)) RETURNING ` + queueColumns + `
), dropped AS (
    INSERT INTO dropped_storages (storage_id) SELECT storage_id FROM gone
)
SELECT * FROM gone`

// DeleteUnused is of core.UnusedStore. The queue's row is locked first: the second statement sees what those have sent who had locked it.
func (s *Store) DeleteUnused(ctx context.Context, name core.QueueName, unused time.Duration) (deleted bool, err error) {
	var queue core.Queue
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		locked, err := txQueue(ctx, tx, lockQueueSQL, nameArgs(name))
		if err != nil {
			return err
		}
		queue, err = txQueue(ctx, tx, deleteUnusedSQL, pgx.StrictNamedArgs{"id": locked.ID, "unused": unused})
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // it is gone, or is used after all
	}
	if err != nil {
		return false, err
	}
	s.drop(&queue)
	return true, nil
}
