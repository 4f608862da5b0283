package pg

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// expireBatch is how many messages AdvanceClock removes with one statement.
const expireBatch = 5000

// expireSQL removes messages past their queue's retention. Row ids rise with the time of sending, give
// or take a minute, so a queue whose first message has not expired has nothing to remove, and one that
// has need not be looked through beyond as many messages as may be removed. Where time was moved, that minute
// may have been made a day, so the first message says nothing.
const expireSQL = `
WITH aging AS (
    SELECT q.id AS queue, q.storage_id, now() + q.ahead AS now, now() + q.ahead - q.retention AS oldest
    FROM (SELECT q.id, q.storage_id, q.retention, COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS ahead FROM queues q OFFSET 0) q
    CROSS JOIN LATERAL (SELECT m.sent_at FROM messages m WHERE m.storage_id = q.storage_id ORDER BY m.id LIMIT 1) head
    WHERE head.sent_at <= now() + q.ahead - q.retention OR q.ahead > '0'
), expired AS (
    SELECT a.queue, a.now, m.place FROM aging a CROSS JOIN LATERAL (
        SELECT m.id FROM messages m WHERE m.storage_id = a.storage_id ORDER BY m.id LIMIT @limit
    ) first CROSS JOIN LATERAL (
        SELECT m.ctid AS place FROM messages m WHERE m.storage_id = a.storage_id AND m.id = first.id AND m.sent_at <= a.oldest
        LIMIT 1 FOR UPDATE SKIP LOCKED
    ) m
    LIMIT @limit
), removed AS (
    DELETE FROM messages m USING expired e WHERE m.ctid = e.place
    RETURNING e.queue, e.now, m.storage_id, m.id, m.visible_at, m.receive_count, m.size
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight, delayed)
    SELECT storage_id, CASE WHEN visible_at > now THEN date_bin('1 second', visible_at, '2000-01-01') ELSE '-infinity' END, -count(*), -sum(size),
        -count(*) FILTER (WHERE visible_at > now AND receive_count > 0), -count(*) FILTER (WHERE visible_at > now AND receive_count = 0)
    FROM removed GROUP BY 1, 2
)
SELECT queue, id FROM removed`

// ExpireMessages removes up to limit messages that are past their retention, and gives how many.
func (s *Store) ExpireMessages(ctx context.Context, limit int) (int, error) {
	var expired []expiredMessage
	err := s.do(ctx, expireSQL, pgx.StrictNamedArgs{"limit": limit}, func(rows pgx.Rows) (err error) {
		expired, err = pgx.CollectRows(rows, pgx.RowToStructByPos[expiredMessage])
		return err
	})
	if err != nil {
		return 0, err
	}
	s.observeExpired(ctx, expired)
	ofFIFO, err := s.expireFIFO(ctx, limit)
	return max(len(expired), ofFIFO), err // who goes on while it is limit is to go on for either
}

type expiredMessage struct{ Queue, ID int64 }

// observeExpired tells of messages that were removed, as far as their queues can still be found.
func (s *Store) observeExpired(ctx context.Context, expired []expiredMessage) {
	ids := map[int64]bool{}
	for _, e := range expired {
		ids[e.Queue] = true
	}
	if len(ids) == 0 {
		return
	}
	queues, err := s.queuesByID(ctx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		s.log.Warn().Err(err).Int("messages", len(expired)).Msg("the message log does not tell of messages that expired")
		return
	}
	for _, e := range expired {
		s.observed(queues[e.Queue], core.Event{Kind: core.EventExpired, MessageID: s.keys.messageID(e.ID)})
	}
}

// dropGrace is for how long a dropped storage is looked at again, for sends that committed late.
const dropGrace = 5 * time.Minute

const removeDroppedSQL = `
WITH dropped AS (
    SELECT storage_id FROM dropped_storages ORDER BY storage_id FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM messages WHERE ctid = ANY (ARRAY(
        SELECT m.ctid FROM dropped d CROSS JOIN LATERAL (
            SELECT m.ctid FROM messages m WHERE m.storage_id = d.storage_id LIMIT @limit FOR UPDATE SKIP LOCKED) m LIMIT @limit))
    RETURNING 1
), uncounted AS (
    DELETE FROM counts c USING dropped d WHERE c.storage_id = ANY (ARRAY[d.storage_id])
), forgotten AS (
    DELETE FROM dropped_storages d WHERE d.dropped_at < now() - @grace::interval
        AND NOT EXISTS (SELECT FROM messages m WHERE m.storage_id = d.storage_id)
        AND NOT EXISTS (SELECT FROM fifo_messages m WHERE m.storage_id = d.storage_id)
        AND NOT EXISTS (SELECT FROM groups g WHERE g.storage_id = d.storage_id)
)
SELECT 1 FROM removed`

// RemoveDropped removes up to limit messages of purged and deleted queues, and gives how many.
func (s *Store) RemoveDropped(ctx context.Context, limit int) (int, error) {
	ofFIFO, err := s.exec(ctx, removeDroppedFIFOSQL, pgx.StrictNamedArgs{"limit": limit})
	if err != nil {
		return ofFIFO, err
	}
	n, err := s.exec(ctx, removeDroppedSQL, pgx.StrictNamedArgs{"limit": limit, "grace": dropGrace})
	return max(n, ofFIFO), err
}

const bloatedSQL = `
SELECT relname::text FROM pg_stat_user_tables
WHERE schemaname = @schema AND relname IN ('messages', 'counts', 'groups', 'fifo_messages', 'deduplication', 'receive_attempts', 'published', 'deliveries', 'attempts') AND n_dead_tup > greatest(@dead, n_live_tup / 10)`

// vacuumDead is how many dead rows a table must have, and a tenth of its live ones, to be vacuumed.
const vacuumDead = 20_000

// Vacuum vacuums the hot tables that have gathered dead rows: a borrowed PostgreSQL looks once a
// minute at the most.
func (s *Store) Vacuum(ctx context.Context) error {
	var tables []string
	err := s.do(ctx, bloatedSQL, pgx.StrictNamedArgs{"schema": s.opts.schema(), "dead": vacuumDead}, func(rows pgx.Rows) (err error) {
		tables, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil || len(tables) == 0 || s.opts.listenURL() == "" { // VACUUM needs a session, which a pooler does not give
		return err
	}
	conn, err := s.opts.directConn(ctx)
	if err != nil {
		return fmt.Errorf("connect for a vacuum: %w", translate(err))
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, unboundedSQL); err != nil {
		return err
	}
	for _, table := range tables {
		name := pgx.Identifier{s.opts.schema(), table}.Sanitize()
		if _, err := conn.Exec(ctx, `VACUUM (TRUNCATE false, SKIP_LOCKED) `+name); err != nil {
			return fmt.Errorf("vacuum %s: %w", table, translate(err))
		}
	}
	return nil
}

const sweepSQL = `
SELECT i.storage, d.visible_at
FROM unnest(@storage::bigint[], @priority::smallint[], @mark::timestamptz[]) AS i(storage, priority, mark)
CROSS JOIN LATERAL (
    SELECT m.visible_at FROM messages m
    WHERE m.storage_id = i.storage AND m.priority = i.priority AND m.visible_at < i.mark
    ORDER BY m.visible_at LIMIT 1
) d`

func (s *Store) readSweep(rows pgx.Rows) error {
	var storage int64
	var visibleAt time.Time
	_, err := pgx.ForEachRow(rows, []any{&storage, &visibleAt}, func() error {
		s.marks.lower(storage, visibleAt)
		return nil
	})
	return err
}

// sweepShare is the part of the time that sweeps may take: a hundredth.
const sweepShare = 100

// Sweep looks for visible messages behind the marks: the net for what no announcement reached
// this server. It does nothing when its share of the time is used up.
func (s *Store) Sweep(ctx context.Context) error {
	storages, priorities, low := s.marks.toSweep()
	if len(storages) == 0 {
		return nil
	}
	start := time.Now()
	args := pgx.StrictNamedArgs{"storage": storages, "priority": priorities, "mark": low}
	err := s.do(ctx, sweepSQL, args, s.readSweep)
	if err == nil && slices.Contains(priorities, groupsMark[0]) {
		err = s.do(ctx, sweepGroupsSQL, args, s.readSweep)
	}
	if err == nil {
		s.marks.lookedBehind(storages, start)
	}
	s.marks.swept(time.Now().Add(sweepShare * time.Since(start)))
	return err
}
