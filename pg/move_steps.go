package pg

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// Bounds of a step of a move task.
const (
	moveRows  = 1000
	moveBytes = 4 << 20
	movePace  = 21_500                 // messages a second that a task without a rate moves at the most
	moveRest  = 0.5                    // of a step's own time, for which it waits at the least: a busy database gets a longer rest
	moveSlice = 10                     // steps a second of a task with a rate
	moveLong  = 250 * time.Millisecond // a step that takes longer is followed by one half as large
	moveRetry = 5 * time.Second        // after which a step that failed is tried again; other tasks go on meanwhile
	moveLook  = time.Second            // after which a server looks anew which task is due
	moveAgain = 5 * time.Millisecond
)

// move is a task as a step needs it.
type move struct {
	id          string
	account     string
	source      *core.Queue // nil: it is gone
	destination string      // account/region/name; "": the message's source
	rate        int
	most        int // messages that the step moves
	status      core.MoveStatus
	now         time.Time // the account's
	startedAt   time.Time
	atPriority  int16
	atVisible   time.Time
	atSequence  int64 // FIFO queues

	failure core.MoveFailure
	moved   int
	arrived []moved
	groups  []*touchedGroup // FIFO queues
	widened []int64         // queues that now look for messages of more priorities
	logged  []loggedMove
}

// loggedMove is a message that was moved, and that the log is to tell of.
type loggedMove struct {
	was, is int64 // row ids
	queue   int64 // that it went to
}

// moved is how many messages a step has moved to one queue.
type moved struct {
	queue core.Queue // its ID and Storage
	count int
}

// RunMoves does the steps of the move tasks that are due, and of those that are so within a second,
// until there are none. While it runs, another call does nothing.
func (s *Store) RunMoves(ctx context.Context) error {
	select {
	case s.moving <- struct{}{}:
	default:
		return nil
	}
	defer func() { <-s.moving }()
	return s.runMoves(ctx)
}

// maxNextMoves is how many goroutines wait to go on with move tasks behind the one that does. One is enough: what was started before its
// turn it finds.
const maxNextMoves = 1

// moveSoon has a task's step done at once, by this server or one that is at it.
func (s *Store) moveSoon() {
	select {
	case s.moveNews <- struct{}{}:
	default:
	}
	select {
	case s.moveNext <- struct{}{}:
	default:
		return
	}
	s.running.Go(func() {
		select {
		case s.moving <- struct{}{}:
			<-s.moveNext
		case <-s.background.Done():
			return
		}
		defer func() { <-s.moving }()
		if err := s.runMoves(s.background); err != nil {
			s.log.Debug().Err(err).Msg("could not go on with a move task") // the worker's next run reports errors
		}
	})
}

func (s *Store) runMoves(ctx context.Context) error {
	for ctx.Err() == nil {
		done, err := s.stepMove(ctx)
		var wait time.Duration
		if err == nil && !done {
			wait, err = s.nextMove(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it stops because the server does
		case err != nil || wait > moveLook:
			return err
		case done:
			continue
		}
		select {
		case <-time.After(max(wait, moveAgain)):
		case <-s.moveNews:
		case <-ctx.Done():
		}
	}
	return nil
}

const nextMoveSQL = `
SELECT (extract(epoch FROM min(t.next_at - now() - COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0'))) * 1000000)::bigint
FROM move_tasks t WHERE t.status IN ('RUNNING', 'CANCELLING')`

// nextMove gives the time until a task's next step is due, an hour when there is none.
func (s *Store) nextMove(ctx context.Context) (wait time.Duration, err error) {
	err = s.do(ctx, nextMoveSQL, nil, func(rows pgx.Rows) error {
		micros, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*int64])
		wait = time.Hour
		if micros != nil {
			wait = time.Duration(*micros) * time.Microsecond
		}
		return err
	})
	return wait, err
}

// stepMove does one step of the task that has waited longest, which nobody else is at: it moves some messages and
// writes down how far it got, in one transaction. false: no task is due.
func (s *Store) stepMove(ctx context.Context) (done bool, err error) {
	first, err := s.ids.allot(ctx, moveRows)
	if err != nil {
		return false, err
	}
	var m *move
	began := time.Now()
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		if m, err = claimMove(ctx, tx); err != nil || m == nil {
			return err
		}
		m.most = int(s.moveSize.Load())
		if err := m.step(ctx, tx, s, first); err != nil {
			return err
		}
		return m.save(ctx, tx)
	})
	if m != nil {
		s.resizeMoves(m.most, time.Since(began), err)
	}
	switch {
	case m == nil || err != nil && ctx.Err() != nil:
		return false, err
	case err != nil:
		return s.postponeMove(ctx, m, err)
	}
	for _, queue := range m.widened {
		s.queues.forgetID(queue)
		s.announceChange(queue)
	}
	announceGroups(s, m.groups)
	s.observeMoves(ctx, m)
	for i := range m.arrived {
		a := &m.arrived[i]
		s.unfolded.add([]int64{m.source.Storage, a.queue.Storage})
		s.announce(&a.queue, a.count, 0, m.now.Add(-moveRows*time.Microsecond))
	}
	if s.isLate(began) { // before the task's end is told
		s.assure(m.filled())
	}
	return true, nil
}

// filled gives the queues that the step has put something into.
func (m *move) filled() (queues []int64) {
	for i := range m.arrived {
		queues = append(queues, m.arrived[i].queue.ID)
	}
	for _, g := range m.groups {
		queues = append(queues, g.queue.ID)
	}
	return queues
}

// observeMoves tells of what a step has moved, in the logs of both queues.
func (s *Store) observeMoves(ctx context.Context, m *move) {
	if len(m.logged) == 0 {
		return
	}
	ids := make([]int64, len(m.logged))
	for i, moved := range m.logged {
		ids[i] = moved.queue
	}
	slices.Sort(ids)
	queues, err := s.queuesByID(ctx, slices.Compact(ids))
	if err != nil {
		s.log.Warn().Err(err).Int("messages", len(m.logged)).Msg("the message log does not tell of messages that were moved")
		return
	}
	for _, moved := range m.logged {
		queue := queues[moved.queue]
		if queue == nil { // deleted since
			continue
		}
		left, came := core.Redriven(s.keys.messageID(moved.was), s.keys.messageID(moved.is), m.source.Name.Name, queue.Name.Name, m.id)
		came.VisibleAt = m.now
		s.observed(m.source, left)
		s.observed(queue, came)
	}
}

// resizeMoves makes steps smaller where they take long or fail, as they do when they take too long, and larger again.
func (s *Store) resizeMoves(size int, took time.Duration, err error) {
	switch {
	case err != nil || took > moveLong:
		s.moveSize.Store(int64(max(1, size/2)))
	case took < moveLong/4:
		s.moveSize.Store(int64(min(moveRows, 2*size)))
	}
}

const postponeMoveSQL = `
UPDATE move_tasks t SET next_at = now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0') + @retry::interval
WHERE id = @id::uuid AND status IN ('RUNNING', 'CANCELLING')`

// postponeMove puts a task whose step failed behind the others, so that it does not keep them waiting for ever.
func (s *Store) postponeMove(ctx context.Context, m *move, cause error) (done bool, err error) {
	if _, err := s.exec(ctx, postponeMoveSQL, pgx.StrictNamedArgs{"id": m.id, "retry": moveRetry}); err != nil {
		return false, errors.Join(cause, err)
	}
	s.log.Warn().Err(cause).Str("task", m.id).Msg("a step of a move task failed; it is tried again")
	return true, nil
}

const claimMoveSQL = `
SELECT t.id::text, t.account, t.source_id, t.destination, t.rate, t.status, t.started_at, t.at_priority, t.at_visible, t.at_sequence, n.now
FROM move_tasks t
CROSS JOIN LATERAL (SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0') AS now) n
WHERE t.status IN ('RUNNING', 'CANCELLING') AND t.next_at <= n.now
ORDER BY t.next_at LIMIT 1 FOR UPDATE OF t SKIP LOCKED`

// claimMove gives the task to go on with, locked until the transaction ends; nil when none is due.
func claimMove(ctx context.Context, tx pgx.Tx) (*move, error) {
	m := &move{}
	var source int64
	var destination string
	err := tx.QueryRow(ctx, claimMoveSQL).Scan(&m.id, &m.account, &source, &destination, &m.rate, &m.status, &m.startedAt,
		&m.atPriority, &m.atVisible, &m.atSequence, &m.now)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	queue, err := txQueue(ctx, tx, queuesByIDSQL, pgx.StrictNamedArgs{"id": []int64{source}})
	if errors.Is(err, pgx.ErrNoRows) {
		return m, nil
	}
	if destination != "" {
		name := queue.Name
		name.Name = destination
		m.destination = name.String()
	}
	m.source = &queue
	return m, err
}

// moveBatchSQL takes the next messages of a source that were visible when the task began, and sends each to
// its destination as a new message. Those whose destination is missing stay, and so do those of a
// priority that it does not look for yet.
const moveBatchSQL = `
WITH head AS MATERIALIZED (
    SELECT row_number() OVER () AS place_in_line, h.* FROM (
        SELECT m.*, sum(m.size) OVER (ROWS UNBOUNDED PRECEDING) - m.size AS bytes_before
        FROM (
            SELECT m.* FROM unnest(@priority::smallint[]) AS p(priority)
            CROSS JOIN LATERAL (
                SELECT m.ctid AS place, m.priority, m.visible_at, m.size, m.source FROM messages m
                WHERE m.storage_id = @storage::bigint AND m.priority = p.priority AND m.visible_at <= @until::timestamptz
                    AND m.visible_at >= CASE WHEN p.priority = @at_priority::smallint THEN @at_visible::timestamptz ELSE '-infinity'::timestamptz END
                    AND m.sent_at > @oldest::timestamptz
                ORDER BY m.visible_at LIMIT @limit::bigint
                FOR UPDATE SKIP LOCKED
            ) m
            LIMIT @limit::bigint
        ) m
    ) h
    WHERE h.bytes_before < @bytes::bigint
), route AS MATERIALIZED ( -- one row: looking each message's destination up took a seventh of the time
    SELECT array_agg(n.destination) AS names, array_agg(d.id) AS ids, array_agg(d.storage_id) AS storages, array_agg(d.priorities) AS priorities,
        array_agg(d.logging) AS loggings
    FROM (SELECT DISTINCT CASE WHEN @destination::text = '' THEN source ELSE @destination::text END AS destination FROM head) n
    CROSS JOIN LATERAL (SELECT string_to_array(n.destination, '/') AS parts) p
    LEFT JOIN LATERAL (
        SELECT q.id, q.storage_id, q.priorities, q.logging FROM queues q
        WHERE q.account = p.parts[1] AND q.region = p.parts[2] AND q.name = p.parts[3] AND NOT q.fifo LIMIT 1
    ) d ON true
), routed AS MATERIALIZED (
    SELECT h.*, h.destination IS NULL AS destination_unknown, (SELECT ids FROM route)[h.way] AS queue, (SELECT storages FROM route)[h.way] AS target,
        (SELECT priorities FROM route)[h.way] & (1 << h.priority::integer) <> 0 AS ready, @logged::boolean OR (SELECT loggings FROM route)[h.way] AS logged
    FROM (
        SELECT h.*, n.destination, array_position((SELECT names FROM route), n.destination) AS way
        FROM head h CROSS JOIN LATERAL (SELECT CASE WHEN @destination::text = '' THEN h.source ELSE @destination::text END AS destination OFFSET 0) n
    ) h
), taken AS (
    DELETE FROM messages m USING routed r WHERE m.ctid = r.place AND r.ready
    RETURNING r.place_in_line, r.queue, r.target, r.logged, m.id, m.size, m.key_id, m.priority, m.form, m.sender, m.group_id, m.attributes, m.body
), sent AS (
    INSERT INTO messages (storage_id, id, visible_at, sent_at, size, key_id, priority, form, sender, group_id, attributes, body)
    SELECT target, @first::bigint - 1 + place_in_line, @now::timestamptz - (@limit::bigint - place_in_line) * interval '1 microsecond', @now::timestamptz, size, key_id, priority,
        form, sender, group_id, attributes, body
    FROM taken
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes)
    SELECT @storage::bigint, '-infinity'::timestamptz, -count(*), -sum(size) FROM taken HAVING count(*) > 0
    UNION ALL
    SELECT target, '-infinity', count(*), sum(size) FROM taken GROUP BY target
)
SELECT 0 AS kind, queue, target, 0::smallint AS priority, false AS unknown, count(*), @now::timestamptz AS visible_at FROM taken GROUP BY queue, target
UNION ALL
SELECT 1, queue, target, priority, destination_unknown, 0, @now::timestamptz FROM routed WHERE ready IS NOT TRUE GROUP BY queue, target, priority, destination_unknown
UNION ALL
(SELECT 2, NULL, NULL, priority, false, place_in_line, visible_at FROM head ORDER BY place_in_line DESC LIMIT 1)
UNION ALL
SELECT 3, queue, id, place_in_line::smallint, false, 0, @now::timestamptz FROM taken WHERE logged`

// The kinds of rows that moveBatchSQL returns.
const (
	moveTaken   = iota // what was moved to a queue
	moveRefused        // what was not
	moveLast           // how far the walk has come, and how many messages it met
	moveLogged         // a message that was moved to a queue, with its row id and place in line: the log tells of it
)

const endMoveSQL = `UPDATE move_tasks SET status = @status, failure = @failure, moved = moved + @moved::integer, ended_at = @now WHERE id = @id::uuid`

// A task without a rate leaves the database to others for a part of the time, however slow that is.
const saveMoveSQL = `
UPDATE move_tasks SET moved = moved + @moved::integer, at_priority = @at_priority, at_visible = @at_visible, at_sequence = @at_sequence,
    next_at = @now::timestamptz + CASE WHEN @rate::integer > 0 THEN @moved::integer * interval '1 second' / @rate::integer
        ELSE GREATEST(@moved::integer * interval '1 second' / @pace::integer, (clock_timestamp() - now()) * (1 + @rest::float8)) END
WHERE id = @id::uuid`

// step moves some messages, or finds out that the task has ended.
func (m *move) step(ctx context.Context, tx pgx.Tx, s *Store, first int64) error {
	switch {
	case m.source == nil:
		m.fail(core.MoveDestinationGone)
		return nil
	case m.status == core.MoveCancelling:
		m.status = core.MoveCancelled
		return nil
	case m.now.Sub(m.startedAt) > core.MaxMoveTime:
		m.fail(core.MoveTookTooLong)
		return nil
	}
	var met int64
	var refused map[int64]uint32
	var err error
	if m.source.FIFO {
		met, err = m.batchFIFO(ctx, tx, s, first)
	} else {
		met, refused, err = m.batch(ctx, tx, first, s.logged(m.source))
	}
	switch {
	case err != nil || m.status == core.MoveFailed:
		return err
	case met == 0 && m.atPriority == 0:
		m.status = core.MoveCompleted
	case met == 0: // once more from the start, for what was locked when the walk came by
		m.atPriority, m.atVisible, m.atSequence = 0, time.Unix(0, 0), 0
	}
	for id, wanted := range refused {
		if err := m.widen(ctx, tx, id, wanted); err != nil {
			return err
		}
	}
	return nil
}

func (m *move) fail(why core.MoveFailure) { m.status, m.failure = core.MoveFailed, why }

// limit is how many messages a step moves at the most.
func (m *move) limit() int {
	if m.rate > 0 {
		return min(m.most, max(1, m.rate/moveSlice))
	}
	return m.most
}

// batch moves some messages. It gives how many it met, and the queues that do not look for messages of these
// priorities yet.
func (m *move) batch(ctx context.Context, tx pgx.Tx, first int64, logged bool) (met int64, refused map[int64]uint32, err error) {
	var priorities []int16
	for _, p := range prioritiesOf(m.source) {
		if p >= m.atPriority {
			priorities = append(priorities, p)
		}
	}
	limit := m.limit()
	rows, _ := tx.Query(ctx, moveBatchSQL, pgx.StrictNamedArgs{ // ForEachRow returns its error
		"priority": priorities, "storage": m.source.Storage, "until": m.startedAt, "at_priority": m.atPriority, "at_visible": m.atVisible,
		"oldest": m.now.Add(-m.source.Retention), "limit": int64(limit), "bytes": moveBytes, "destination": m.destination, "first": first, "now": m.now,
		"logged": logged,
	})
	refused = map[int64]uint32{}
	var kind, priority int16
	var queue, target *int64
	var unknown bool
	var count int64
	var visible time.Time
	lastPriority, lastVisible := m.atPriority, m.atVisible
	_, err = pgx.ForEachRow(rows, []any{&kind, &queue, &target, &priority, &unknown, &count, &visible}, func() error {
		switch {
		case kind == moveTaken:
			m.moved += int(count)
			m.arrived = append(m.arrived, moved{core.Queue{ID: *queue, Storage: *target}, int(count)})
		case kind == moveLast:
			met, lastPriority, lastVisible = count, priority, visible
		case kind == moveLogged:
			m.logged = append(m.logged, loggedMove{was: *target, is: first - 1 + int64(priority), queue: *queue})
		case queue != nil:
			refused[*queue] |= 1 << priority
		case unknown:
			m.fail(core.MoveSourceUnknown)
		default:
			m.fail(core.MoveDestinationGone)
		}
		return nil
	})
	if len(refused) == 0 {
		m.atPriority, m.atVisible = lastPriority, lastVisible
	}
	return met, refused, err
}

// widen has a destination look for messages of more priorities; the next step moves them.
func (m *move) widen(ctx context.Context, tx pgx.Tx, queue int64, wanted uint32) error {
	_, err := tx.Exec(ctx, widenSQL, pgx.StrictNamedArgs{"id": queue, "priorities": int32(wanted)})
	m.widened = append(m.widened, queue)
	return err
}

// save writes down how far the task is.
func (m *move) save(ctx context.Context, tx pgx.Tx) error {
	sql, args := saveMoveSQL, pgx.StrictNamedArgs{"id": m.id, "moved": m.moved, "now": m.now}
	if m.status == core.MoveRunning {
		args["at_priority"], args["at_visible"], args["at_sequence"] = m.atPriority, m.atVisible, m.atSequence
		args["rate"], args["pace"], args["rest"] = m.rate, movePace, moveRest
	} else {
		sql = endMoveSQL
		args["status"], args["failure"] = string(m.status), string(m.failure)
	}
	_, err := tx.Exec(ctx, sql, args)
	return err
}
