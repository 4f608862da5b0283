package pg

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// attemptDigest gives what an attempt to receive is remembered by, nil for one without an id.
func attemptDigest(id string) *digest {
	if id == "" {
		return nil
	}
	d := digestOf(id)
	return &d
}

const attemptSQL = `
SELECT t.groups, t.sequences, t.versions, t.visible_at, q.now
FROM (
    SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM queues q WHERE q.id = @queue AND q.version = @version
) q
CROSS JOIN LATERAL (SELECT * FROM receive_attempts t WHERE t.storage_id = q.storage_id AND t.digest = @digest AND t.expires_at > q.now LIMIT 1) t`

// repeatSQL hides the messages of an attempt anew. Each must be in the state that the attempt left it in.
const repeatSQL = `
WITH input AS (
    SELECT i.*, @storage::bigint AS storage FROM unnest(@group::bigint[], @sequence::bigint[], @version::integer[]) AS i(group_key, sequence, version) OFFSET 0
), repeated AS (
    UPDATE fifo_messages m SET visible_at = @now::timestamptz + @timeout::interval FROM input i
    WHERE m.storage_id = ANY (ARRAY[i.storage]) AND m.group_key = i.group_key AND m.sequence = i.sequence AND m.handle_version = i.version
        AND m.visible_at = @visible_at AND m.visible_at > @now
    RETURNING m.*
), counted AS (
    INSERT INTO counts (storage_id, bucket, in_flight)
    SELECT storage_id, @visible_at, -count(*) FROM repeated GROUP BY 1
    UNION ALL
    SELECT storage_id, visible_at, count(*) FROM repeated WHERE visible_at > @now GROUP BY 1, 2
), remembered AS (
    UPDATE receive_attempts SET visible_at = @now::timestamptz + @timeout::interval WHERE storage_id = @storage AND digest = @digest
)
SELECT ` + fifoColumns + ` FROM repeated`

var errAttemptOver = errors.New("the messages of the attempt are not as it left them")

// repeatAttempt gives the messages of an earlier attempt of the same id, hidden anew, and none where there was
// no such attempt or its messages have changed.
func (s *Store) repeatAttempt(ctx context.Context, q *core.Queue, attempt *digest, timeout time.Duration) ([]core.Message, error) {
	var messages []core.Message
	var groups []*touchedGroup
	err := s.lockingTransaction(ctx, func(tx pgx.Tx) error {
		args := pgx.StrictNamedArgs{"queue": q.ID, "version": q.Version, "digest": attempt.bytes()}
		var keys, sequences []int64
		var versions []int32
		var visibleAt, now time.Time
		if err := tx.QueryRow(ctx, attemptSQL, args).Scan(&keys, &sequences, &versions, &visibleAt, &now); err != nil {
			return err
		}
		f := &fifoPart{byGroup: map[groupKey]*touchedGroup{}}
		for _, key := range keys {
			g := f.group(q, key)
			g.changed, g.force = true, true
		}
		f.sort()
		batch := &pgx.Batch{}
		s.queueLocks(batch, f)
		queue(batch, repeatSQL, pgx.StrictNamedArgs{
			"group": keys, "sequence": sequences, "version": versions, "storage": q.Storage, "digest": attempt.bytes(),
			"visible_at": visibleAt, "now": now, "timeout": timeout,
		}).Query(func(rows pgx.Rows) (err error) {
			messages, err = s.readFIFOMessages(rows, q)
			return err
		})
		s.queueRefresh(batch, f)
		groups = f.groups
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		if len(messages) != len(sequences) {
			return errAttemptOver
		}
		return nil
	})
	if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, errAttemptOver) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	announceGroups(s, groups)
	slices.SortFunc(messages, func(a, b core.Message) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return messages, nil
}
