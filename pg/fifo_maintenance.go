package pg

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// expiredGroupsSQL finds groups that have messages past their queue's retention. A queue whose first message
// has not expired has none, and one that has need not be looked through beyond as many messages as may
// be removed.
const expiredGroupsSQL = `
SELECT DISTINCT id, storage_id, group_key FROM (
    SELECT q.id, m.storage_id, m.group_key
    FROM (
        SELECT q.id, q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') - q.retention AS oldest
        FROM queues q WHERE q.fifo OFFSET 0
    ) q
    CROSS JOIN LATERAL (
        SELECT m.sent_at FROM fifo_messages m WHERE m.storage_id = q.storage_id AND m.size >= 0 ORDER BY m.sequence LIMIT 1
    ) head
    CROSS JOIN LATERAL (
        SELECT m.storage_id, m.group_key, m.sent_at FROM fifo_messages m
        WHERE m.storage_id = q.storage_id AND m.size >= 0 ORDER BY m.sequence LIMIT @limit
    ) m
    WHERE head.sent_at <= q.oldest AND m.sent_at <= q.oldest
    LIMIT @limit
) expired`

// expireFIFOSQL removes expired messages of groups whose locks have been taken.
const expireFIFOSQL = `
WITH input AS (
    SELECT i.queue, i.storage, i.group_key, q.now, q.now - q.retention AS oldest
    FROM unnest(@queue::bigint[], @storage::bigint[], @group::bigint[]) AS i(queue, storage, group_key)
    CROSS JOIN LATERAL (
        SELECT q.retention, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = i.queue AND q.storage_id = i.storage LIMIT 1
    ) q
), expired AS MATERIALIZED (
    SELECT i.queue, i.now, m.place FROM input i CROSS JOIN LATERAL (
        SELECT m.ctid AS place FROM fifo_messages m
        WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sent_at <= i.oldest ORDER BY m.sequence LIMIT @limit
    ) m
    LIMIT @limit
), removed AS (
    DELETE FROM fifo_messages m USING expired e WHERE m.ctid = e.place
    RETURNING e.queue, e.now, m.storage_id, m.id, m.visible_at, m.receive_count, m.size
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight, delayed)
    SELECT storage_id, '-infinity', -count(*), -sum(size), 0, 0 FROM removed GROUP BY 1
    UNION ALL
    SELECT storage_id, visible_at, 0, 0, -count(*) FILTER (WHERE receive_count > 0), -count(*) FILTER (WHERE receive_count = 0)
    FROM removed WHERE visible_at > now GROUP BY 1, 2
)
SELECT queue, id FROM removed`

// maxTidied bounds the messages that are removed by one tidying of groups.
const maxTidied = 5000

// expireFIFO removes up to about limit messages of FIFO queues that are past their retention, which may
// make those behind them available, and gives how many.
func (s *Store) expireFIFO(ctx context.Context, limit int) (int, error) {
	var groups []*touchedGroup
	err := s.do(ctx, expiredGroupsSQL, pgx.StrictNamedArgs{"limit": min(limit, maxTidied)}, func(rows pgx.Rows) error {
		var id int64
		var key groupKey
		_, err := pgx.ForEachRow(rows, []any{&id, &key.storage, &key.key}, func() error {
			groups = append(groups, &touchedGroup{groupKey: key, queue: &core.Queue{ID: id, Storage: key.storage}})
			return nil
		})
		return err
	})
	if err != nil || len(groups) == 0 {
		return 0, err
	}
	return s.tidyGroups(ctx, groups)
}

// tidyGroups removes expired messages of groups, and the groups that are empty, and gives how many messages it were.
func (s *Store) tidyGroups(ctx context.Context, groups []*touchedGroup) (removed int, err error) {
	f := &fifoPart{}
	var queues, storages, keys []int64
	var expired []expiredMessage
	for _, g := range groups {
		f.groups = append(f.groups, &touchedGroup{groupKey: g.groupKey, queue: g.queue, changed: true, force: true})
		queues, storages, keys = append(queues, g.queue.ID), append(storages, g.storage), append(keys, g.key)
	}
	f.sort()
	batch := s.newBatch()
	s.queueLocks(batch, f)
	queue(batch, expireFIFOSQL, pgx.StrictNamedArgs{"queue": queues, "storage": storages, "group": keys, "limit": maxTidied}).
		Query(func(rows pgx.Rows) (err error) {
			expired, err = pgx.CollectRows(rows, pgx.RowToStructByPos[expiredMessage])
			return err
		})
	s.queueRefresh(batch, f)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := s.sendLocking(ctx, batch); err != nil {
		return 0, translate(err)
	}
	announceGroups(s, f.groups)
	s.observeExpired(ctx, expired)
	return len(expired), nil
}

// sweepGroupsSQL is sweepSQL for the groups of FIFO queues.
const sweepGroupsSQL = `
SELECT i.storage, d.due
FROM unnest(@storage::bigint[], @priority::smallint[], @mark::timestamptz[]) AS i(storage, priority, mark)
CROSS JOIN LATERAL (
    SELECT g.due FROM groups g WHERE g.storage_id = i.storage AND g.head >= 0 AND g.due < i.mark ORDER BY g.due LIMIT 1
) d
WHERE i.priority = 0`

// removeIDsSQL removes what FIFO queues need not remember any more.
const removeIDsSQL = `
WITH sent AS (
    DELETE FROM deduplication WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM deduplication WHERE written_at < now() - @window::interval ORDER BY written_at LIMIT @limit FOR UPDATE SKIP LOCKED))
    RETURNING 1
), attempted AS (
    DELETE FROM receive_attempts WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM receive_attempts WHERE written_at < now() - @window::interval ORDER BY written_at LIMIT @limit FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT FROM sent UNION ALL SELECT FROM attempted`

// RemoveIDs removes up to twice limit ids that FIFO queues need not remember any more, and gives how many.
func (s *Store) RemoveIDs(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, removeIDsSQL, pgx.StrictNamedArgs{"limit": limit, "window": core.DeduplicationWindow})
}

// removeDroppedFIFOSQL removes what is left of purged and deleted FIFO queues.
const removeDroppedFIFOSQL = `
WITH dropped AS (
    SELECT storage_id FROM dropped_storages
), removed AS (
    DELETE FROM fifo_messages WHERE ctid = ANY (ARRAY(
        SELECT m.ctid FROM dropped d CROSS JOIN LATERAL (
            SELECT m.ctid FROM fifo_messages m WHERE m.storage_id = d.storage_id LIMIT @limit FOR UPDATE SKIP LOCKED) m LIMIT @limit))
    RETURNING 1
), ungrouped AS (
    DELETE FROM groups WHERE ctid = ANY (ARRAY(
        SELECT g.ctid FROM dropped d CROSS JOIN LATERAL (
            SELECT g.ctid FROM groups g WHERE g.storage_id = d.storage_id LIMIT @limit FOR UPDATE SKIP LOCKED) g LIMIT @limit))
    RETURNING 1
)
SELECT FROM removed UNION ALL SELECT FROM ungrouped`
