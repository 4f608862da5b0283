package pg

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
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

// eventTimesSQL gives the time of each account.
const eventTimesSQL = `
SELECT a.account, clock_timestamp() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = a.account), '0') FROM unnest(@accounts::text[]) AS a(account)`

// eventFields are the columns that an event is written to, in the order of eventRow.
var eventFields = []string{
	"at", "account", "region", "queue", "message_id", "kind", "handle", "visible_at", "receive_count", "attributes", "detail", "protocol", "action", "access_key_id",
	"address", "request_id", "topic", "subscription", "origin", "new_handle", "attempt", "status", "matched", "filtered", "took",
}

// WriteEvents is of core.Store.
func (s *Store) WriteEvents(ctx context.Context, events []core.Event) (done, refused int, err error) {
	return putAside(events, func(events []core.Event) error {
		return s.aside(ctx, func() error { return s.copyEvents(ctx, events) })
	})
}

// copyEvents writes events, all or none.
func (s *Store) copyEvents(ctx context.Context, events []core.Event) error {
	accounts := map[string]time.Time{}
	for i := range events {
		accounts[events[i].Queue.Account] = time.Time{}
	}
	s.eventTimes.Lock() // writes come one after the other anyway
	defer s.eventTimes.Unlock()
	return s.transaction(ctx, func(tx pgx.Tx) error {
		asked := time.Now()
		rows, _ := tx.Query(ctx, eventTimesSQL, pgx.StrictNamedArgs{"accounts": slices.Collect(maps.Keys(accounts))}) // ForEachRow returns its error
		var account string
		var now time.Time
		if _, err := pgx.ForEachRow(rows, []any{&account, &now}, func() error {
			accounts[account] = now
			return nil
		}); err != nil {
			return err
		}
		answered := asked.Add(time.Since(asked) / 2) // about
		row := make([]any, len(eventFields))         // each is written before the next is asked for
		_, err := tx.CopyFrom(ctx, pgx.Identifier{messageLog}, eventFields, pgx.CopyFromSlice(len(events), func(i int) ([]any, error) {
			e := &events[i]
			return eventRow(row[:0], e, s.eventTimes.next(e.Queue.Account, accounts[e.Queue.Account].Add(e.Noted().Sub(answered)))), nil
		}))
		return err
	})
}

// eventTimes are those of the last events of accounts that this server has written. The database's time is known as exactly as its answer
// was quick; no event of a server may seem to have happened before one that did, or a purge would not end the lives before it.
// A time that is further back is of a clock that a reset has set back.
type eventTimes struct {
	sync.Mutex
	last map[string]time.Time
}

// next gives the time of an account's event, of which that much is known; the mutex is held.
func (t *eventTimes) next(account string, about time.Time) time.Time {
	at := about.Truncate(time.Microsecond) // as it is stored
	if last, ok := t.last[account]; ok && !at.After(last) && last.Sub(at) < callTimeout {
		at = last.Add(time.Microsecond)
	}
	if len(t.last) >= maxClockAccounts || t.last == nil {
		t.last = map[string]time.Time{}
	}
	t.last[account] = at
	return at
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

// eventRow appends the values of an event that happened at that time of its account.
func eventRow(row []any, e *core.Event, at time.Time) []any {
	var origin any
	if e.Origin != (core.MessageID{}) {
		origin = [16]byte(e.Origin)
	}
	return append(row, at, e.Queue.Account, e.Queue.Region, e.Queue.Name, [16]byte(eventID(e)), string(e.Kind), given(e.Handle), given(e.VisibleAt), given(int32(e.ReceiveCount)),
		loggedAttributes(e.Attributes), given(storable(e.Detail)), given(e.Protocol), given(e.Action), given(storable(e.AccessKeyID)),
		given(addressText(e.Address)), given(storable(e.RequestID)), given(e.Topic), given(e.Subscription), origin, given(e.NewHandle), given(int32(e.Attempt)), given(e.Status),
		givenList(e.Matched), givenList(e.Filtered), given(e.Took.Microseconds()))
}

// given gives NULL for the zero value.
func given[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

func givenList(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// loggedAttributes gives the attributes that are text, by name; NULL where there are none.
func loggedAttributes(attributes []core.Attribute) any {
	if len(attributes) == 0 {
		return nil
	}
	shown := map[string]string{}
	for _, a := range attributes {
		if core.ValidText(a.Value) {
			shown[a.Name] = string(a.Value)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	return shown
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

// eventFilters are what all ways of reading the log have in common: nothing is told of what was before the account was reset.
const eventFilters = ` AND (@topic = '' OR topic = @topic) AND (@region = '' OR region = @region)
    AND id > GREATEST(@after, (SELECT s.id FROM message_log_starts s WHERE s.account = @account))
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
