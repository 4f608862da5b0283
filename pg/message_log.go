package pg

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// observer is who wants to know what the store does by itself.
type observer struct {
	logged  func(*core.Queue) bool
	observe func(*core.Queue, core.Event)
}

// Observe is of core.Store.
func (s *Store) Observe(logged func(*core.Queue) bool, observe func(*core.Queue, core.Event)) {
	s.observer.Store(&observer{logged, observe})
}

// observed tells what this server did to a message by itself.
func (s *Store) observed(queue *core.Queue, e core.Event) {
	if o := s.observer.Load(); o != nil && queue != nil {
		o.observe(queue, e)
	}
}

// logged reports whether the log tells of a queue's messages.
func (s *Store) logged(queue *core.Queue) bool {
	o := s.observer.Load()
	return o != nil && queue != nil && o.logged(queue)
}

// loggedID gives the id of a FIFO queue's message for its handle, where the log will ask for it (MessageOf), else 0: such handles are
// shorter, and servers of the version before, which know no others, accept them.
func (s *Store) loggedID(queue *core.Queue, id int64) int64 {
	if s.logged(queue) {
		return id
	}
	return 0
}

// MessageOf is of core.Store.
func (s *Store) MessageOf(queue *core.Queue, text string) (core.MessageID, bool) {
	h, err := s.keys.parse(queue.ID, text)
	if err != nil {
		return core.MessageID{}, false
	}
	if h.fifo {
		return s.keys.messageID(h.message), h.message != 0
	}
	return s.keys.messageID(h.id), true
}

// PostgreSQL has no arrays of arrays of different lengths: subscriptions come as the text of an array.
const writeEventsSQL = `
INSERT INTO message_log (at, account, region, queue, message_id, kind, handle, visible_at, receive_count, attributes, detail, protocol, action, access_key_id, address,
    request_id, topic, subscription, origin, new_handle, attempt, status, matched, filtered, took)
SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = e.account), '0') - e.age * interval '1 microsecond', e.account, e.region, e.queue,
    e.message_id, e.kind, NULLIF(e.handle, ''), e.visible_at, NULLIF(e.receive_count, 0), e.attributes::jsonb, NULLIF(e.detail, ''),
    NULLIF(e.protocol, ''), NULLIF(e.action, ''), NULLIF(e.access_key_id, ''), NULLIF(e.address, ''), NULLIF(e.request_id, ''),
    NULLIF(e.topic, ''), NULLIF(e.subscription, ''), e.origin, NULLIF(e.new_handle, ''), NULLIF(e.attempt, 0), NULLIF(e.status, ''),
    e.matched::text[], e.filtered::text[], NULLIF(e.took, 0)
FROM unnest(@age::bigint[], @account::text[], @region::text[], @queue::text[], @message_id::uuid[], @kind::text[], @handle::text[], @visible_at::timestamptz[],
    @receive_count::integer[], @attributes::text[], @detail::text[], @protocol::text[], @action::text[], @access_key_id::text[], @address::text[], @request_id::text[],
    @topic::text[], @subscription::text[], @origin::uuid[], @new_handle::text[], @attempt::integer[], @status::text[], @matched::text[], @filtered::text[], @took::bigint[])
    WITH ORDINALITY AS e(age, account, region, queue, message_id, kind, handle, visible_at, receive_count, attributes, detail, protocol, action, access_key_id, address, request_id,
    topic, subscription, origin, new_handle, attempt, status, matched, filtered, took, place)
ORDER BY e.place`

// WriteEvents is of core.Store.
func (s *Store) WriteEvents(ctx context.Context, events []core.Event) (done, refused int, err error) {
	return putAside(events, func(events []core.Event) error {
		_, err := s.note(ctx, writeEventsSQL, eventArgs(events))
		return err
	})
}

// putAside writes the entries of a log by a function. Where the database refuses some for what is in them, the others are
// written without them. done of the entries need not be written again.
func putAside[E any](entries []E, write func([]E) error) (done, refused int, err error) {
	err = write(entries)
	n := len(entries)
	switch {
	case err == nil:
		return n, 0, nil
	case core.CodeOf(err) == core.Unavailable || errors.Is(err, context.Canceled):
		return 0, 0, err
	case !isRowError(err) || n == 1:
		return n, n, err
	}
	done, refused, err = putAside(entries[:n/2], write)
	if done < n/2 {
		return done, refused, err
	}
	more, others, late := putAside(entries[n/2:], write)
	return done + more, refused + others, errors.Join(err, late)
}

// eventID gives the id under which an event is found: its message's, or one that stands for the queue (idOfQueue) where it happened to all of
// the queue's messages.
func eventID(e *core.Event) core.MessageID {
	if e.Kind != core.EventPurged {
		return e.MessageID
	}
	sum := sha256.Sum256([]byte(e.Queue.Account + "/" + e.Queue.Region + "/" + e.Queue.Name))
	return core.MessageID(sum[:len(core.MessageID{})])
}

func eventArgs(events []core.Event) pgx.StrictNamedArgs {
	n := len(events)
	ages, took, counts, attempts := make([]int64, n), make([]int64, n), make([]int32, n), make([]int32, n)
	visible, attributes := make([]*time.Time, n), make([]*string, n)
	origins, matched, filtered := make([]*string, n), make([]*string, n), make([]*string, n)
	texts := map[string][]string{}
	put := func(name, value string) {
		if texts[name] == nil {
			texts[name] = make([]string, 0, n)
		}
		texts[name] = append(texts[name], value)
	}
	for i := range events {
		e := &events[i]
		ages[i], took[i], counts[i], attempts[i] = e.Age().Microseconds(), e.Took.Microseconds(), int32(e.ReceiveCount), int32(e.Attempt)
		attributes[i], matched[i], filtered[i] = loggedAttributes(e.Attributes), textArray(e.Matched), textArray(e.Filtered)
		if !e.VisibleAt.IsZero() {
			visible[i] = &e.VisibleAt
		}
		if e.Origin != (core.MessageID{}) {
			origin := e.Origin.UUID()
			origins[i] = &origin
		}
		put("account", e.Queue.Account)
		put("region", e.Queue.Region)
		put("queue", e.Queue.Name)
		put("message_id", eventID(e).UUID())
		put("kind", string(e.Kind))
		put("handle", e.Handle)
		put("new_handle", e.NewHandle)
		put("topic", e.Topic)
		put("subscription", e.Subscription)
		put("status", e.Status)
		put("detail", storable(e.Detail))
		put("protocol", e.Protocol)
		put("action", e.Action)
		put("access_key_id", storable(e.AccessKeyID))
		put("address", addressText(e.Address))
		put("request_id", storable(e.RequestID))
	}
	args := pgx.StrictNamedArgs{
		"age": ages, "took": took, "receive_count": counts, "attempt": attempts, "visible_at": visible, "attributes": attributes,
		"origin": origins, "matched": matched, "filtered": filtered,
	}
	for name, values := range texts {
		args[name] = values
	}
	return args
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// textArray gives names as the text of an array, nil where there are none.
func textArray(names []string) *string {
	if len(names) == 0 {
		return nil
	}
	var text strings.Builder
	for i, name := range names {
		text.WriteString([]string{`{"`, `","`}[min(i, 1)])
		_, _ = quoted.WriteString(&text, name) // memory takes all
	}
	text.WriteString(`"}`)
	array := text.String()
	return &array
}

// loggedAttributes gives the attributes that are text, by name, as JSON; nil where there are none.
func loggedAttributes(attributes []core.Attribute) *string {
	shown := map[string]string{}
	for _, a := range attributes {
		if core.ValidText(a.Value) {
			shown[a.Name] = string(a.Value)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	text, err := json.Marshal(shown)
	if err != nil {
		return nil
	}
	value := string(text)
	return &value
}

// addressText gives "" for what is no address.
func addressText(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	return address.String()
}

const eventColumns = `id, at, account, region, queue, message_id::text, kind, COALESCE(handle, ''), visible_at, COALESCE(receive_count, 0), attributes,
    COALESCE(detail, ''), COALESCE(protocol, ''), COALESCE(action, ''), COALESCE(access_key_id, ''), COALESCE(address, ''), COALESCE(request_id, ''),
    COALESCE(topic, ''), COALESCE(subscription, ''), origin::text, COALESCE(new_handle, ''), COALESCE(attempt, 0), COALESCE(status, ''), matched, filtered,
    COALESCE(took, 0)`

// eventFilters are what all ways of reading the log have in common.
const eventFilters = ` AND (@topic = '' OR topic = @topic) AND (@region = '' OR region = @region) AND id > @after
    AND (@from::timestamptz IS NULL OR at >= @from) AND (@to::timestamptz IS NULL OR at < @to)
    AND (@attribute = '' OR attributes @> jsonb_build_object(@attribute::text, @value::text))
ORDER BY id LIMIT @limit`

// idOfQueue is what eventID gives for a queue, that of an event e.
const idOfQueue = `encode(substring(sha256(convert_to(e.account || '/' || e.region || '/' || e.queue, 'UTF8')) FOR 16), 'hex')::uuid`

// withPurges reads the events that a CTE life holds, and the purges that ended it: of each queue the first one after the last event of a
// message that was still there.
const withPurges = `, stays AS (
    SELECT DISTINCT ON (message_id, region, queue) account, region, queue, kind, detail, at FROM life
    WHERE queue <> '' AND kind <> 'duplicate' ORDER BY message_id, region, queue, at DESC, id DESC
), ends AS (
    SELECT DISTINCT ON (p.id) p.* FROM stays e CROSS JOIN LATERAL (
        SELECT m.* FROM message_log m WHERE m.message_id = ` + idOfQueue + ` AND m.kind = 'purged' AND m.at >= e.at ORDER BY m.id LIMIT 1
    ) p
    WHERE e.kind NOT IN ('deleted', 'expired') AND NOT (e.kind = 'moved' AND e.detail LIKE 'to %')
    ORDER BY p.id
)
SELECT ` + eventColumns + ` FROM (SELECT * FROM life UNION ALL SELECT * FROM ends) e WHERE true` + eventFilters

// lifeSQL reads the lives of a message, of those that it was made of and of those that were made of it: the copies of what was
// published, what a redrive made of a dead letter.
const lifeSQL = `
WITH RECURSIVE above(id) AS (
    SELECT @message_id::uuid
    UNION
    SELECT o.origin FROM above a CROSS JOIN LATERAL (
        SELECT m.origin FROM message_log m WHERE m.message_id = a.id AND m.account = @account AND m.origin IS NOT NULL LIMIT @copies
    ) o
), below(id) AS (
    SELECT @message_id::uuid
    UNION
    SELECT c.message_id FROM below b CROSS JOIN LATERAL (
        SELECT m.message_id FROM message_log m WHERE m.origin = b.id AND m.account = @account LIMIT @copies
    ) c
), life AS (
    SELECT * FROM message_log
    WHERE message_id = ANY (ARRAY(SELECT a.id FROM (SELECT id FROM above LIMIT @copies) a UNION SELECT b.id FROM (SELECT id FROM below LIMIT @copies) b))
        AND account = @account
)` + withPurges

const eventsInQueueSQL = `
WITH life AS (
    SELECT * FROM message_log WHERE message_id = @message_id::uuid AND account = @account AND queue = @queue
)` + withPurges

const eventsOfQueueSQL = `SELECT ` + eventColumns + ` FROM message_log
WHERE account = @account AND queue = @queue` + eventFilters

const eventsOfTopicSQL = `SELECT ` + eventColumns + ` FROM message_log
WHERE account = @account AND topic = @topic` + eventFilters

// ListEvents is of core.Store.
func (s *Store) ListEvents(ctx context.Context, in core.ListEventsInput) (core.EventPage, error) {
	args := pgx.StrictNamedArgs{
		"account": in.Account, "region": in.Region, "topic": in.Topic, "after": in.After, "limit": in.Limit + 1,
		"from": orNull(in.From), "to": orNull(in.To), "attribute": "", "value": "",
	}
	if in.MessageID != nil {
		args["message_id"] = in.MessageID.UUID()
	}
	if in.Queue != "" {
		args["queue"] = in.Queue
	}
	if in.Attribute != nil {
		args["attribute"], args["value"] = in.Attribute.Name, string(in.Attribute.Value)
	}
	var sql string
	switch {
	case in.MessageID != nil && in.Queue != "":
		sql = eventsInQueueSQL
	case in.MessageID != nil:
		sql, args["copies"] = lifeSQL, core.MaxLoggedCopies
	case in.Queue != "":
		sql = eventsOfQueueSQL
	default:
		sql = eventsOfTopicSQL
	}
	var page core.EventPage
	err := s.look(ctx, sql, args, func(rows pgx.Rows) (err error) {
		page.Events, err = pgx.CollectRows(rows, scanEvent)
		return err
	})
	if len(page.Events) > in.Limit {
		page.Events = page.Events[:in.Limit]
		page.Next = page.Events[in.Limit-1].ID
	}
	return page, err
}

// orNull gives nil for a time that was not given.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func scanEvent(row pgx.CollectableRow) (core.Event, error) {
	var e core.Event
	var message, address string
	var origin *string
	var visible *time.Time
	var attributes map[string]string
	var took int64
	err := row.Scan(&e.ID, &e.At, &e.Queue.Account, &e.Queue.Region, &e.Queue.Name, &message, &e.Kind, &e.Handle, &visible, &e.ReceiveCount, &attributes,
		&e.Detail, &e.Protocol, &e.Action, &e.AccessKeyID, &address, &e.RequestID,
		&e.Topic, &e.Subscription, &origin, &e.NewHandle, &e.Attempt, &e.Status, &e.Matched, &e.Filtered, &took)
	if err != nil {
		return e, err
	}
	e.Took = time.Duration(took) * time.Microsecond
	e.Address, _ = netip.ParseAddr(address) // "" where it is not known
	if visible != nil {
		e.VisibleAt = *visible
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		e.Attributes = append(e.Attributes, core.Attribute{Name: name, Type: "String", Value: []byte(attributes[name])})
	}
	if origin != nil {
		if e.Origin, err = core.ParseMessageID(*origin); err != nil {
			return e, err
		}
	}
	if e.Kind != core.EventPurged { // else it stands for the queue
		e.MessageID, err = core.ParseMessageID(message)
	}
	return e, err
}
