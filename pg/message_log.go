package pg

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// Observe is of core.Store.
func (s *Store) Observe(observer func(*core.Queue, core.Event)) { s.observer.Store(&observer) }

// observed tells what this server did to a message by itself.
func (s *Store) observed(queue *core.Queue, e core.Event) {
	if observer := s.observer.Load(); observer != nil && queue != nil {
		(*observer)(queue, e)
	}
}

// MessageOf is of core.Store.
func (s *Store) MessageOf(queue *core.Queue, text string) (core.MessageID, bool) {
	h, err := s.keys.parse(queue.ID, text)
	if err != nil {
		return core.MessageID{}, false
	}
	if h.fifo {
		return s.keys.messageID(h.message), true
	}
	return s.keys.messageID(h.id), true
}

const writeEventsSQL = `
INSERT INTO message_log (at, account, region, queue, message_id, kind, handle, visible_at, receive_count, attributes, detail, protocol, action, access_key_id, address, request_id)
SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = e.account), '0') - e.age * interval '1 microsecond', e.account, e.region, e.queue,
    e.message_id, e.kind, NULLIF(e.handle, ''), e.visible_at, NULLIF(e.receive_count, 0), e.attributes::jsonb, NULLIF(e.detail, ''),
    NULLIF(e.protocol, ''), NULLIF(e.action, ''), NULLIF(e.access_key_id, ''), NULLIF(e.address, ''), NULLIF(e.request_id, '')
FROM unnest(@age::bigint[], @account::text[], @region::text[], @queue::text[], @message_id::uuid[], @kind::text[], @handle::text[], @visible_at::timestamptz[],
    @receive_count::integer[], @attributes::text[], @detail::text[], @protocol::text[], @action::text[], @access_key_id::text[], @address::text[], @request_id::text[])
    AS e(age, account, region, queue, message_id, kind, handle, visible_at, receive_count, attributes, detail, protocol, action, access_key_id, address, request_id)`

// WriteEvents is of core.Store.
func (s *Store) WriteEvents(ctx context.Context, events []core.Event) error {
	n := len(events)
	ages, counts := make([]int64, n), make([]int32, n)
	visible, attributes := make([]*time.Time, n), make([]*string, n)
	texts := map[string][]string{}
	put := func(name, value string) { texts[name] = append(texts[name], value) }
	for i := range events {
		e := &events[i]
		ages[i], counts[i], attributes[i] = e.Age().Microseconds(), int32(e.ReceiveCount), loggedAttributes(e.Attributes)
		if !e.VisibleAt.IsZero() {
			visible[i] = &e.VisibleAt
		}
		put("account", e.Queue.Account)
		put("region", e.Queue.Region)
		put("queue", e.Queue.Name)
		put("message_id", e.MessageID.UUID())
		put("kind", string(e.Kind))
		put("handle", e.Handle)
		put("detail", e.Detail)
		put("protocol", e.Protocol)
		put("action", e.Action)
		put("access_key_id", e.AccessKeyID)
		put("address", addressText(e.Address))
		put("request_id", e.RequestID)
	}
	args := pgx.StrictNamedArgs{"age": ages, "receive_count": counts, "visible_at": visible, "attributes": attributes}
	for name, values := range texts {
		args[name] = values
	}
	_, err := s.exec(ctx, writeEventsSQL, args)
	return err
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
    COALESCE(detail, ''), COALESCE(protocol, ''), COALESCE(action, ''), COALESCE(access_key_id, ''), COALESCE(address, ''), COALESCE(request_id, '')`

// eventFilters are what both ways of reading the log have in common.
const eventFilters = ` AND (@region = '' OR region = @region) AND id > @after
    AND (@from::timestamptz IS NULL OR at >= @from) AND (@to::timestamptz IS NULL OR at < @to)
    AND (@attribute = '' OR attributes @> jsonb_build_object(@attribute::text, @value::text))
ORDER BY id LIMIT @limit`

const eventsOfMessageSQL = `SELECT ` + eventColumns + ` FROM message_log
WHERE message_id = @message_id::uuid AND account = @account AND (@queue = '' OR queue = @queue)` + eventFilters

const eventsOfQueueSQL = `SELECT ` + eventColumns + ` FROM message_log
WHERE account = @account AND queue = @queue AND (@message_id = '' OR message_id::text = @message_id)` + eventFilters

// ListEvents is of core.Store.
func (s *Store) ListEvents(ctx context.Context, in core.ListEventsInput) (core.EventPage, error) {
	args := pgx.StrictNamedArgs{
		"account": in.Account, "region": in.Region, "queue": in.Queue, "message_id": "", "after": in.After, "limit": in.Limit + 1,
		"from": orNull(in.From), "to": orNull(in.To), "attribute": "", "value": "",
	}
	sql := eventsOfQueueSQL
	if in.MessageID != nil {
		sql, args["message_id"] = eventsOfMessageSQL, in.MessageID.UUID()
	}
	if in.Attribute != nil {
		args["attribute"], args["value"] = in.Attribute.Name, string(in.Attribute.Value)
	}
	var page core.EventPage
	err := s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
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
	var message string
	var visible *time.Time
	var attributes map[string]string
	var address string
	err := row.Scan(&e.ID, &e.At, &e.Queue.Account, &e.Queue.Region, &e.Queue.Name, &message, &e.Kind, &e.Handle, &visible, &e.ReceiveCount, &attributes,
		&e.Detail, &e.Protocol, &e.Action, &e.AccessKeyID, &address, &e.RequestID)
	if err != nil {
		return e, err
	}
	e.Address, _ = netip.ParseAddr(address) // "" where it is not known
	if visible != nil {
		e.VisibleAt = *visible
	}
	for name, value := range attributes {
		e.Attributes = append(e.Attributes, core.Attribute{Name: name, Type: "String", Value: []byte(value)})
	}
	e.MessageID, err = core.ParseMessageID(message)
	return e, err
}
