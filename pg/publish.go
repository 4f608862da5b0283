package pg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// publishOp publishes one caller's messages to one topic: rows of messages in the subscribed queues,
// and what is to be pushed or fanned out.
type publishOp struct {
	op
	routes       *core.Routes
	publications []core.Publication
	rows         []*core.QueueDelivery
	codes        [][]byte     // of the rows' attributes
	places       []*time.Time // of the rows in line (fair.go), nil for its end
	contents     [][]byte     // of the publications that are stored, nil where everything goes into queues at once
	bytes        int
	first        int64 // the row ids, in a row
	ready        bool  // topic and queues were as they had been read
	visible      []time.Time
	sentAt       time.Time
}

// publishSQL stores a train's publishes. Topics and queues are looked up once each; a publish of which
// one is no longer as it was read is left out as a whole. A ready one is answered with its number, negative.
const publishSQL = publishReadySQL + `
SELECT id, visible_at, sent_at FROM sent
UNION ALL SELECT -n, NULL, NULL FROM ready, unnest(oks) WITH ORDINALITY AS r(ok, n) WHERE ok`

const publishReadySQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.storage_id ORDER BY a.ord) AS storages, array_agg(q.now ORDER BY a.ord) AS nows
    FROM unnest(@queue::bigint[], @version::bigint[]) WITH ORDINALITY AS a(queue, version, ord)
    LEFT JOIN LATERAL (
        SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
), topic AS MATERIALIZED (
    SELECT array_agg(t.id ORDER BY a.ord) AS ids
    FROM unnest(@topic::bigint[], @topic_version::bigint[]) WITH ORDINALITY AS a(topic, version, ord)
    LEFT JOIN LATERAL (SELECT t.id FROM topics t WHERE t.id = a.topic AND t.version = a.version LIMIT 1) t ON true
), ready AS MATERIALIZED (
    SELECT array_agg(n.ok ORDER BY n.publish) AS oks
    FROM (
        SELECT publish, bool_and((SELECT ids FROM topic)[topic] IS NOT NULL AND (queue = 0 OR (SELECT storages FROM queue)[queue] IS NOT NULL)) AS ok
        FROM unnest(@need_publish::integer[], @need_topic::integer[], @need_queue::integer[]) AS i(publish, topic, queue)
        GROUP BY publish
    ) n
), sent AS (
    INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, sender, group_id, attributes, body)
    SELECT (SELECT storages FROM queue)[queue], id, LEAST((SELECT nows FROM queue)[queue] + delay, at), (SELECT nows FROM queue)[queue],
        size, priority, form, NULLIF(sender, ''), NULLIF(group_id, ''), attributes, body
    FROM unnest(@publish::integer[], @place::integer[], @id::bigint[], @priority::smallint[], @delay::interval[], @form::smallint[],
        @size::integer[], @sender::text[], @group::text[], @attributes::bytea[], @body::bytea[], @at::timestamptz[])
        AS i(publish, queue, id, priority, delay, form, size, sender, group_id, attributes, body, at)
    WHERE (SELECT oks FROM ready)[publish]
    RETURNING storage_id, id, visible_at, sent_at, size
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
    SELECT storage_id, CASE WHEN visible_at > sent_at THEN date_bin('1 second', visible_at, '2000-01-01') ELSE '-infinity' END,
        count(*), sum(size), count(*) FILTER (WHERE visible_at > sent_at)
    FROM sent GROUP BY 1, 2
)`

// publishAllSQL also stores what is to be pushed or fanned out. It is a statement of its own, since most
// publishes have nothing of the kind.
const publishAllSQL = publishReadySQL + `, published AS (
    INSERT INTO published (id, topic_id, published_at, content)
    SELECT id, topic, at, content
    FROM unnest(@published_publish::integer[], @published::bigint[], @published_topic::bigint[], @published_at::timestamptz[], @content::bytea[])
        AS i(publish, id, topic, at, content)
    WHERE (SELECT oks FROM ready)[publish]
), delivered AS (
    INSERT INTO deliveries (published_id, subscription_id, lane, due_at)
    SELECT published, subscription, lane, now()
    FROM unnest(@delivery_publish::integer[], @delivery::bigint[], @subscription::bigint[], @lane::bigint[]) AS i(publish, published, subscription, lane)
    WHERE (SELECT oks FROM ready)[publish]
), fanned AS (
    INSERT INTO fan_outs (published_id, subscriptions)
    SELECT published, subscriptions::bigint[]
    FROM unnest(@fan_publish::integer[], @fan_out::bigint[], @fan_subscriptions::text[]) AS i(publish, published, subscriptions)
    WHERE (SELECT oks FROM ready)[publish]
)
SELECT id, visible_at, sent_at FROM sent
UNION ALL SELECT -n, NULL, NULL FROM ready, unnest(oks) WITH ORDINALITY AS r(ok, n) WHERE ok`

var publishStatement, publishAllStatement = prepare(publishSQL), prepare(publishAllSQL)

// NewMessageIDs is of core.Store.
func (s *Store) NewMessageIDs(ctx context.Context, account string, n int) ([]core.MessageID, time.Time, error) {
	now, err := s.clock.now(ctx, s, account)
	if err != nil {
		return nil, now, err
	}
	first, err := s.ids.allot(ctx, n)
	if err != nil {
		return nil, now, err
	}
	ids := make([]core.MessageID, n)
	for i := range ids {
		ids[i] = s.keys.messageID(first + int64(i))
	}
	return ids, now, nil
}

// Publish is of core.Store.
func (s *Store) Publish(ctx context.Context, routes *core.Routes, publications []core.Publication) error {
	o, err := s.newPublish(ctx, routes, publications)
	if err != nil {
		return err
	}
	if o.bytes > bulkBytes {
		s.bulk.publish(o)
	} else {
		s.hot.publish(o)
	}
	return o.wait(ctx)
}

// newPublish prepares the rows of a publish.
func (s *Store) newPublish(ctx context.Context, routes *core.Routes, publications []core.Publication) (*publishOp, error) {
	o := &publishOp{op: newOp(), routes: routes, publications: publications, contents: make([][]byte, len(publications))}
	for i := range publications {
		p := &publications[i]
		for j := range p.Queues {
			d := &p.Queues[j]
			queue, err := s.withPriorities(ctx, d.Queue, prioritiesIn([]core.NewMessage{d.Message}))
			if err != nil {
				return nil, err
			}
			d.Queue = queue
			code, err := encodeAttributes(&d.Message)
			if err != nil {
				return nil, err
			}
			var place *time.Time
			if places := s.placeMessages(ctx, queue, []core.NewMessage{d.Message}); places != nil {
				place = places[0]
			}
			o.rows, o.codes, o.places = append(o.rows, d), append(o.codes, code), append(o.places, place)
			o.bytes += len(d.Message.Body) + len(code)
		}
		if len(p.Pushed)+len(p.FanOut) == 0 {
			continue
		}
		content, err := encodePublished(p.Message)
		if err != nil {
			return nil, err
		}
		s.recent.put(routes.Topic.ID, p.Message) // before it is committed: a busy server claims its deliveries at once
		o.contents[i] = content
		o.bytes += len(content) + 8*len(p.FanOut)
	}
	if len(o.rows) == 0 {
		return o, nil
	}
	o.visible = make([]time.Time, len(o.rows))
	var err error
	o.first, err = s.ids.allot(ctx, len(o.rows))
	return o, err
}

// count is how many rows a publish writes.
func (o *publishOp) count() int {
	n := 1 + len(o.rows)
	for i := range o.publications {
		n += len(o.publications[i].Pushed)
	}
	return n
}

// stores reports whether anything is to be pushed or fanned out.
func (o *publishOp) stores() bool {
	for _, content := range o.contents {
		if content != nil {
			return true
		}
	}
	return false
}

func (s *Store) queuePublishes(batch *pgx.Batch, ops []*publishOp) {
	if len(ops) == 0 {
		return
	}
	args := publishArgs(ops)
	statement := publishStatement
	for _, o := range ops {
		if o.stores() {
			statement = publishAllStatement
			s.addStored(args, ops)
			break
		}
	}
	statement.queue(batch, args).Query(func(rows pgx.Rows) error { return readPublishes(rows, ops) })
}

// publishArgs gives the rows for queues, with what each publish needs to be as it was read.
func publishArgs(ops []*publishOp) pgx.StrictNamedArgs {
	total := 0
	for _, o := range ops {
		total += len(o.rows)
	}
	var (
		queues, topics viewList
		needs          [3][]int32 // publish, topic, queue
		publishes      = make([]int32, 0, total)
		places         = make([]int32, 0, total)
		ids            = make([]int64, 0, total)
		priorities     = make([]int16, 0, total)
		delays         = make([]time.Duration, 0, total)
		forms          = make([]int16, 0, total)
		sizes          = make([]int32, 0, total)
		senders        = make([]string, 0, total)
		groups         = make([]string, 0, total)
		attributes     = make([][]byte, 0, total)
		bodies         = make([][]byte, 0, total)
		at             = make([]*time.Time, 0, total)
	)
	for n, o := range ops {
		publish, topic := int32(n+1), topics.place(o.routes.Topic.ID, o.routes.Topic.Version)
		need := func(queue int32) {
			needs[0], needs[1], needs[2] = append(needs[0], publish), append(needs[1], topic), append(needs[2], queue)
		}
		need(0)
		at = append(at, o.places...)
		for i, d := range o.rows {
			m := &d.Message
			place := queues.place(d.Queue.ID, d.Queue.Version)
			need(place)
			publishes, places, ids = append(publishes, publish), append(places, place), append(ids, o.first+int64(i))
			priorities, delays = append(priorities, int16(m.Priority)), append(delays, visibleAfter(*m.Delay, total-len(delays)))
			forms, sizes = append(forms, int16(m.Form)), append(sizes, int32(m.Size()))
			senders, groups = append(senders, m.Sender), append(groups, m.GroupID)
			attributes, bodies = append(attributes, o.codes[i]), append(bodies, notNull(m.Body))
		}
	}
	return pgx.StrictNamedArgs{
		"queue": queues.ids, "version": queues.versions, "topic": topics.ids, "topic_version": topics.versions,
		"need_publish": needs[0], "need_topic": needs[1], "need_queue": needs[2],
		"publish": publishes, "place": places, "id": ids, "priority": priorities, "delay": delays, "form": forms, "size": sizes,
		"sender": senders, "group": groups, "attributes": attributes, "body": bodies, "at": at,
	}
}

// addStored adds what is to be pushed or fanned out.
func (s *Store) addStored(args pgx.StrictNamedArgs, ops []*publishOp) {
	var (
		publishes, deliveryPublishes, fanPublishes          []int32
		ids, topics, deliveries, subscriptions, lanes, fans []int64
		times                                               []time.Time
		contents                                            [][]byte
		fanLists                                            []string
	)
	for n, o := range ops {
		publish := int32(n + 1)
		for i := range o.publications {
			p := &o.publications[i]
			if o.contents[i] == nil {
				continue
			}
			id, _ := s.keys.rowID(p.Message.ID) // it was made by this server
			publishes, ids, topics = append(publishes, publish), append(ids, id), append(topics, o.routes.Topic.ID)
			times, contents = append(times, p.Message.PublishedAt), append(contents, o.contents[i])
			for _, sub := range p.Pushed {
				deliveryPublishes, deliveries = append(deliveryPublishes, publish), append(deliveries, id)
				subscriptions, lanes = append(subscriptions, sub.ID), append(lanes, laneOf(sub))
			}
			if len(p.FanOut) > 0 {
				fanPublishes, fans, fanLists = append(fanPublishes, publish), append(fans, id), append(fanLists, idList(p.FanOut))
			}
		}
	}
	args["published_publish"], args["published"], args["published_topic"] = publishes, ids, topics
	args["published_at"], args["content"] = times, contents
	args["delivery_publish"], args["delivery"], args["subscription"], args["lane"] = deliveryPublishes, deliveries, subscriptions, lanes
	args["fan_publish"], args["fan_out"], args["fan_subscriptions"] = fanPublishes, fans, fanLists
}

// idList gives the subscriptions' ids as the text of an array: PostgreSQL has no arrays of arrays of different lengths.
func idList(subs []*core.Subscription) string {
	var list strings.Builder
	list.WriteByte('{')
	for i, sub := range subs {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatInt(sub.ID, 10))
	}
	list.WriteByte('}')
	return list.String()
}

func readPublishes(rows pgx.Rows, ops []*publishOp) error {
	byID := make(map[int64]*publishOp, len(ops))
	for _, o := range ops {
		o.ready = false
		for i := range o.rows {
			byID[o.first+int64(i)] = o
		}
	}
	var id int64
	var visibleAt, sentAt *time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &visibleAt, &sentAt}, func() error {
		if id < 0 {
			ops[-id-1].ready = true
			return nil
		}
		o := byID[id]
		o.visible[id-o.first], o.sentAt = *visibleAt, *sentAt
		return nil
	})
	return err
}

// stale gives ErrTopicChanged for a publish that the statement left out.
func (o *publishOp) stale(s *Store) error {
	if o.ready {
		return nil
	}
	s.routes.forget(o.routes)
	for _, d := range o.rows {
		s.queues.forget(d.Queue)
	}
	return core.ErrTopicChanged
}

// announcePublish makes known what a publish made visible or due.
func (s *Store) announcePublish(o *publishOp) {
	if !o.ready {
		return
	}
	for i, d := range o.rows {
		d.Sent = core.Sent{ID: s.keys.messageID(o.first + int64(i)), SentAt: o.sentAt, VisibleAt: o.visible[i]}
		s.announce(d.Queue, 1, o.visible[i].Sub(o.sentAt), o.visible[i])
	}
	for i := range o.publications {
		s.announceStored(o.routes.Topic.ID, &o.publications[i])
	}
}

// announceStored makes known what is to be pushed or fanned out, and keeps the message at hand.
func (s *Store) announceStored(topic int64, p *core.Publication) {
	if len(p.Pushed)+len(p.FanOut) > 0 {
		s.recent.put(topic, p.Message)
	}
	for _, sub := range p.Pushed {
		s.announceDelivery(laneOf(sub), 0)
	}
	if len(p.FanOut) > 0 {
		s.announceDelivery(core.FanOutLane, 0)
	}
}

// storedMessage is how a published message is stored.
type storedMessage struct {
	Kind            core.Kind         `json:"k,omitempty"`
	Body            []byte            `json:"b,omitempty"`
	Form            core.BodyForm     `json:"f,omitempty"`
	Bodies          map[string]string `json:"p,omitempty"`
	Subject         string            `json:"j,omitempty"`
	Attributes      json.RawMessage   `json:"a,omitempty"` // as messages have them
	Extra           map[string]string `json:"e,omitempty"`
	Tag             string            `json:"t,omitempty"`
	GroupID         string            `json:"g,omitempty"`
	DeduplicationID string            `json:"d,omitempty"`
	Sender          string            `json:"s,omitempty"`
	Sequence        string            `json:"q,omitempty"`
	Replayed        bool              `json:"r,omitempty"`
}

func encodePublished(m *core.PublishedMessage) ([]byte, error) {
	attributes, err := encodeAttributes(&core.NewMessage{Attributes: m.Attributes, System: m.System})
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(storedMessage{
		Kind: m.Kind, Body: m.Body, Form: m.Form, Bodies: m.Bodies, Subject: m.Subject, Attributes: attributes,
		Extra: m.Extra, Tag: m.Tag, GroupID: m.GroupID, DeduplicationID: m.DeduplicationID, Sender: m.Sender, Sequence: m.Sequence,
		Replayed: m.Replayed,
	})
	if err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return content, nil
}

func decodePublished(content []byte, id core.MessageID, at time.Time) (*core.PublishedMessage, error) {
	var stored storedMessage
	if err := json.Unmarshal(content, &stored); err != nil {
		return nil, fmt.Errorf("%w: message %s: %w", errUnreadable, id.UUID(), err)
	}
	m := &core.PublishedMessage{ID: id, Kind: stored.Kind, PublishedAt: at, Sequence: stored.Sequence, Replayed: stored.Replayed, NewPublication: core.NewPublication{
		Body: stored.Body, Form: stored.Form, Bodies: stored.Bodies, Subject: stored.Subject, Extra: stored.Extra, Tag: stored.Tag,
		GroupID: stored.GroupID, DeduplicationID: stored.DeduplicationID, Sender: stored.Sender,
	}}
	var read core.Message
	if err := decodeAttributes(stored.Attributes, &read); err != nil {
		return nil, fmt.Errorf("%w: message %s: %w", errUnreadable, id.UUID(), err)
	}
	m.Attributes, m.System = read.Attributes, read.System
	return m, nil
}

// errUnreadable says that a stored message cannot be read, and never will be.
var errUnreadable = errors.New("unreadable")
