package pg

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// maxReceiveBytes bounds what one receive reads, by the mean size of the queue's messages. The first
// receive of a queue, which does not know that size, reads for one caller.
const maxReceiveBytes = 8 << 20

// receiveCall is one caller that asks for messages.
type receiveCall struct {
	op
	queue   *core.Queue
	limit   int
	timeout time.Duration

	unbounded   bool    // however many are in flight
	onePerGroup bool    // of FIFO queues, as what follows
	attempt     *digest // of its id, nil for none
	insist      []int64 // groups to wait for, which were locked at the last look

	mu       sync.Mutex
	gone     bool // the caller went away before it was answered
	answered bool
	full     bool // nothing was looked for, since too much may be in flight
	moved    bool // there may be more behind dead letters that were moved away
	listen   bool // there may be more that this server has not heard of
	now      time.Time
	messages []core.Message
}

// receiveOp is what the callers of one lane that ask alike receive together.
type receiveOp struct {
	lane    *lane
	queue   *core.Queue
	timeout time.Duration
	limit   int // the sum of the callers'
	calls   []*receiveCall

	found    bool      // the queue is as it was when the callers read it
	listen   bool      // receives on it are to listen to other servers
	locked   int       // messages that the statement took; it misses those that changed after its snapshot
	earliest time.Time // of them
	now      time.Time // the account's
	asked    int       // rows the statement asked for
	rows     []received
	priority []int16 // in use, most urgent first
	full     bool    // the queue has as many messages in flight as it may, as far as is known

	unbounded   bool // never full
	onePerGroup bool // of FIFO queues, as what follows
	insist      []int64
	fifo        fifoFound
}

// received is a message with its state before the receive.
type received struct {
	core.Message
	was    time.Time // visible_at
	handle handle    // of standard queues
	dead   bool      // it is a dead letter, and was not received but is to be moved

	// Of FIFO queues:
	caller int      // whom it was dealt to
	group  int32    // among those that the receive found
	move   fifoMove // what moves it
}

// receiveSQL receives for all lanes of a train. For each priority in use, the most urgent first,
// it walks the index due from the mark; FOR UPDATE SKIP LOCKED lets the receives of other servers
// pass. Rows found are updated by their place; one that was changed after the statement's snapshot, and is
// visible again, has a place there that the snapshot does not know, and is left as it is. What the queue has handed
// out as often as it may is a dead letter: this receive does not count, and hides it for as long as it may take to
// move it away. First come the lanes whose queue is as it was, with how many rows were found, and whether to listen to other servers.
const receiveSQL = `
WITH asked AS (
    SELECT a.ord, a.first, a.last, a.wanted, a.timeout * interval '1 microsecond' AS timeout, q.storage_id, q.now, q.now - q.retention AS oldest, q.most, q.listen
    FROM unnest(@queue::bigint[], @version::bigint[], @first::integer[], @last::integer[], @wanted::bigint[], @timeout::bigint[])
        WITH ORDINALITY AS a(queue, version, first, last, wanted, timeout, ord)
    CROSS JOIN LATERAL (
        SELECT q.storage_id, q.retention, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now, ` + mostReceives + ` AS most,
            q.listen_until > now() AS listen
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q
), due AS MATERIALIZED (
    SELECT a.ord, a.now, CASE WHEN d.dead THEN @move_time::interval ELSE a.timeout END AS hide, (NOT d.dead)::integer AS counts, d.place, d.visible_at AS was
    FROM asked a CROSS JOIN LATERAL (
        SELECT m.place, m.visible_at, m.dead
        FROM unnest((@priority::smallint[])[a.first:a.last], (@mark::timestamptz[])[a.first:a.last]) AS p(priority, mark)
        CROSS JOIN LATERAL (
            SELECT m.ctid AS place, m.visible_at, m.receive_count - COALESCE(m.prior_receives, 0) >= a.most AS dead FROM messages m
            WHERE m.storage_id = a.storage_id AND m.priority = p.priority
                AND m.visible_at >= p.mark AND m.visible_at <= a.now AND m.sent_at > a.oldest
            ORDER BY m.visible_at LIMIT a.wanted
            FOR UPDATE SKIP LOCKED
        ) m
        LIMIT a.wanted
    ) d
), received AS (
    UPDATE messages m
    SET visible_at = due.now + due.hide, received_at = due.now, first_received_at = COALESCE(m.first_received_at, due.now),
        receive_count = m.receive_count + due.counts, handle_version = m.handle_version + 1
    FROM due WHERE m.ctid = due.place
    RETURNING due.ord, due.was, due.hide, due.counts, m.storage_id, m.id, m.visible_at, m.sent_at, m.first_received_at, m.receive_count,
        m.handle_version, m.size, m.priority, m.form, m.sender, m.group_id, m.source, m.attributes, m.body
), counted AS (
    INSERT INTO counts (storage_id, bucket, in_flight)
    SELECT storage_id, date_bin('1 second', visible_at, '2000-01-01'), count(*)
    FROM received WHERE hide > '0' GROUP BY 1, 2
)
SELECT ord, now AS was, 0::bigint, d.rows, COALESCE(d.earliest, now), now, now, 0, 0, 0, 0::smallint, 0::smallint, NULL::text, NULL::text, NULL::text, NULL::bytea, NULL::bytea, listen::integer
FROM asked a CROSS JOIN LATERAL (SELECT count(*) AS rows, min(was) AS earliest FROM due d WHERE d.ord = a.ord) d
UNION ALL
SELECT ord, was, storage_id, id, visible_at, sent_at, first_received_at, receive_count, handle_version, size, priority, form,
    sender, group_id, source, attributes, body, counts
FROM received`

var receiveStatement = prepare(receiveSQL)

// ReceiveMessages is of core.Store.
func (s *Store) ReceiveMessages(ctx context.Context, queue *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	attempt := attemptDigest(in.AttemptID)
	if in.Exact && (in.Timeout == 0 || attempt != nil) { // it cannot look again: it would find, or repeat, what it has just received
		s.hearOthers(ctx, queue.Storage)
		in.Exact = false
	}
	if attempt != nil {
		if messages, err := s.repeatAttempt(ctx, queue, attempt, in.Timeout); err != nil || len(messages) > 0 {
			return messages, err
		}
	}
	call, err := s.receiveOnce(ctx, queue, in)
	for looks := 0; err == nil && call.full; looks++ {
		if err = s.countInFlight(ctx, queue); err == nil && looks < maxFullLooks {
			call, err = s.receiveOnce(ctx, queue, in)
		} else if err == nil {
			err = errInFlightLimit
		}
	}
	if err == nil && len(call.messages) == 0 && s.peers.any() {
		// Another server's receive may have overlapped, and this one's snapshot have missed what it put back.
		if in.Exact && call.listen {
			s.hearOthers(ctx, queue.Storage)
			in.Exact = false
		}
		call, err = s.receiveOnce(ctx, queue, in)
	}
	if err != nil {
		return nil, err
	}
	return s.fillUp(ctx, queue, in, call), nil
}

// fillUp goes on with a receive that came back short because it moved dead letters, or did not know of what other
// servers did, and gives all that was received, for as long as that is hidden: a visibility timeout of 0 would have it
// find what it has just received. What goes wrong meanwhile leaves it short.
func (s *Store) fillUp(ctx context.Context, queue *core.Queue, in core.StoreReceive, call *receiveCall) []core.Message {
	messages := call.messages
	for since := call.since; len(messages) > 0 && len(messages) < in.Limit; {
		if !call.moved {
			if !in.Exact || !call.listen || !s.hasNews(ctx, queue, call) {
				break
			}
			in.Exact = false // it has heard all that was told before the receive
		}
		if time.Since(since) >= min(callTimeout/2, in.Timeout) {
			break
		}
		rest := in
		rest.Limit = in.Limit - len(messages)
		var err error
		if call, err = s.receiveOnce(ctx, queue, rest); err != nil {
			break
		}
		messages = append(messages, call.messages...)
	}
	return messages
}

// receiveOnce receives with one train; call.full means that it did not look.
func (s *Store) receiveOnce(ctx context.Context, queue *core.Queue, in core.StoreReceive) (*receiveCall, error) {
	call := &receiveCall{op: newOp(), queue: queue, limit: in.Limit, timeout: in.Timeout, unbounded: in.Unbounded, onePerGroup: in.OnePerGroup, attempt: attemptDigest(in.AttemptID)}
	s.stationOf(queue).receive(call)
	select {
	case <-call.done:
		return call, call.err
	case <-ctx.Done():
	}
	if call.leave() {
		return nil, ctx.Err()
	}
	<-call.done
	return call, call.err
}

// leave says that the caller is gone; false if it was answered before.
func (c *receiveCall) leave() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = !c.answered
	return c.gone
}

// deliver answers the caller; false if it is gone.
func (c *receiveCall) deliver(messages []core.Message, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	c.answered = true
	c.messages = messages
	c.answer(err)
	return true
}

// tired reports whether the caller has gone through so many trains that it should rather get nothing.
func (c *receiveCall) tired() bool { return time.Since(c.since) > callTimeout/2 }

// fail tells the caller that the receive failed.
func (c *receiveCall) fail(err error) { c.deliver(nil, err) }

func (s *Store) queueReceives(batch *pgx.Batch, ops []*receiveOp) {
	if len(ops) == 0 {
		return
	}
	var (
		queues     = make([]int64, len(ops))
		versions   = make([]int64, len(ops))
		firsts     = make([]int32, len(ops))
		lasts      = make([]int32, len(ops))
		wanted     = make([]int64, len(ops))
		timeouts   = make([]int64, len(ops))
		priorities = make([]int16, 0, len(ops))
		low        = make([]time.Time, 0, len(ops))
	)
	margin := s.peers.margin()
	for i, o := range ops {
		o.found, o.rows = false, nil
		room := s.room(o)
		o.asked = min(o.limit, room, s.marks.rowsWithin(o.queue.Storage, maxReceiveBytes, o.calls[0].limit))
		o.full = room == 0
		o.priority = prioritiesOf(o.queue)
		queues[i], versions[i], wanted[i], timeouts[i] = o.queue.ID, o.queue.Version, int64(o.asked), o.timeout.Microseconds()
		firsts[i] = int32(len(priorities) + 1) // SQL counts from one
		low = s.marks.start(o.queue.Storage, o.queue.Retention, o.priority, margin, low)
		priorities = append(priorities, o.priority...)
		lasts[i] = int32(len(priorities))
	}
	receiveStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues, "version": versions, "first": firsts, "last": lasts, "wanted": wanted, "timeout": timeouts,
		"priority": priorities, "mark": low, "move_time": moveTime,
	}).Query(func(rows pgx.Rows) error { return s.readReceives(rows, ops) })
}

func (s *Store) readReceives(rows pgx.Rows, ops []*receiveOp) error {
	var (
		ord, storage, id          int64
		was, visible, sent, first time.Time
		count, version, size      int32
		priority, form            int16
		sender, group, source     *string
		attributes, body          []byte
		counts                    int32
	)
	_, err := pgx.ForEachRow(rows, []any{&ord, &was, &storage, &id, &visible, &sent, &first, &count, &version, &size,
		&priority, &form, &sender, &group, &source, &attributes, &body, &counts}, func() error {
		o := ops[ord-1]
		if storage == 0 {
			o.found, o.now, o.locked, o.earliest, o.listen = true, was, int(id), visible, counts > 0
			o.rows = make([]received, 0, o.locked)
			return nil
		}
		h := handle{storage: storage, id: id, version: version}
		m := core.Message{
			ID: s.keys.messageID(id), Handle: s.keys.format(o.queue.ID, h), Body: body,
			Form: core.BodyForm(form), GroupID: text(group), Priority: int(priority), Sender: text(sender), Source: text(source),
			ReceiveCount: int(count), SentAt: sent, FirstReceivedAt: first, VisibleAt: visible, Size: int(size),
		}
		if m.Sender == "" {
			m.Sender = o.queue.Name.Account
		}
		body = nil // the message keeps it
		if err := decodeAttributes(attributes, &m); err != nil {
			return err
		}
		o.rows = append(o.rows, received{Message: m, was: was, handle: h, dead: counts == 0})
		return nil
	})
	return err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// prioritiesOf lists the priorities that a queue's messages have, most urgent first. A FIFO queue goes by its
// groups instead.
func prioritiesOf(queue *core.Queue) []int16 {
	if queue.FIFO {
		return groupsMark
	}
	var priorities []int16
	for p := int16(1); p <= core.MaxPriority; p++ {
		if queue.Priorities&(1<<p) != 0 {
			priorities = append(priorities, p)
		}
	}
	return priorities
}

// settleReceive moves the marks and hands the messages to the callers, first come first; what
// callers that are gone would have got goes to those behind them, and the rest is given back.
func (s *Store) settleReceive(o *receiveOp) {
	switch {
	case !o.found:
		s.queues.forget(o.queue)
		for _, call := range o.calls {
			call.deliver(nil, core.ErrQueueChanged)
		}
		return
	case o.queue.FIFO:
		s.settleFIFOReceive(o)
		return
	}
	slices.SortFunc(o.rows, func(a, b received) int { // what became visible at once has no order in the index: that of sending
		return cmp.Or(a.Priority-b.Priority, a.was.Compare(b.was), a.SentAt.Compare(b.SentAt), cmp.Compare(a.handle.id, b.handle.id))
	})
	s.advanceMarks(o)
	missed := o.locked - len(o.rows)
	if missed > 0 { // receives elsewhere have passed them by, too
		s.announce(o.queue, missed, 0, o.earliest)
	}
	if o.timeout > 0 {
		s.marks.took(o.queue.Storage, len(o.rows))
	}
	dead := o.takeDead()
	if o.timeout < core.ArrivalHorizon && len(o.rows) > 0 {
		s.announce(o.queue, len(o.rows), o.timeout, o.now.Add(o.timeout))
	}
	if len(dead) == 0 {
		s.handOut(o, missed, 0)
		return
	}
	s.running.Go(func() { // the others of the train need not wait
		s.moveDead(o.queue, dead)
		s.handOut(o, missed, len(dead))
	})
}

// handOut hands the messages to the callers, first come first. Of the receive, some messages were missed, for they
// had changed, and some were moved away as dead letters.
func (s *Store) handOut(o *receiveOp, missed, moved int) {
	rows := o.rows
	// There may be more for callers that get nothing: big messages are asked for by fewer than the callers
	// want, and others may stand behind those that were missed, or moved away as dead letters.
	more := !o.full && (o.locked >= o.asked && (o.asked < o.limit || moved > 0) || missed > 0)
	for _, call := range o.calls {
		if len(rows) == 0 && more && !call.tired() {
			s.hot.receive(call)
			continue
		}
		call.full, call.moved, call.listen, call.now = o.full, moved > 0 && o.locked >= o.asked, o.listen && o.locked < o.asked, o.now
		if len(rows) == 0 && more { // who waits is to look again
			s.announce(o.queue, 1, 0, o.earliest)
		}
		messages := make([]core.Message, 0, min(call.limit, len(rows)))
		for i := range min(call.limit, len(rows)) {
			messages = append(messages, rows[i].Message)
		}
		if call.deliver(messages, nil) {
			rows = rows[len(messages):]
		}
	}
	if len(rows) > 0 {
		s.giveBack(o.queue, rows)
	}
}

// advanceMarks moves each priority's mark to the last message taken, or to now where the scan
// went through to the end.
func (s *Store) advanceMarks(o *receiveOp) {
	full := o.locked >= o.asked
	last := map[int16]time.Time{}
	for i := range o.rows {
		last[int16(o.rows[i].Priority)] = o.rows[i].was
		s.marks.sized(o.queue.Storage, o.rows[i].Size)
	}
	for _, p := range o.priority {
		to, some := last[p]
		if !full {
			to = o.now
		}
		if full && !some {
			continue
		}
		s.marks.advance(o.queue.Storage, p, to)
		if s.fair.used.Load() {
			s.fair.moved(lineKey{o.queue.Storage, int(p)}, to, o.now)
		}
	}
}

// giveBack returns messages that nobody is there for any more.
func (s *Store) giveBack(queue *core.Queue, rows []received) {
	handles := make([]string, len(rows))
	for i := range rows {
		handles[i] = rows[i].Handle
	}
	s.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		defer cancel()
		if _, err := s.ReturnMessages(ctx, queue, handles); err != nil {
			s.log.Warn().Err(err).Int("messages", len(handles)).Msg("could not give back messages of a receiver that is gone; they return after their visibility timeout")
		}
	})
}
