package pg

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const (
	// delayPageRows is how many messages of a queue a step looks at when its delay has changed.
	delayPageRows = 1000

	// delayIdle is how long nobody has been at a change of delay that another server goes on with.
	delayIdle = time.Minute
)

// delayChangedSQL notes the delay that a queue had, for as long as some of its messages may have it still.
const delayChangedSQL = `INSERT INTO delay_changes (queue_id, old) VALUES (@queue, @old)`

// delayChangesSQL gives the changes of a queue's delay that not all of its messages have followed.
const delayChangesSQL = `UPDATE delay_changes SET touched_at = now() WHERE queue_id = @queue RETURNING id`

// delayPageSQL gives the last messages of a queue before one of them, and says of each that was never received whether it has waited
// for less than a delay that the queue had, or would have to wait by the new one (young), and whether its delay is one that the queue
// had, or over (delayed): a change passes over what has waited for longer, so that this has any delay of before.
const delayPageSQL = `
WITH queue AS MATERIALIZED (
    SELECT q.storage_id, q.delay, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now,
        ARRAY(SELECT c.old FROM delay_changes c WHERE c.queue_id = q.id) AS old
    FROM queues q WHERE q.id = @queue LIMIT 1
)
SELECT m.storage_id, m.sequence, m.group_key, m.sent_at > q.now - (SELECT max(d) FROM unnest(q.old || q.delay) d) AS young,
    m.receive_count = 0 AND (m.visible_at - m.sent_at = ANY (q.old) OR m.visible_at <= q.now) AS delayed
FROM queue q
CROSS JOIN LATERAL (
    SELECT * FROM fifo_messages m WHERE m.storage_id = q.storage_id AND m.sequence < @before AND m.size >= 0
    ORDER BY m.sequence DESC LIMIT @limit
) m`

// delayedMessage is a row of it.
type delayedMessage struct {
	Storage        int64 `db:"storage_id"`
	Sequence       int64
	Group          int64 `db:"group_key"`
	Young, Delayed bool
}

// delayFIFOSQL gives messages whose groups have been locked the delay that the queue has now, unless they have been received meanwhile.
const delayFIFOSQL = `
WITH input AS (
    SELECT i.storage, i.group_key, i.sequence, q.delay, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM unnest(@storages::bigint[], @group::bigint[], @sequence::bigint[]) AS i(storage, group_key, sequence)
    CROSS JOIN LATERAL (SELECT q.account, q.delay FROM queues q WHERE q.id = @queue AND q.storage_id = i.storage LIMIT 1) q
), found AS MATERIALIZED (
    SELECT i.*, m.visible_at AS was FROM input i CROSS JOIN LATERAL (
        SELECT m.visible_at FROM fifo_messages m
        WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sequence = i.sequence AND m.receive_count = 0 LIMIT 1
    ) m
), delayed AS (
    UPDATE fifo_messages m SET visible_at = m.sent_at + f.delay FROM found f
    WHERE m.storage_id = ANY (ARRAY[f.storage]) AND m.group_key = f.group_key AND m.sequence = f.sequence
    RETURNING m.storage_id, f.now, f.was, m.visible_at
)
INSERT INTO counts (storage_id, bucket, delayed)
SELECT storage_id, was, -count(*) FROM delayed WHERE was > now GROUP BY 1, 2
UNION ALL
SELECT storage_id, visible_at, count(*) FROM delayed WHERE visible_at > now GROUP BY 1, 2`

// touchDelaysSQL says that somebody is at changes of delay, and forgetDelaysSQL that all messages have followed them.
const (
	touchDelaysSQL  = `UPDATE delay_changes SET touched_at = now() WHERE id = ANY (@changes::bigint[])`
	forgetDelaysSQL = `DELETE FROM delay_changes WHERE id = ANY (@changes::bigint[])`
)

// delayFIFO brings the messages of a FIFO queue in line with its delay, which reaches back there, if they are not. It goes through
// them from the last one to the first that a delay concerns, in steps, so that no group is locked for long. Each step reads what
// the delays are and were, so that several servers may be at it, and the delay may change again meanwhile.
func (s *Store) delayFIFO(ctx context.Context, queue *core.Queue) error {
	var changes []int64
	err := s.do(ctx, delayChangesSQL, pgx.StrictNamedArgs{"queue": queue.ID}, func(rows pgx.Rows) (err error) {
		changes, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	if err != nil || len(changes) == 0 {
		return err
	}
	for before, more := int64(math.MaxInt64), true; more; {
		var groups []*touchedGroup
		began := time.Now()
		err := s.lockingTransaction(ctx, func(tx pgx.Tx) (err error) {
			before, more, groups, err = s.delayPage(ctx, tx, queue, changes, before)
			return err
		})
		if err != nil {
			return fmt.Errorf("give the messages of %s their new delay: %w", queue.Name, err)
		}
		announceGroups(s, groups)
		if s.isLate(began) {
			s.assure([]int64{queue.ID})
		}
	}
	_, err = s.exec(ctx, forgetDelaysSQL, pgx.StrictNamedArgs{"changes": changes})
	return err
}

// delayPage does a step: more is false when no message before these needs to be looked at.
func (s *Store) delayPage(ctx context.Context, tx pgx.Tx, q *core.Queue, changes []int64, before int64) (first int64, more bool, groups []*touchedGroup, err error) {
	rows, _ := tx.Query(ctx, delayPageSQL, pgx.StrictNamedArgs{"queue": q.ID, "before": before, "limit": delayPageRows}) // CollectRows returns its error
	page, err := pgx.CollectRows(rows, pgx.RowToStructByName[delayedMessage])
	if err != nil {
		return before, false, nil, err
	}
	f := &fifoPart{byGroup: map[groupKey]*touchedGroup{}}
	queueNow := *q // a purge may have given it new content
	var storages, keys, sequences []int64
	first = before
	for _, m := range page {
		queueNow.Storage = m.Storage
		first = min(first, m.Sequence)
		more = more || m.Young
		if m.Young && m.Delayed {
			g := f.group(&queueNow, m.Group)
			g.changed, g.force = true, true
			storages, keys, sequences = append(storages, m.Storage), append(keys, m.Group), append(sequences, m.Sequence)
		}
	}
	if len(keys) == 0 {
		return first, more, nil, nil
	}
	f.sort()
	batch := &pgx.Batch{}
	s.queueLocks(batch, f)
	queue(batch, delayFIFOSQL, pgx.StrictNamedArgs{"queue": q.ID, "storages": storages, "group": keys, "sequence": sequences})
	queue(batch, touchDelaysSQL, pgx.StrictNamedArgs{"changes": changes})
	s.queueRefresh(batch, f)
	return first, more, f.groups, tx.SendBatch(ctx, batch).Close()
}

// idleDelaysSQL takes on changes of delay whose servers have died, or failed.
const idleDelaysSQL = `
WITH taken AS (
    UPDATE delay_changes SET touched_at = now() WHERE id = ANY (ARRAY(
        SELECT c.id FROM delay_changes c WHERE c.touched_at < now() - @idle::interval ORDER BY c.touched_at LIMIT @limit FOR UPDATE SKIP LOCKED))
    RETURNING queue_id
)
SELECT q.id, q.account, q.region, q.name FROM (SELECT DISTINCT queue_id FROM taken) t
CROSS JOIN LATERAL (SELECT * FROM queues q WHERE q.id = t.queue_id LIMIT 1) q`

// FinishDelays gives messages of FIFO queues the delays that servers which are no more have left undone, and gives of how many
// queues, limit at the most.
func (s *Store) FinishDelays(ctx context.Context, limit int) (int, error) {
	var queues []core.Queue
	err := s.do(ctx, idleDelaysSQL, pgx.StrictNamedArgs{"idle": delayIdle, "limit": limit}, func(rows pgx.Rows) error {
		var q core.Queue
		_, err := pgx.ForEachRow(rows, []any{&q.ID, &q.Name.Account, &q.Name.Region, &q.Name.Name}, func() error {
			queues = append(queues, q)
			return nil
		})
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range queues {
		if err := s.delayFIFO(ctx, &queues[i]); err != nil {
			return i, err
		}
	}
	return len(queues), nil
}
