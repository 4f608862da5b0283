package pg

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// delayPageRows is how many messages of a queue a step looks at when its delay has changed.
const delayPageRows = 1000

// delayPageSQL gives the last messages of a queue before one of them, and says of each whether its delay changes with the
// queue's: those never received that have waited for less than the old delay, or would have to wait by the new one.
const delayPageSQL = `
SELECT m.sequence, m.group_key, m.sent_at > q.now - greatest(@old::interval, @new::interval) AS young,
    m.receive_count = 0 AND CASE WHEN @old::interval > '0' THEN m.visible_at = m.sent_at + @old ELSE m.visible_at <= m.sent_at END AS delayed
FROM (SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = @account), '0') AS now) q
CROSS JOIN LATERAL (
    SELECT * FROM fifo_messages m WHERE m.storage_id = @storage AND m.sequence < @before AND m.size IS NOT NULL
    ORDER BY m.sequence DESC LIMIT @limit
) m`

// delayedMessage is a row of it.
type delayedMessage struct {
	Sequence       int64
	Group          int64 `db:"group_key"`
	Young, Delayed bool
}

// delayFIFOSQL gives messages whose groups have been locked the queue's new delay, unless they have been received meanwhile.
const delayFIFOSQL = `
WITH input AS (
    SELECT i.storage, i.group_key, i.sequence, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = @account), '0') AS now
    FROM unnest(@storages::bigint[], @group::bigint[], @sequence::bigint[]) AS i(storage, group_key, sequence)
), found AS MATERIALIZED (
    SELECT i.*, m.visible_at AS was FROM input i CROSS JOIN LATERAL (
        SELECT m.visible_at FROM fifo_messages m
        WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sequence = i.sequence AND m.receive_count = 0 LIMIT 1
    ) m
), delayed AS (
    UPDATE fifo_messages m SET visible_at = m.sent_at + @new::interval FROM found f
    WHERE m.storage_id = ANY (ARRAY[f.storage]) AND m.group_key = f.group_key AND m.sequence = f.sequence
    RETURNING m.storage_id, f.now, f.was, m.visible_at
)
INSERT INTO counts (storage_id, bucket, delayed)
SELECT storage_id, was, -count(*) FROM delayed WHERE was > now GROUP BY 1, 2
UNION ALL
SELECT storage_id, visible_at, count(*) FROM delayed WHERE visible_at > now GROUP BY 1, 2`

// delayFIFO brings the messages of a FIFO queue in line with its new delay, which reaches back there. It goes through them from
// the last one to the first that either delay concerns, in steps, so that no group is locked for long. A server that dies
// meanwhile leaves the old delay to those that it has not come to.
func (s *Store) delayFIFO(ctx context.Context, q *core.Queue, old time.Duration) error {
	for before := int64(math.MaxInt64); ; {
		var groups []*touchedGroup
		var more bool
		err := s.lockingTransaction(ctx, func(tx pgx.Tx) (err error) {
			before, more, groups, err = s.delayPage(ctx, tx, q, old, before)
			return err
		})
		if err != nil {
			return fmt.Errorf("give the messages of %s their new delay: %w", q.Name, err)
		}
		announceGroups(s, groups)
		if !more {
			return nil
		}
	}
}

// delayPage does a step: more is false when no message before these needs to be looked at.
func (s *Store) delayPage(ctx context.Context, tx pgx.Tx, q *core.Queue, old time.Duration, before int64) (first int64, more bool, groups []*touchedGroup, err error) {
	args := pgx.StrictNamedArgs{"account": q.Name.Account, "storage": q.Storage, "old": old, "new": q.Delay, "before": before, "limit": delayPageRows}
	rows, _ := tx.Query(ctx, delayPageSQL, args) // CollectRows returns its error
	page, err := pgx.CollectRows(rows, pgx.RowToStructByName[delayedMessage])
	if err != nil {
		return before, false, nil, err
	}
	f := &fifoPart{byGroup: map[groupKey]*touchedGroup{}}
	var storages, keys, sequences []int64
	first = before
	for _, m := range page {
		first = min(first, m.Sequence)
		more = more || m.Young
		if m.Young && m.Delayed {
			g := f.group(q, m.Group)
			g.changed, g.force = true, true
			storages, keys, sequences = append(storages, q.Storage), append(keys, m.Group), append(sequences, m.Sequence)
		}
	}
	if len(keys) == 0 {
		return first, more, nil, nil
	}
	f.sort()
	batch := &pgx.Batch{}
	s.queueLocks(batch, f)
	queue(batch, delayFIFOSQL, pgx.StrictNamedArgs{"account": q.Name.Account, "storages": storages, "group": keys, "sequence": sequences, "new": q.Delay})
	s.queueRefresh(batch, f)
	return first, more, f.groups, tx.SendBatch(ctx, batch).Close()
}
