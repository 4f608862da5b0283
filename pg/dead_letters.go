package pg

import (
	"context"
	"errors"
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

// deadLetter is a message that a receive moved to the queue's dead-letter queue.
type deadLetter struct {
	id     core.MessageID
	target core.Queue // its ID and Storage
	at     time.Time  // since when it is visible there
}

// moveDeadSQL follows receiveSQL in trains that receive from queues with a dead-letter policy. Of the
// messages that the train has just received, and which the index finds by the moment until which they
// are hidden, it moves those that were received too often and undoes what this receive counted. A
// queue whose target is missing, or does not yet look for messages of that priority, keeps them.
const moveDeadSQL = `
WITH lanes AS (
    SELECT l.ord, l.first, l.last, q.storage_id, q.max_receives, q.source, q.now, q.now + l.timeout * interval '1 microsecond' AS until,
        t.id AS target, t.storage_id AS target_storage, t.priorities
    FROM unnest(@queue::bigint[], @version::bigint[], @first::integer[], @last::integer[], @timeout::bigint[])
        WITH ORDINALITY AS l(queue, version, first, last, timeout, ord)
    CROSS JOIN LATERAL (
        SELECT q.storage_id, q.account, q.region, q.account || '/' || q.region || '/' || q.name AS source, q.dead_letter_target, q.max_receives,
            now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = l.queue AND q.version = l.version LIMIT 1
    ) q
    CROSS JOIN LATERAL (
        SELECT t.id, t.storage_id, t.priorities FROM queues t
        WHERE t.account = q.account AND t.region = q.region AND t.name = q.dead_letter_target AND NOT t.fifo LIMIT 1
    ) t
), dead AS MATERIALIZED (
    SELECT l.ord, l.source, l.now, l.until, l.target, l.target_storage, d.place FROM lanes l CROSS JOIN LATERAL (
        SELECT m.place FROM unnest((@priority::smallint[])[l.first:l.last]) AS p(priority)
        CROSS JOIN LATERAL (
            SELECT m.ctid AS place, m.received_at, m.receive_count - COALESCE(m.prior_receives, 0) AS receives FROM messages m
            WHERE m.storage_id = l.storage_id AND m.priority = p.priority AND m.visible_at >= l.until AND m.visible_at <= l.until
            ORDER BY m.visible_at OFFSET 0 -- which only the index due can give
        ) m
        WHERE m.received_at = l.now AND m.receives > l.max_receives AND l.priorities & (1 << p.priority::integer) <> 0
    ) d
), taken AS (
    DELETE FROM messages m USING dead d WHERE m.ctid = d.place
    RETURNING d.ord, d.source, d.now, d.until, d.target, d.target_storage, m.storage_id, m.id, m.sent_at, m.first_received_at, m.received_at,
        m.receive_count - 1 AS receive_count, m.handle_version, m.size, m.key_id, m.priority, m.form, m.sender, m.group_id, m.attributes, m.body
), moved AS (
    INSERT INTO messages (storage_id, id, visible_at, sent_at, first_received_at, received_at, receive_count, prior_receives, handle_version,
        size, key_id, priority, form, sender, group_id, source, attributes, body)
    SELECT target_storage, id, now, sent_at, first_received_at, received_at, receive_count, receive_count, handle_version,
        size, key_id, priority, form, sender, group_id, source, attributes, body
    FROM taken
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight)
    SELECT storage_id, CASE WHEN until > now THEN date_bin('1 second', until, '2000-01-01') ELSE '-infinity' END, -count(*), -sum(size),
        -count(*) FILTER (WHERE until > now)
    FROM taken GROUP BY 1, 2
    UNION ALL
    SELECT target_storage, '-infinity', count(*), sum(size), 0 FROM taken GROUP BY 1
)
SELECT ord, id, target, target_storage, now FROM taken`

var moveDeadStatement = prepare(moveDeadSQL)

// movesDead reports whether receives of the queue may have to move messages away.
func movesDead(queue *core.Queue) bool { return queue.DeadLetter.Target != "" && !queue.FIFO }

func (s *Store) queueDead(batch *pgx.Batch, receives []*receiveOp) {
	if !slices.ContainsFunc(receives, func(o *receiveOp) bool { return movesDead(o.queue) }) {
		return
	}
	var (
		ops              []*receiveOp
		queues, versions []int64
		firsts, lasts    []int32
		timeouts         []int64
		priorities       []int16
	)
	for _, o := range receives {
		if !movesDead(o.queue) {
			continue
		}
		ops = append(ops, o)
		queues, versions, timeouts = append(queues, o.queue.ID), append(versions, o.queue.Version), append(timeouts, o.timeout.Microseconds())
		firsts = append(firsts, int32(len(priorities)+1)) // SQL counts from one
		priorities = append(priorities, o.priority...)
		lasts = append(lasts, int32(len(priorities)))
	}
	moveDeadStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues, "version": versions, "first": firsts, "last": lasts, "timeout": timeouts, "priority": priorities,
	}).Query(func(rows pgx.Rows) error { return s.readDead(rows, ops) })
}

func (s *Store) readDead(rows pgx.Rows, ops []*receiveOp) error {
	var ord, id int64
	var d deadLetter
	_, err := pgx.ForEachRow(rows, []any{&ord, &id, &d.target.ID, &d.target.Storage, &d.at}, func() error {
		d.id = s.keys.messageID(id)
		o := ops[ord-1]
		o.dead = append(o.dead, d)
		return nil
	})
	return err
}

// settleDead takes what was moved away out of a receive, makes it known where it went, and gives how
// much it was.
func (s *Store) settleDead(o *receiveOp) int {
	if len(o.dead) == 0 {
		return 0
	}
	moved := make(map[core.MessageID]bool, len(o.dead))
	for _, d := range o.dead {
		moved[d.id] = true
		s.observeMove(o.queue, d.id)
	}
	o.rows = slices.DeleteFunc(o.rows, func(r received) bool { return moved[r.ID] })
	s.announce(&o.dead[0].target, len(o.dead), 0, o.dead[0].at)
	return len(o.dead)
}

// defaultPriorities are those that every queue looks for.
const defaultPriorities = 1 << core.DefaultPriority

// readyTarget makes sure that the queue's dead-letter queue looks for messages of all the priorities
// that its own have. The cached target may be old; then a message is handed out once more.
func (s *Store) readyTarget(ctx context.Context, queue *core.Queue) error {
	if !movesDead(queue) || queue.Priorities&^defaultPriorities == 0 {
		return nil
	}
	name := queue.Name
	name.Name = queue.DeadLetter.Target
	target, err := s.Queue(ctx, name)
	if core.CodeOf(err) == core.QueueNotFound {
		return nil
	}
	if err == nil {
		_, err = s.withPriorities(ctx, target, queue.Priorities)
	}
	if errors.Is(err, core.ErrQueueChanged) { // somebody else's change, perhaps to the same end: the next receive sees
		return nil
	}
	return err
}

// observeMove tells of a message that became a dead letter.
func (s *Store) observeMove(queue *core.Queue, id core.MessageID) {
	s.observed(queue, core.Event{Kind: core.EventMoved, MessageID: id, Detail: "to dead-letter queue " + queue.DeadLetter.Target})
}
