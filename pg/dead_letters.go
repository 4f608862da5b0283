package pg

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const deadLetterSourcesSQL = `SELECT ` + queueColumns + ` FROM queues q
WHERE account = @account AND region = @region AND dead_letter_target = @name AND dead_letter_target <> '' AND name > @after
ORDER BY name LIMIT @limit`

// DeadLetterSources is of core.Store.
func (s *Store) DeadLetterSources(ctx context.Context, name core.QueueName, after string, limit int) (core.QueuePage, error) {
	args := nameArgs(name)
	args["after"], args["limit"] = after, limit+1
	var page core.QueuePage
	err := s.do(ctx, deadLetterSourcesSQL, args, func(rows pgx.Rows) (err error) {
		page.Queues, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.Queue, error) { return scanQueue(row) })
		return err
	})
	if len(page.Queues) > limit {
		page.Queues = page.Queues[:limit]
		page.Next = page.Queues[limit-1].Name.Name
	}
	return page, err
}

// moveTime is for how long a receive hides the dead letters that it finds: longer than it takes to move them,
// and no longer than need be, for that is how late they are moved when their server dies meanwhile.
const moveTime = 2 * callTimeout

// mostReceives is how often queue q hands a message out before it is a dead letter. Without a policy, or while the queue
// that the policy names is not there or of another kind, that is as often as one likes. It is no EXISTS, which may be answered by a hash of
// all queues.
const mostReceives = `CASE WHEN q.dead_letter_target <> '' AND (
            SELECT true FROM queues t WHERE t.account = q.account AND t.region = q.region AND t.name = q.dead_letter_target AND t.fifo = q.fifo LIMIT 1
        ) THEN q.max_receives ELSE 2147483647 END`

// moveDeadSQL moves messages that a receive found to be dead letters to the queue's dead-letter queue; with due, those that
// are dead letters for the next receive. What is not as its handle says stays, for somebody else has got hold of it,
// and so does what is of a priority that the target does not look for yet. First comes the target, if it is there.
const moveDeadSQL = `
WITH target AS (
    SELECT t.id, t.storage_id, t.priorities, q.storage_id AS source_storage, q.source, q.now, q.now - q.retention AS oldest, q.max_receives
    FROM (
        SELECT q.storage_id, q.account, q.region, q.account || '/' || q.region || '/' || q.name AS source, q.dead_letter_target, q.retention, q.max_receives,
            now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = @queue AND q.storage_id = @storage LIMIT 1
    ) q
    CROSS JOIN LATERAL (
        SELECT t.id, t.storage_id, t.priorities FROM queues t
        WHERE t.account = q.account AND t.region = q.region AND t.name = q.dead_letter_target AND NOT t.fifo LIMIT 1
    ) t
), dead AS MATERIALIZED (
    SELECT t.storage_id AS target, t.source, t.now, m.place
    FROM target t CROSS JOIN unnest(@id::bigint[], @version::integer[]) AS i(id, version)
    CROSS JOIN LATERAL (
        SELECT m.ctid AS place, m.priority, m.visible_at, m.sent_at, m.receive_count - COALESCE(m.prior_receives, 0) AS receives
        FROM messages m -- a condition on the priority would let the planner take the index due
        WHERE m.storage_id = t.source_storage AND m.id = i.id AND m.handle_version = i.version LIMIT 1 FOR UPDATE
    ) m
    WHERE t.priorities & (1 << m.priority::integer) <> 0
        AND (NOT @due::boolean OR m.visible_at <= t.now AND m.receives >= t.max_receives AND m.sent_at > t.oldest)
), taken AS (
    DELETE FROM messages m USING dead d WHERE m.ctid = d.place
    RETURNING d.target, d.source AS moved_from, d.now, m.*
), moved AS (
    INSERT INTO messages (storage_id, id, visible_at, sent_at, first_received_at, received_at, receive_count, prior_receives, handle_version,
        size, key_id, priority, form, sender, group_id, source, attributes, body)
    SELECT target, id, now, sent_at, first_received_at, received_at, receive_count, receive_count, handle_version,
        size, key_id, priority, form, sender, group_id, moved_from, attributes, body
    FROM taken
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight)
    SELECT storage_id, CASE WHEN visible_at > now THEN date_bin('1 second', visible_at, '2000-01-01') ELSE '-infinity' END, -count(*), -sum(size),
        -count(*) FILTER (WHERE visible_at > now)
    FROM taken GROUP BY 1, 2
    UNION ALL
    SELECT target, '-infinity', count(*), sum(size), 0 FROM taken GROUP BY 1
)
SELECT 0, id, storage_id, priorities, now FROM target
UNION ALL
SELECT 1, id, 0, 0, now FROM taken`

// deadTarget is what a move found of the dead-letter queue.
type deadTarget struct {
	queue core.Queue // its ID, Storage and Priorities; ID 0: it is not there
	now   time.Time
	moved []int64
}

// moveDead moves dead letters to the queue's dead-letter queue. What is not moved, for a fault of the database or
// since that queue is just being deleted, is found again by a receive after the moveTime.
func (s *Store) moveDead(queue *core.Queue, dead []received) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	var priorities uint32
	for i := range dead {
		priorities |= 1 << dead[i].Priority
	}
	if err := s.moveDeadOf(ctx, queue, dead, priorities, false); err != nil {
		s.log.Warn().Err(err).Str("queue", queue.Name.String()).Int("messages", len(dead)).Msg("could not move dead letters; a later receive does")
	}
}

// MoveDeadLetters is of core.Store.
func (s *Store) MoveDeadLetters(ctx context.Context, queue *core.Queue, handles []string) error {
	var dead []received
	for _, text := range handles {
		if h, err := s.keys.parse(queue.ID, text); err == nil && h.storage == queue.Storage && !queue.FIFO {
			dead = append(dead, received{handle: h})
		}
	}
	if len(dead) == 0 {
		return nil
	}
	return s.moveDeadOf(ctx, queue, dead, queue.Priorities, true)
}

// moveDeadOf moves dead letters that are of the priorities, and has their target look for those if it must.
func (s *Store) moveDeadOf(ctx context.Context, queue *core.Queue, dead []received, priorities uint32, due bool) error {
	target, err := s.moveDeadOnce(ctx, queue, dead, due)
	missing := priorities &^ target.queue.Priorities
	if err != nil || target.queue.ID == 0 || missing == 0 || len(target.moved) == len(dead) {
		return err
	}
	if err := s.widen(ctx, target.queue.ID, missing); err != nil {
		return err
	}
	_, err = s.moveDeadOnce(ctx, queue, dead, due)
	return err
}

func (s *Store) moveDeadOnce(ctx context.Context, queue *core.Queue, dead []received, due bool) (target deadTarget, err error) {
	slices.SortFunc(dead, func(a, b received) int { return cmp.Compare(a.handle.id, b.handle.id) })
	ids, versions := make([]int64, len(dead)), make([]int32, len(dead))
	for i := range dead {
		ids[i], versions[i] = dead[i].handle.id, dead[i].handle.version
	}
	began := time.Now()
	err = s.do(ctx, moveDeadSQL, pgx.StrictNamedArgs{"queue": queue.ID, "storage": queue.Storage, "id": ids, "version": versions, "due": due},
		func(rows pgx.Rows) error {
			var kind, priorities int32
			var id, storage int64
			var now time.Time
			_, err := pgx.ForEachRow(rows, []any{&kind, &id, &storage, &priorities, &now}, func() error {
				if kind == 0 {
					target.queue, target.now = core.Queue{ID: id, Storage: storage, Priorities: uint32(priorities)}, now
				} else {
					target.moved = append(target.moved, id)
				}
				return nil
			})
			return err
		})
	if err != nil || len(target.moved) == 0 {
		return target, err
	}
	for _, id := range target.moved {
		s.observeMove(ctx, queue, s.keys.messageID(id))
	}
	s.unfolded.add([]int64{queue.Storage, target.queue.Storage})
	s.announce(&target.queue, len(target.moved), 0, target.now)
	if s.isLate(began) {
		s.assure([]int64{target.queue.ID})
	}
	return target, nil
}

const widenSQL = `UPDATE queues q SET version = version + 1, priorities = priorities | @priorities WHERE id = @id`

// widen has a queue look for messages of more priorities.
func (s *Store) widen(ctx context.Context, queue int64, priorities uint32) error {
	_, err := s.exec(ctx, widenSQL, pgx.StrictNamedArgs{"id": queue, "priorities": int32(priorities)})
	if err == nil {
		s.queues.forgetID(queue)
		s.announceChange(queue)
	}
	return err
}

// observeMove tells of a message that became a dead letter, in the logs of both queues.
func (s *Store) observeMove(ctx context.Context, queue *core.Queue, id core.MessageID) {
	left, came := core.DeadLettered(id, queue.Name.Name, queue.DeadLetter.Target)
	s.observed(queue, left)
	name := queue.Name
	name.Name = queue.DeadLetter.Target
	if target, err := s.Queue(ctx, name); err == nil { // cached: it was just written to
		s.observed(target, came)
	}
}
