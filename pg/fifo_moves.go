package pg

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// fifoMove moves one message of a FIFO queue to another. It happens only while the message is in the
// state that version names.
type fifoMove struct {
	group    int64 // of the message, in either queue
	sequence int64
	version  int32
	id       int64 // in the target; a new one makes it a new message there, without its past

	target          *core.Queue
	deduplicationID string // in the target

	moved bool  // what came of it
	was   int64 // its id before
}

// moveFIFOSQL moves messages between FIFO queues, whose groups' locks have been taken, and numbers them anew in the
// order given. A dead letter keeps its id and its past, and is told where it came
// from; a message with another id is a new one. It is sent now, in the eyes of its target.
const moveFIFOSQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.storage_id ORDER BY a.ord) AS storages, array_agg(q.now ORDER BY a.ord) AS nows
    FROM unnest(@queue::bigint[], @queue_version::bigint[]) WITH ORDINALITY AS a(queue, version, ord)
    LEFT JOIN LATERAL (
        SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
), taken AS (
    DELETE FROM fifo_messages m
    USING unnest(@storage::bigint[], @group::bigint[], @sequence::bigint[], @version::integer[], @id::bigint[], @place::integer[], @target::bigint[], @deduplication::text[])
        WITH ORDINALITY AS i(storage, group_key, sequence, version, id, queue, target, deduplication_id, ord)
    WHERE m.storage_id = ANY (ARRAY[i.storage]) AND m.group_key = i.group_key AND m.sequence = i.sequence AND m.handle_version = i.version
        AND (SELECT storages FROM queue)[i.queue] = i.target
    RETURNING i.ord, i.target, i.id AS new_id, i.deduplication_id AS new_deduplication_id, (SELECT nows FROM queue)[i.queue] AS now, m.*
), moved AS (
    INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, first_received_at, received_at, receive_count, prior_receives,
        handle_version, size, key_id, priority, form, group_id, deduplication_id, sender, source, attributes, body)
    SELECT target, group_key, (SELECT currval('sequence_blocks')) * 1024 + ord, new_id, now, now,
        CASE WHEN new_id = id THEN first_received_at END, CASE WHEN new_id = id THEN received_at END,
        CASE WHEN new_id = id THEN receive_count ELSE 0 END, CASE WHEN new_id = id THEN receive_count END,
        handle_version, size, key_id, priority, form, group_id, NULLIF(new_deduplication_id, ''), sender, CASE WHEN new_id = id THEN @source END, attributes, body
    FROM taken
    RETURNING storage_id, group_key, sequence, visible_at, size
), opened AS (
    INSERT INTO groups AS g (storage_id, group_key, due, head)
    SELECT storage_id, group_key, min(visible_at), min(sequence) FROM moved GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (storage_id, group_key) DO UPDATE SET due = excluded.due, head = excluded.head WHERE g.due = 'infinity'
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight)
    SELECT storage_id, '-infinity', -count(*), -sum(size), 0 FROM taken GROUP BY 1
    UNION ALL
    SELECT storage_id, visible_at, 0, 0, -count(*) FROM taken WHERE visible_at > now GROUP BY 1, 2
    UNION ALL
    SELECT storage_id, '-infinity', count(*), sum(size), 0 FROM moved GROUP BY 1
)
SELECT ord, now, id FROM taken`

// queueFIFOMoves puts the move of messages of one FIFO queue to others into a transaction, at most 1023 of them. The
// groups that it returns are to be announced after the commit (announceGroups). The queues are those that the
// messages are in and go to, as they are now: what goes to one that has changed is not moved.
func (s *Store) queueFIFOMoves(batch *pgx.Batch, source *core.Queue, sourceName string, moves []*fifoMove) []*touchedGroup {
	f := &fifoPart{byGroup: map[groupKey]*touchedGroup{}}
	for _, m := range moves {
		g := f.group(source, m.group)
		g.changed, g.force = true, true
		g = f.group(m.target, m.group)
		g.sent, g.changed = true, true
	}
	f.sort()
	f.sends = []*sendOp{nil} // numbers are to be taken
	s.queueLocks(batch, f)
	f.sends = nil
	var (
		queues         viewList
		n              = len(moves)
		groups         = make([]int64, n)
		sequences      = make([]int64, n)
		versions       = make([]int32, n)
		ids            = make([]int64, n)
		places         = make([]int32, n)
		targets        = make([]int64, n)
		deduplications = make([]string, n)
	)
	for i, m := range moves {
		groups[i], sequences[i], versions[i], ids[i], targets[i] = m.group, m.sequence, m.version, m.id, m.target.Storage
		places[i], deduplications[i] = queues.place(m.target.ID, m.target.Version), m.deduplicationID
	}
	queue(batch, moveFIFOSQL, pgx.StrictNamedArgs{
		"queue": queues.ids, "queue_version": queues.versions, "storage": slices.Repeat([]int64{source.Storage}, n), "source": sourceName, "group": groups, "sequence": sequences, "version": versions,
		"id": ids, "place": places, "target": targets, "deduplication": deduplications,
	}).Query(func(rows pgx.Rows) error {
		var ord, was int64
		var now time.Time
		_, err := pgx.ForEachRow(rows, []any{&ord, &now, &was}, func() error {
			m := moves[ord-1]
			m.moved, m.was = true, was
			if g := f.byGroup[groupKey{m.target.Storage, m.group}]; len(g.shown) == 0 {
				g.shown = append(g.shown, shown{0, now})
			}
			return nil
		})
		return err
	})
	s.queueRefresh(batch, f)
	return f.groups
}

// moveDeadFIFO moves dead letters to the queue's dead-letter queue. What is not moved, for a fault of the database, because somebody
// else has got hold of it, or since that queue is just being deleted, is found again by a receive after the moveTime.
func (s *Store) moveDeadFIFO(source *core.Queue, dead []received) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	name := source.Name
	name.Name = source.DeadLetter.Target
	moved := 0
	for looks := 0; moved == 0 && looks <= maxTargetLooks; looks++ {
		target, err := s.Queue(ctx, name)
		if core.CodeOf(err) == core.QueueNotFound || err == nil && !target.FIFO {
			return
		}
		if err == nil {
			moved, err = s.moveDeadFIFOOnce(ctx, source, target, dead)
		}
		if err != nil {
			s.log.Warn().Err(translate(err)).Str("queue", source.Name.String()).Int("messages", len(dead)).Msg("could not move dead letters; a later receive does")
			return
		}
		if moved == 0 {
			s.queues.forget(target) // it has changed since it was read, by another server perhaps
		}
	}
}

// maxTargetLooks bounds how often a dead-letter queue that has changed is read again.
const maxTargetLooks = 3

func (s *Store) moveDeadFIFOOnce(ctx context.Context, source, target *core.Queue, dead []received) (moved int, err error) {
	moves := make([]*fifoMove, len(dead))
	for i := range dead {
		moves[i] = &dead[i].move
		moves[i].target, moves[i].deduplicationID = target, dead[i].ID.UUID()
	}
	batch := s.newBatch()
	groups := s.queueFIFOMoves(batch, source, source.Name.String(), moves)
	began := time.Now()
	if err := s.sendLocking(ctx, batch); err != nil {
		return 0, err
	}
	announceGroups(s, groups)
	if s.isLate(began) {
		s.assure([]int64{source.ID, target.ID})
	}
	for i := range dead {
		if dead[i].move.moved {
			moved++
			s.observeMove(ctx, source, dead[i].ID)
		}
	}
	return moved, nil
}
