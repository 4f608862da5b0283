package pg

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// fifoFound is what a receive on a FIFO queue found, besides messages.
type fifoFound struct {
	keys   []int64     // the groups that are due, in the order in which they became so
	dues   []time.Time // when they did
	picked []int32     // those of them that had messages to give, counted from one
	hollow []int32     // and those that had none: all that they have has expired
	first  int         // the place of the first caller among those of all lanes
	served int         // callers that were asked for
}

// receiveFIFOSQL receives for all lanes of FIFO queues of a train. It walks the index of the groups that are due
// from the mark, and deals them out to the callers of the lane like cards: who has got less than asked for from his
// first group goes on with his next. Of a group, messages are taken up to the first one that is hidden: those
// that are dead letters where it begins with one, else those before the next one. Dead letters are not received but hidden for as long as it may
// take to move them away. Then the groups' rows are locked, passing over those that are locked by others. One that was changed after the
// statement's snapshot has another place than the snapshot knows, and is left as it is: what else
// the statement has seen of that group is no longer true. The others are due again when what was taken is visible, or past its retention.
const receiveFIFOSQL = `
WITH asked AS MATERIALIZED (
    SELECT a.ord, a.first, a.callers, a.per_group, a.hide * interval '1 microsecond' AS hide, q.storage_id, q.now, q.oldest, q.most, q.listen, g.*
    FROM unnest(@queue::bigint[], @version::bigint[], @first::integer[], @callers::integer[], @wanted::bigint[], @per_group::bigint[],
        @mark::timestamptz[], @timeout::bigint[])
        WITH ORDINALITY AS a(queue, version, first, callers, wanted, per_group, mark, hide, ord)
    CROSS JOIN LATERAL (
        SELECT q.storage_id, q.now, q.now - q.retention AS oldest, q.most, q.listen
        FROM (
            SELECT q.storage_id, q.retention, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now, ` + mostReceives + ` AS most,
                q.listen_until > now() AS listen
            FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
        ) q
    ) q
    CROSS JOIN LATERAL (
        SELECT count(*)::integer AS found, array_agg(g.group_key) AS keys, array_agg(g.head) AS heads, array_agg(g.due) AS dues, array_agg(g.place) AS places
        FROM (
            SELECT g.group_key, g.head, g.due, g.ctid AS place FROM groups g
            WHERE g.storage_id = q.storage_id AND g.head >= 0 AND g.due >= a.mark AND g.due <= q.now
            ORDER BY g.due LIMIT a.wanted
        ) g
    ) g
), taken AS MATERIALIZED (
    SELECT a.ord, a.storage_id, a.now, CASE WHEN t.dead THEN @move_time::interval ELSE a.hide END AS hide, t.dead, a.first + c.caller AS slot, t.n, a.keys[t.n] AS group_key, a.places[t.n] AS group_place, t.sequence, t.place, t.sent_at + (a.now - a.oldest) AS ends
    FROM asked a
    CROSS JOIN LATERAL generate_series(1, least(a.callers, a.found)) AS c(caller)
    CROSS JOIN LATERAL (
        SELECT n.n, m.sequence, m.place, m.sent_at, m.dead
        FROM generate_series(c.caller, a.found, a.callers) AS n(n)
        LEFT JOIN LATERAL (
            SELECT m.sequence, m.place, m.sent_at, m.dead FROM (
                SELECT m.sequence, m.place, m.sent_at, bool_and(m.visible_at <= a.now AND m.receives < a.most) OVER line AS open,
                    bool_and(m.visible_at <= a.now AND m.receives >= a.most) OVER line AS dead
                FROM (
                    SELECT m.sequence, m.visible_at, m.sent_at, m.receive_count - COALESCE(m.prior_receives, 0) AS receives, m.ctid AS place FROM fifo_messages m
                    WHERE m.storage_id = a.storage_id AND m.group_key = a.keys[n.n] AND m.sequence >= a.heads[n.n] AND m.sent_at > a.oldest
                    ORDER BY m.sequence LIMIT least(a.per_group, (@limit::bigint[])[a.first + c.caller])
                ) m
                WINDOW line AS (ORDER BY m.sequence)
            ) m WHERE m.open OR m.dead
        ) m ON true
        LIMIT (@limit::bigint[])[a.first + c.caller]
    ) t
), picked AS MATERIALIZED (
    SELECT ord, storage_id, now, hide, dead, slot, n, group_key, group_place, min(sequence) AS head, min(ends) AS ends, array_agg(place) AS messages
    FROM taken WHERE sequence IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), locked AS MATERIALIZED (
    SELECT p.* FROM picked p CROSS JOIN LATERAL (
        SELECT g.ctid AS place FROM groups g WHERE g.storage_id = p.storage_id AND g.group_key = p.group_key LIMIT 1 FOR UPDATE SKIP LOCKED
    ) g WHERE g.place = p.group_place
), received AS (
    UPDATE fifo_messages m
    SET visible_at = r.now + r.hide, received_at = r.now, first_received_at = COALESCE(m.first_received_at, r.now),
        receive_count = m.receive_count + (NOT r.dead)::integer, handle_version = m.handle_version + 1
    FROM (SELECT l.ord, l.now, l.hide, l.dead, l.slot, l.n, unnest(l.messages) AS place FROM locked l) r
    WHERE m.ctid = r.place
    RETURNING r.ord, r.now, r.hide, r.dead, r.slot, r.n, m.*
), moved AS (
    UPDATE groups g SET due = least(l.now + l.hide, l.ends), head = l.head FROM locked l WHERE g.ctid = l.group_place
), counted AS (
    INSERT INTO counts (storage_id, bucket, in_flight)
    SELECT storage_id, visible_at, count(*) FROM received WHERE hide > '0' GROUP BY 1, 2
), remembered AS (
    INSERT INTO receive_attempts (storage_id, digest, groups, sequences, versions, visible_at, expires_at)
    SELECT storage_id, (@attempt::bytea[])[slot], array_agg(group_key), array_agg(sequence), array_agg(handle_version), max(visible_at), max(now) + @window::interval
    FROM received WHERE (@attempt::bytea[])[slot] IS NOT NULL AND NOT dead GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (storage_id, digest) DO UPDATE SET groups = excluded.groups, sequences = excluded.sequences, versions = excluded.versions,
        visible_at = excluded.visible_at, expires_at = excluded.expires_at, written_at = excluded.written_at
)
SELECT 0, ord, 0, listen::integer, keys, dues, now AS visible_at, 0::bigint AS group_key, 0::bigint AS sequence, 0::bigint AS id, now AS sent_at, now AS first_received_at,
    0 AS receive_count, 0 AS handle_version, 0 AS size, 0::smallint AS priority, 0::smallint AS form, NULL::text AS group_id, NULL::text AS deduplication_id,
    NULL::text AS sender, NULL::text AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM asked
UNION ALL
SELECT 1, ord, 0, n, NULL, NULL, now, 0, 0, 0, now, now, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL FROM taken WHERE sequence IS NULL
UNION ALL
SELECT 2, ord, 0, n, NULL, NULL, now, 0, 0, 0, now, now, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL FROM picked
UNION ALL
SELECT CASE WHEN dead THEN 4 ELSE 3 END, ord, slot, n, NULL, NULL, ` + fifoColumns + ` FROM received`

var receiveFIFOStatement = prepare(receiveFIFOSQL)

// The kinds of rows that receiveFIFOSQL returns.
const (
	receiveLane = iota
	receiveHollow
	receivePicked
	receiveMessage
	receiveDead
)

func (s *Store) queueFIFOReceives(batch *pgx.Batch, ops []*receiveOp) {
	if len(ops) == 0 {
		return
	}
	var (
		queues   = make([]int64, len(ops))
		versions = make([]int64, len(ops))
		firsts   = make([]int32, len(ops))
		callers  = make([]int32, len(ops))
		wanted   = make([]int64, len(ops))
		perGroup = make([]int64, len(ops))
		timeouts = make([]int64, len(ops))
		low      = make([]time.Time, 0, len(ops))
		limits   []int64
		attempts [][]byte
	)
	margin := s.peers.margin()
	for i, o := range ops {
		o.found, o.rows, o.priority, o.fifo = false, nil, groupsMark, fifoFound{}
		room := min(o.limit, s.room(o), s.marks.rowsWithin(o.queue.Storage, maxReceiveBytes, o.calls[0].limit))
		o.full = room == 0
		queues[i], versions[i], timeouts[i] = o.queue.ID, o.queue.Version, o.timeout.Microseconds()
		o.fifo.first = len(limits)
		firsts[i] = int32(len(limits))
		for _, call := range o.calls {
			if room == 0 || o.fifo.served > 0 && call.limit > room {
				break // those left look again
			}
			limit := min(call.limit, room)
			limits, attempts = append(limits, int64(limit)), append(attempts, call.attempt.bytes())
			room -= limit
			wanted[i] += int64(limit)
			o.fifo.served++
		}
		o.asked = int(wanted[i])
		callers[i], perGroup[i] = int32(o.fifo.served), core.MaxBatch
		if o.onePerGroup {
			perGroup[i] = 1
		}
		low = s.marks.start(o.queue.Storage, o.queue.Retention, o.priority, margin, low)
	}
	receiveFIFOStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues, "version": versions, "first": firsts, "callers": callers, "wanted": wanted, "per_group": perGroup,
		"mark": low, "timeout": timeouts, "limit": limits, "attempt": attempts, "window": core.DeduplicationWindow, "move_time": moveTime,
	}).Query(func(rows pgx.Rows) error { return s.readFIFOReceives(rows, ops) })
}

// groupsMark is the priority under which the marks keep what is known of the groups of a FIFO queue.
var groupsMark = []int16{0}

func (s *Store) readFIFOReceives(rows pgx.Rows, ops []*receiveOp) error {
	var (
		kind, slot, n int32
		ord           int64
		keys          []int64
		dues          []time.Time
		row           fifoRow
	)
	_, err := pgx.ForEachRow(rows, append([]any{&kind, &ord, &slot, &n, &keys, &dues}, row.fields()...), func() error {
		o := ops[ord-1]
		switch kind {
		case receiveLane:
			o.found, o.now, o.fifo.keys, o.fifo.dues, o.listen = true, row.visibleAt, keys, dues, n > 0
			keys, dues = nil, nil
		case receiveHollow:
			o.fifo.hollow = append(o.fifo.hollow, n)
		case receivePicked:
			o.fifo.picked = append(o.fifo.picked, n)
		default:
			m, err := s.fifoMessage(o.queue, &row)
			if err != nil {
				return err
			}
			o.rows = append(o.rows, received{Message: m, dead: kind == receiveDead, move: fifoMove{group: row.group, sequence: row.sequence, version: row.version, id: row.id}, caller: int(slot) - o.fifo.first - 1, group: n}) // SQL counts from one
		}
		return nil
	})
	return err
}

// fifoColumns are what a fifoRow reads.
const fifoColumns = `visible_at, group_key, sequence, id, sent_at, first_received_at, receive_count, handle_version, size, priority, form,
    group_id, deduplication_id, sender, source, attributes, body`

// fifoRow is a row of fifo_messages.
type fifoRow struct {
	group, sequence, id             int64
	visibleAt, sentAt               time.Time
	firstReceivedAt                 *time.Time
	receiveCount, version, size     int32
	priority, form                  int16
	groupID                         *string
	deduplicationID, sender, source *string
	attributes, body                []byte
}

func (r *fifoRow) fields() []any {
	return []any{&r.visibleAt, &r.group, &r.sequence, &r.id, &r.sentAt, &r.firstReceivedAt, &r.receiveCount, &r.version, &r.size,
		&r.priority, &r.form, &r.groupID, &r.deduplicationID, &r.sender, &r.source, &r.attributes, &r.body}
}

func (s *Store) readFIFOMessages(rows pgx.Rows, queue *core.Queue) (messages []core.Message, err error) {
	var row fifoRow
	_, err = pgx.ForEachRow(rows, row.fields(), func() error {
		m, err := s.fifoMessage(queue, &row)
		messages = append(messages, m)
		return err
	})
	return messages, err
}

// fifoMessage makes a message of a row, and keeps its body.
func (s *Store) fifoMessage(queue *core.Queue, r *fifoRow) (core.Message, error) {
	m := core.Message{
		ID: s.keys.messageID(r.id), Body: r.body, Form: core.BodyForm(r.form), GroupID: text(r.groupID), DeduplicationID: text(r.deduplicationID),
		Handle:   s.keys.format(queue.ID, handle{storage: queue.Storage, id: r.sequence, version: r.version, group: r.group, fifo: true, message: s.loggedID(queue, r.id)}),
		Sequence: sequenceText(r.sequence), Priority: int(r.priority), Sender: cmp.Or(text(r.sender), queue.Name.Account), Source: text(r.source),
		ReceiveCount: int(r.receiveCount), SentAt: r.sentAt, VisibleAt: r.visibleAt, Size: int(r.size),
	}
	if r.firstReceivedAt != nil {
		m.FirstReceivedAt = *r.firstReceivedAt
	}
	r.body = nil
	return m, decodeAttributes(r.attributes, &m)
}

// settleFIFOReceive moves the mark and hands the callers what they were dealt. Before that it moves dead
// letters away and tidies groups that had nothing to give, since who got nothing is to look behind them.
func (s *Store) settleFIFOReceive(o *receiveOp) {
	slices.SortFunc(o.rows, func(a, b received) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.Sequence, b.Sequence))
	})
	got := map[int32]bool{}
	for _, r := range o.rows {
		got[r.group] = true
		s.marks.sized(o.queue.Storage, r.Size)
	}
	s.advanceGroupsMark(o, got)
	if o.timeout > 0 {
		s.marks.took(o.queue.Storage, len(o.rows))
	}
	if o.timeout < core.ArrivalHorizon && len(got) > 0 {
		s.announce(o.queue, len(got), o.timeout, o.now.Add(o.timeout))
	}
	missed := o.fifo.missed(got)
	if len(missed) > 0 { // whoever holds the locks need not tell of it
		s.announce(o.queue, len(missed), 0, o.now)
	}
	hollow, dead := o.hollowGroups(), o.takeDead()
	if len(hollow) == 0 && len(dead) == 0 {
		s.deal(o, missed, len(missed) > 0)
		return
	}
	s.running.Go(func() {
		if len(hollow) > 0 {
			s.tidy(hollow)
		}
		if len(dead) > 0 {
			s.moveDeadFIFO(o.queue, dead)
			s.returnShort(o, dead)
		}
		s.deal(o, missed, true)
	})
}

// returnShort gives back what callers were dealt from other groups who came back short by dead letters that were moved, so that they
// are dealt anew, with what was behind those. What cannot be given back is hidden until its visibility timeout is over.
func (s *Store) returnShort(o *receiveOp, dead []received) {
	short := map[int]bool{}
	for _, r := range dead {
		short[r.caller] = short[r.caller] || r.move.moved && !o.calls[r.caller].tired()
	}
	var handles []string
	for _, r := range o.rows {
		if short[r.caller] {
			handles = append(handles, r.Handle)
		}
	}
	if len(handles) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if _, err := s.ReturnMessages(ctx, o.queue, handles); err != nil {
		s.log.Warn().Err(err).Int("messages", len(handles)).Msg("could not give back messages beside dead letters; they return after their visibility timeout")
	}
	o.rows = slices.DeleteFunc(o.rows, func(r received) bool { return short[r.caller] })
}

// hollowGroups gives the groups that were due and had nothing to give.
func (o *receiveOp) hollowGroups() []*touchedGroup {
	hollow := make([]*touchedGroup, len(o.fifo.hollow))
	for i, n := range o.fifo.hollow {
		hollow[i] = &touchedGroup{groupKey: groupKey{o.queue.Storage, o.fifo.keys[n-1]}, queue: o.queue}
	}
	return hollow
}

// takeDead takes what was received too often out of the rows.
func (o *receiveOp) takeDead() (dead []received) {
	o.rows = slices.DeleteFunc(o.rows, func(r received) bool {
		if r.dead {
			dead = append(dead, r)
		}
		return r.dead
	})
	return dead
}

// missed gives the groups that had messages to give, and were locked or had changed.
func (f *fifoFound) missed(got map[int32]bool) (keys []int64) {
	for _, n := range f.picked {
		if !got[n] {
			keys = append(keys, f.keys[n-1])
		}
	}
	return keys
}

// deal hands the callers their messages. What a caller that is gone would have got goes to one that got nothing,
// if all of it fits, or is given back; what is remembered for its attempt is always given back, or the attempt
// could be repeated while somebody else has the messages. Callers that got nothing look again where there may be more, or where
// they have not been asked for.
func (s *Store) deal(o *receiveOp, missed []int64, more bool) {
	for _, call := range o.calls {
		call.listen, call.now = o.listen && len(o.fifo.dues) < o.asked, o.now
	}
	dealt := make([][]received, len(o.calls))
	for _, r := range o.rows {
		dealt[r.caller] = append(dealt[r.caller], r)
	}
	var left [][]received
	for i, call := range o.calls {
		switch {
		case len(dealt[i]) == 0 || call.deliver(messagesOf(dealt[i]), nil):
		case call.attempt != nil:
			s.giveBack(o.queue, dealt[i])
		default:
			left = append(left, dealt[i])
		}
	}
	for i, call := range o.calls {
		if len(dealt[i]) > 0 {
			continue
		}
		n := slices.IndexFunc(left, func(rows []received) bool { return len(rows) <= call.limit && call.attempt == nil })
		switch {
		case n >= 0:
			if call.deliver(messagesOf(left[n]), nil) {
				left = slices.Delete(left, n, n+1)
			}
		case !o.full && (more || i >= o.fifo.served) && !call.tired():
			call.insist = missed
			s.fifo.receive(call)
		default:
			call.full = o.full
			if more { // who waits is to look again
				s.announce(o.queue, 1, 0, o.now)
			}
			call.deliver(nil, nil)
		}
	}
	for _, rows := range left {
		s.giveBack(o.queue, rows)
	}
}

func messagesOf(rows []received) []core.Message {
	messages := make([]core.Message, len(rows))
	for i := range rows {
		messages[i] = rows[i].Message
	}
	return messages
}

// advanceGroupsMark moves the mark to the first group that is due and was not taken; to now where there is none.
func (s *Store) advanceGroupsMark(o *receiveOp, got map[int32]bool) {
	if o.full {
		return // nothing was looked for
	}
	to := o.now
	if n := len(o.fifo.dues); n > 0 && n >= o.asked {
		to = o.fifo.dues[n-1]
	}
	for i, due := range o.fifo.dues {
		if !got[int32(i+1)] {
			to = due
			break
		}
	}
	s.marks.advance(o.queue.Storage, groupsMark[0], to)
}
