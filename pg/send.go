package pg

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// sendOp stores one caller's messages in one queue.
type sendOp struct {
	op
	queue    *core.Queue
	messages []core.NewMessage
	codes    [][]byte // encoded attributes, nil where there are none
	bytes    int
	first    int64 // the row ids, in a row
	sent     []core.Sent
	stored   int // how many the statement returned; fewer than messages: the queue has changed
	soonest  time.Time
	groups   []int64      // of FIFO queues: the messages' groups
	places   []*time.Time // of standard queues: where messages of groups stand in line, nil for its end; nil where all stand there
}

// sendSQL stores a train's messages. Its queues are looked up once each, whatever the number of messages. What
// a queue's cached version no longer fits is left out, and so found by its absence.
const sendSQL = sendQueuesSQL + `(SELECT nows FROM queue)[queue] + delay` + sendRowsSQL + `) AS i(` + sendColumns + `)` + sendCountSQL

// sendFairSQL also gives messages of groups their places in line (fair.go). It is a statement of its own, since
// most queues have no groups.
const sendFairSQL = sendQueuesSQL + `LEAST((SELECT nows FROM queue)[queue] + delay, place)` + sendRowsSQL +
	`, @at::timestamptz[]) AS i(` + sendColumns + `, place)` + sendCountSQL

const sendQueuesSQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.storage_id ORDER BY a.ord) AS storages, array_agg(q.now ORDER BY a.ord) AS nows
    FROM unnest(@queue::bigint[], @version::bigint[]) WITH ORDINALITY AS a(queue, version, ord)
    LEFT JOIN LATERAL (
        SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
), sent AS (
    INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, sender, group_id, attributes, body)
    SELECT (SELECT storages FROM queue)[queue], id, `

const sendColumns = `queue, id, priority, delay, form, size, sender, group_id, attributes, body`

const sendRowsSQL = `, (SELECT nows FROM queue)[queue],
        size, priority, form, NULLIF(sender, ''), NULLIF(group_id, ''), attributes, body
    FROM unnest(@place::integer[], @id::bigint[], @priority::smallint[], @delay::interval[], @form::smallint[],
        @size::integer[], @sender::text[], @group::text[], @attributes::bytea[], @body::bytea[]`

const sendCountSQL = `
    WHERE (SELECT storages FROM queue)[queue] IS NOT NULL
    RETURNING storage_id, id, visible_at, sent_at, size
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
    SELECT storage_id, CASE WHEN visible_at > sent_at THEN date_bin('1 second', visible_at, '2000-01-01') ELSE '-infinity' END,
        count(*), sum(size), count(*) FILTER (WHERE visible_at > sent_at)
    FROM sent GROUP BY 1, 2
)
SELECT id, visible_at, sent_at FROM sent`

var sendStatement, sendFairStatement = prepare(sendSQL), prepare(sendFairSQL)

// SendMessages is of core.Store.
func (s *Store) SendMessages(ctx context.Context, queue *core.Queue, messages []core.NewMessage) ([]core.Sent, error) {
	o, err := s.newSend(ctx, queue, messages)
	if err != nil {
		return nil, err
	}
	if o.bytes > bulkBytes {
		s.bulk.send(o)
	} else {
		s.hot.send(o)
	}
	if err := o.wait(ctx); err != nil {
		return nil, err
	}
	return o.sent, nil
}

// newSend prepares an operation.
func (s *Store) newSend(ctx context.Context, queue *core.Queue, messages []core.NewMessage) (*sendOp, error) {
	queue, err := s.withPriorities(ctx, queue, prioritiesIn(messages))
	if err != nil {
		return nil, err
	}
	first, err := s.ids.allot(ctx, len(messages))
	if err != nil {
		return nil, err
	}
	o := &sendOp{op: newOp(), queue: queue, messages: messages, first: first, codes: make([][]byte, len(messages)), sent: make([]core.Sent, len(messages))}
	for i := range messages {
		if o.codes[i], err = encodeAttributes(&messages[i]); err != nil {
			return nil, err
		}
		o.bytes += len(messages[i].Body) + len(o.codes[i])
		o.sent[i].ID = s.keys.messageID(first + int64(i))
	}
	o.places = s.placeMessages(ctx, queue, messages)
	return o, nil
}

func (s *Store) queueSends(batch *pgx.Batch, ops []*sendOp) {
	rows := 0
	for _, o := range ops {
		rows += len(o.messages)
		o.stored = 0
	}
	if rows == 0 {
		return
	}
	var (
		queues     viewList
		places     = make([]int32, 0, rows)
		ids        = make([]int64, 0, rows)
		priorities = make([]int16, 0, rows)
		delays     = make([]time.Duration, 0, rows)
		forms      = make([]int16, 0, rows)
		sizes      = make([]int32, 0, rows)
		senders    = make([]string, 0, rows)
		groups     = make([]string, 0, rows)
		attributes = make([][]byte, 0, rows)
		bodies     = make([][]byte, 0, rows)
	)
	for _, o := range ops {
		place := queues.place(o.queue.ID, o.queue.Version)
		for i := range o.messages {
			m := &o.messages[i]
			places = append(places, place)
			ids = append(ids, o.first+int64(i))
			priorities = append(priorities, int16(m.Priority))
			delays = append(delays, visibleAfter(*m.Delay, rows-len(delays)))
			forms = append(forms, int16(m.Form))
			sizes = append(sizes, int32(m.Size()))
			senders = append(senders, m.Sender)
			groups = append(groups, m.GroupID)
			attributes = append(attributes, o.codes[i])
			bodies = append(bodies, notNull(m.Body))
		}
	}
	args := pgx.StrictNamedArgs{
		"queue": queues.ids, "version": queues.versions, "place": places, "id": ids, "priority": priorities, "delay": delays, "form": forms, "size": sizes,
		"sender": senders, "group": groups, "attributes": attributes, "body": bodies,
	}
	statement := sendStatement
	if slices.ContainsFunc(ops, func(o *sendOp) bool { return o.places != nil }) {
		statement = sendFairStatement
		args["at"] = placesOf(ops, rows)
	}
	statement.queue(batch, args).Query(func(rows pgx.Rows) error { return readSends(rows, ops) })
}

// placesOf gives the places in line of all messages of a train.
func placesOf(ops []*sendOp, rows int) []*time.Time {
	places := make([]*time.Time, 0, rows)
	for _, o := range ops {
		if o.places != nil {
			places = append(places, o.places...)
		} else {
			places = append(places, make([]*time.Time, len(o.messages))...)
		}
	}
	return places
}

// notNull keeps an absent body from becoming NULL.
func notNull(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

// visibleAfter gives the time after now at which a message becomes visible. Those of one train that
// are not delayed follow each other by a microsecond each, up to now, so that they are received in the
// order in which they were sent.
func visibleAfter(delay time.Duration, fromEnd int) time.Duration {
	if delay > 0 {
		return delay
	}
	return -time.Duration(fromEnd) * time.Microsecond
}

func readSends(rows pgx.Rows, ops []*sendOp) error {
	byID := make(map[int64]*sendOp, len(ops))
	for _, o := range ops {
		for i := range o.messages {
			byID[o.first+int64(i)] = o
		}
	}
	var id int64
	var visibleAt, sentAt time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &visibleAt, &sentAt}, func() error {
		o := byID[id]
		sent := &o.sent[id-o.first]
		sent.SentAt, sent.VisibleAt = sentAt, visibleAt
		if o.stored == 0 || visibleAt.Before(o.soonest) {
			o.soonest = visibleAt
		}
		o.stored++
		return nil
	})
	return err
}

// stale gives ErrQueueChanged for an operation that the statement left out.
func (o *sendOp) stale(s *Store) error {
	if o.stored == len(o.messages) {
		return nil
	}
	s.queues.forget(o.queue)
	return core.ErrQueueChanged
}

// announceSend makes known what a send made visible, and gives delayed messages their handles.
func (s *Store) announceSend(o *sendOp) {
	if o.stored == 0 || o.queue.FIFO { // whose groups are made known
		return
	}
	visible := 0
	for i := range o.sent {
		sent := &o.sent[i]
		if in := sent.VisibleAt.Sub(sent.SentAt); in > 0 {
			sent.Handle = s.keys.format(o.queue.ID, handle{storage: o.queue.Storage, id: o.first + int64(i)})
			s.announce(o.queue, 1, in, sent.VisibleAt)
		} else {
			visible++
		}
	}
	if visible > 0 {
		s.announce(o.queue, visible, 0, o.soonest)
	}
}

// storedAttributes is how attributes are stored: JSON, since most messages have none, and since
// polymq.send and people with psql write and read it too.
type storedAttributes struct {
	Attributes []storedAttribute `json:"a,omitempty"`
	System     map[string]string `json:"s,omitempty"`
}

// storedAttribute holds a text value in V and a binary one in B.
type storedAttribute struct {
	Name string  `json:"n"`
	Type string  `json:"t"`
	V    *string `json:"v,omitempty"`
	B    []byte  `json:"b,omitempty"`
}

func encodeAttributes(m *core.NewMessage) ([]byte, error) {
	if len(m.Attributes) == 0 && len(m.System) == 0 {
		return nil, nil
	}
	stored := storedAttributes{System: m.System, Attributes: make([]storedAttribute, len(m.Attributes))}
	for i, a := range m.Attributes {
		stored.Attributes[i] = storedAttribute{Name: a.Name, Type: a.Type}
		if core.ValidText(a.Value) {
			text := string(a.Value)
			stored.Attributes[i].V = &text
		} else {
			stored.Attributes[i].B = a.Value
		}
	}
	code, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode attributes: %w", err)
	}
	return code, nil
}

func decodeAttributes(code []byte, m *core.Message) error {
	if len(code) == 0 {
		return nil
	}
	var stored storedAttributes
	if err := json.Unmarshal(code, &stored); err != nil {
		return fmt.Errorf("decode attributes: %w", err)
	}
	m.System = stored.System
	m.Attributes = make([]core.Attribute, len(stored.Attributes))
	for i, a := range stored.Attributes {
		m.Attributes[i] = core.Attribute{Name: a.Name, Type: a.Type, Value: a.B}
		if a.V != nil {
			m.Attributes[i].Value = []byte(*a.V)
		}
	}
	return nil
}
