package pg

import (
	"context"
	"encoding/json"
	"fmt"
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

// sendSQL stores a train's messages. Those of one queue and one delay are a group: its queue is looked up once,
// and since all of it is stored or nothing, its counters and its times need no look at what was stored. What a
// queue's cached version no longer fits is left out, and so found by its absence. Messages that stand further
// ahead than at the end of their line have a place (fair.go). Arrays that few messages need end with the last of
// these: unnest goes on with NULL. In FROM, where it is not called here, it would store each array as a table first.
const sendSQL = `
WITH batch AS MATERIALIZED (
    SELECT a.ord, a.delay, a.messages, a.bytes, q.storage_id, q.now
    FROM unnest(@queue::bigint[], @version::bigint[], @delay::interval[], @messages::bigint[], @bytes::bigint[])
        WITH ORDINALITY AS a(queue, version, delay, messages, bytes, ord)
    LEFT JOIN LATERAL (
        SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
), sent AS (
    INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, sender, group_id, attributes, body)
    SELECT i.storage_id, i.id, LEAST(i.now + i.after, i.at), i.now, i.size, i.priority, i.form, NULLIF(i.sender, ''), NULLIF(i.group_id, ''), i.attributes, i.body
    FROM (
        SELECT (ARRAY(SELECT storage_id FROM batch ORDER BY ord))[place] AS storage_id, (ARRAY(SELECT now FROM batch ORDER BY ord))[place] AS now,
            id, priority, after, form, size, sender, group_id, attributes, body, at
        FROM (
            SELECT unnest(@place::integer[]) AS place, unnest(@id::bigint[]) AS id, unnest(@priority::smallint[]) AS priority,
                unnest(@after::interval[]) AS after, unnest(@form::smallint[]) AS form, unnest(@size::integer[]) AS size,
                unnest(@sender::text[]) AS sender, unnest(@group::text[]) AS group_id, unnest(@attributes::bytea[]) AS attributes,
                unnest(@body::bytea[]) AS body, unnest(@at::timestamptz[]) AS at
        ) i
        OFFSET 0 -- so that the arrays are looked into once a row
    ) i WHERE i.storage_id IS NOT NULL
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
    SELECT storage_id, CASE WHEN delay > '0' THEN date_bin('1 second', now + delay, '2000-01-01') ELSE '-infinity' END,
        messages, bytes, CASE WHEN delay > '0' THEN messages ELSE 0 END
    FROM batch WHERE storage_id IS NOT NULL
)
SELECT ord, now FROM batch WHERE storage_id IS NOT NULL`

var sendStatement = prepare(sendSQL)

// SendMessages is of core.Store.
func (s *Store) SendMessages(ctx context.Context, queue *core.Queue, messages []core.NewMessage) ([]core.Sent, error) {
	o, err := s.newSend(ctx, queue, messages)
	if err != nil {
		return nil, err
	}
	switch {
	case o.bytes <= bulkBytes:
		s.stationOf(queue).send(o)
	case queue.FIFO:
		s.fifoBulk.send(o)
	default:
		s.bulk.send(o)
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

// sendBatch is what a train sends to one queue with one delay.
type sendBatch struct {
	sendKey
	rows  []sendRow
	bytes int64
}

type sendKey struct {
	queue, version int64
	delay          time.Duration
}

// sendRow is one message of an operation.
type sendRow struct {
	*sendOp
	index int
	after time.Duration // until it is visible
}

// place gives the message's place in line, nil for its end.
func (r *sendRow) place() *time.Time {
	if r.places == nil {
		return nil
	}
	return r.places[r.index]
}

// visibleAt gives the time at which the message becomes visible, when it is stored at that time.
func (r *sendRow) visibleAt(now time.Time) time.Time {
	at := now.Add(r.after)
	if place := r.place(); place != nil && place.Before(at) {
		return place.Truncate(time.Microsecond) // as it is stored
	}
	return at
}

func (s *Store) queueSends(batch *pgx.Batch, ops []*sendOp) {
	batches := sendBatches(ops)
	rows := 0
	for _, b := range batches {
		rows += len(b.rows)
	}
	if rows == 0 {
		return
	}
	var (
		queues     = make([]int64, len(batches))
		versions   = make([]int64, len(batches))
		delays     = make([]time.Duration, len(batches))
		messages   = make([]int64, len(batches))
		bytes      = make([]int64, len(batches))
		places     = make([]int32, 0, rows)
		ids        = make([]int64, 0, rows)
		priorities = make([]int16, 0, rows)
		afters     = make([]time.Duration, 0, rows)
		forms      = make([]int16, 0, rows)
		sizes      = make([]int32, 0, rows)
		bodies     = make([][]byte, 0, rows)
		senders    []string // these as far as they are needed
		groups     []string
		attributes [][]byte
		at         []*time.Time
	)
	for n, b := range batches {
		queues[n], versions[n], delays[n], messages[n], bytes[n] = b.queue, b.version, b.delay, int64(len(b.rows)), b.bytes
		for _, r := range b.rows {
			m := &r.messages[r.index]
			places = append(places, int32(n+1)) // SQL counts from one
			ids = append(ids, r.first+int64(r.index))
			priorities = append(priorities, int16(m.Priority))
			afters = append(afters, r.after)
			forms = append(forms, int16(m.Form))
			sizes = append(sizes, int32(m.Size()))
			row := len(bodies)
			bodies = append(bodies, notNull(m.Body))
			if m.Sender != "" {
				senders = setAt(senders, row, m.Sender)
			}
			if m.GroupID != "" {
				groups = setAt(groups, row, m.GroupID)
			}
			if code := r.codes[r.index]; code != nil {
				attributes = setAt(attributes, row, code)
			}
			if place := r.place(); place != nil {
				at = setAt(at, row, place)
			}
		}
	}
	sendStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues, "version": versions, "delay": delays, "messages": messages, "bytes": bytes,
		"place": places, "id": ids, "priority": priorities, "after": afters, "form": forms, "size": sizes,
		"sender": senders, "group": groups, "attributes": attributes, "body": bodies, "at": at,
	}).Query(func(rows pgx.Rows) error { return readSends(rows, batches) })
}

// setAt lengthens a list so that it ends with the value at a place.
func setAt[T any](list []T, place int, value T) []T {
	return append(append(list, make([]T, place-len(list))...), value)
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

// sendBatches parts the messages of a train by queue and delay.
func sendBatches(ops []*sendOp) (batches []*sendBatch) {
	rows := 0
	for _, o := range ops {
		o.stored = 0
		rows += len(o.messages)
	}
	known := map[sendKey]*sendBatch{}
	var last *sendBatch
	for _, o := range ops {
		for i := range o.messages {
			k := sendKey{o.queue.ID, o.queue.Version, o.messages[i].Delay.Truncate(time.Microsecond)} // as precise as it is stored
			if last == nil || last.sendKey != k {
				if last = known[k]; last == nil {
					last = &sendBatch{sendKey: k}
					known[k] = last
					batches = append(batches, last)
				}
			}
			last.rows = append(last.rows, sendRow{o, i, visibleAfter(k.delay, rows)})
			rows--
			last.bytes += int64(o.messages[i].Size())
		}
	}
	return batches
}

func readSends(rows pgx.Rows, batches []*sendBatch) error {
	var place int64
	var now time.Time
	_, err := pgx.ForEachRow(rows, []any{&place, &now}, func() error {
		for _, r := range batches[place-1].rows {
			sent := &r.sent[r.index]
			sent.SentAt, sent.VisibleAt = now, r.visibleAt(now)
			if r.stored == 0 || sent.VisibleAt.Before(r.soonest) {
				r.soonest = sent.VisibleAt
			}
			r.stored++
		}
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
