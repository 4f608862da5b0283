package pg

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const writeAuditSQL = `
INSERT INTO audit_log (at, event_id, source, action, account, region, read_only, denied, identity, principal, user_name, access_key_id,
    address, user_agent, request_id, parameters, response, resources, error_code, error_text, found_by)
SELECT now() - e.age * interval '1 microsecond', e.event_id, e.source, e.action, e.account, e.region, e.read_only, e.denied, e.identity, e.principal,
    e.user_name, e.access_key_id, e.address, e.user_agent, e.request_id, e.parameters::json, e.response::json,
    COALESCE(string_to_array(NULLIF(e.resources, ''), chr(10)), '{}'), e.error_code, e.error_text, string_to_array(e.found_by, chr(10))
FROM unnest(@age::bigint[], @event_id::uuid[], @source::text[], @action::text[], @account::text[], @region::text[], @read_only::boolean[], @denied::boolean[],
    @identity::text[], @principal::text[], @user_name::text[], @access_key_id::text[], @address::text[], @user_agent::text[], @request_id::text[],
    @parameters::text[], @response::text[], @resources::text[], @error_code::text[], @error_text::text[], @found_by::text[])
    WITH ORDINALITY AS e(age, event_id, source, action, account, region, read_only, denied, identity, principal, user_name, access_key_id,
    address, user_agent, request_id, parameters, response, resources, error_code, error_text, found_by, place)
ORDER BY e.place`

// WriteAudit is of core.Store.
func (s *Store) WriteAudit(ctx context.Context, events []core.AuditEvent) (done, refused int, err error) {
	return putAside(events, func(events []core.AuditEvent) error {
		_, err := s.note(ctx, writeAuditSQL, auditArgs(events))
		return err
	})
}

func auditArgs(events []core.AuditEvent) pgx.StrictNamedArgs {
	n := len(events)
	ages, readOnly, denied := make([]int64, n), make([]bool, n), make([]bool, n)
	parameters, response := make([]*string, n), make([]*string, n)
	texts := map[string][]string{}
	put := func(name, value string) { texts[name] = append(texts[name], storable(value)) }
	for i := range events {
		e := &events[i]
		ages[i], readOnly[i], denied[i] = e.Age().Microseconds(), e.ReadOnly, e.Denied
		parameters[i], response[i] = jsonOrNull(e.Parameters), jsonOrNull(e.Response)
		put("event_id", e.ID)
		put("source", e.Source)
		put("action", e.Action)
		put("account", e.Account)
		put("region", e.Region)
		put("identity", e.Identity)
		put("principal", e.Principal)
		put("user_name", e.User)
		put("access_key_id", e.AccessKeyID)
		put("address", addressText(e.Address))
		put("user_agent", e.UserAgent)
		put("request_id", e.RequestID)
		put("resources", lines(e.Resources...))
		put("error_code", e.ErrorCode)
		put("error_text", e.ErrorText)
		put("found_by", foundBy(e))
	}
	args := pgx.StrictNamedArgs{"age": ages, "read_only": readOnly, "denied": denied, "parameters": parameters, "response": response}
	for name, values := range texts {
		args[name] = values
	}
	return args
}

// foundBy gives what an event is looked for by, a line for each.
func foundBy(e *core.AuditEvent) string {
	words := []string{"action:" + e.Action}
	for _, user := range []string{e.User, e.AccessKeyID, e.Principal} {
		if user != "" {
			words = append(words, "user:"+user)
		}
	}
	for _, resource := range e.Resources {
		words = append(words, "resource:"+resource)
		if name := resource[strings.LastIndexAny(resource, ":/")+1:]; name != "" && name != resource {
			words = append(words, "resource:"+name)
		}
	}
	return lines(words...)
}

// lines gives texts as lines, a line for each whatever it holds.
func lines(texts ...string) string {
	var all strings.Builder
	for i, text := range texts {
		if i > 0 {
			all.WriteByte('\n')
		}
		all.WriteString(strings.ReplaceAll(text, "\n", " "))
	}
	return all.String()
}

// storable gives a text without what a database cannot keep.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// jsonOrNull gives nil for no document.
func jsonOrNull(document []byte) *string {
	if len(document) == 0 {
		return nil
	}
	text := string(document)
	return &text
}

const auditColumns = `id, at, event_id::text, source, action, account, region, read_only, denied, identity, principal, user_name, access_key_id,
    address, user_agent, request_id, parameters::text, response::text, resources, error_code, error_text`

// auditFilters are what all ways of reading the log have in common. What happened since a time was logged since then too: days
// before it are not looked into.
const auditFilters = ` AND logged_at >= COALESCE(@from::timestamptz, '-infinity') AND (@before::bigint = 0 OR id < @before) AND id >= @low
    AND (@from::timestamptz IS NULL OR at >= @from) AND (@to::timestamptz IS NULL OR at < @to)
    AND (NOT @failed OR error_code <> '') AND (NOT @changes OR NOT read_only) AND found_by @> @found_by::text[]
ORDER BY id DESC LIMIT @limit`

const auditOfAllSQL = `SELECT ` + auditColumns + ` FROM audit_log WHERE @account = ''` + auditFilters

const auditOfAccountSQL = `SELECT ` + auditColumns + ` FROM audit_log WHERE account = @account` + auditFilters

// auditFoundSQL goes by the words alone, and so has to sort all that have them.
const auditFoundSQL = `SELECT ` + auditColumns + ` FROM audit_log WHERE (@account = '' OR account = @account)` + auditFilters

// auditWindow is how far back the newest events go that are looked at together; low is 0 where these are the last.
const auditWindow = ` AND logged_at >= COALESCE(@from::timestamptz, '-infinity') AND (@before::bigint = 0 OR id < @before) ORDER BY id DESC OFFSET @window LIMIT 1`

const auditWindowOfAllSQL = `SELECT id + 1 FROM audit_log WHERE @account = ''` + auditWindow

const auditWindowOfAccountSQL = `SELECT id + 1 FROM audit_log WHERE account = @account` + auditWindow

const auditRareSQL = `SELECT count(*) FROM (
    SELECT 1 FROM audit_log WHERE found_by @> @found_by::text[] AND id < @before AND logged_at >= COALESCE(@from::timestamptz, '-infinity') LIMIT @window
) found`

// auditLooked is how many events are looked at together.
const auditLooked = 10_000

// auditSearch is one page of the log as it is looked for.
type auditSearch struct {
	core.ListAuditInput
	words  []string
	window int // events looked at together
	page   core.AuditPage
}

// ListAudit is of core.Store. The newest events are looked at, one after the other: that finds at once what there is much of. Where that does not fill
// the page, an index of words finds what there is little of; and where that too has much, the page ends after a while, and the
// next one goes on.
func (s *Store) ListAudit(ctx context.Context, in core.ListAuditInput) (core.AuditPage, error) {
	a := &auditSearch{ListAuditInput: in, words: []string{}, window: s.auditWindow}
	for kind, word := range map[string]string{"user:": in.User, "action:": in.Action, "resource:": in.Resource} {
		if word != "" {
			a.words = append(a.words, kind+word)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.aside(ctx, func() error {
		return s.transaction(ctx, func(tx pgx.Tx) error {
			a.page = core.AuditPage{}
			return a.run(ctx, tx)
		})
	})
	return a.page, err
}

func (a *auditSearch) run(ctx context.Context, tx pgx.Tx) error {
	began, before, rare := time.Now(), a.Before, false
	for looked := 0; ; looked += a.window {
		low, err := a.low(ctx, tx, before)
		if err != nil {
			return err
		}
		sql := auditOfAllSQL
		if a.Account != "" {
			sql = auditOfAccountSQL
		}
		if err := a.read(ctx, tx, sql, low, before); err != nil || a.page.Next != 0 || low == 0 {
			return err
		}
		before = low
		if looked == 0 && len(a.words) > 0 {
			if rare, err = a.isRare(ctx, tx, before); err != nil {
				return err
			}
		}
		switch {
		case rare:
			return a.read(ctx, tx, auditFoundSQL, 0, before)
		case looked+a.window >= core.MaxAuditSearched || time.Since(began) > core.MaxSearchTime:
			a.page.Next = before
			return nil
		}
	}
}

// args are those of all statements.
func (a *auditSearch) args(low, before int64) pgx.NamedArgs {
	return pgx.NamedArgs{
		"account": a.Account, "from": orNull(a.From), "to": orNull(a.To), "failed": a.Failed, "changes": a.Changes, "found_by": a.words,
		"before": before, "low": low, "limit": a.Limit + 1 - len(a.page.Events), "window": a.window,
	}
}

// low gives the oldest of the next events to look at, 0 for all. Where every event counts there is no need to stop.
func (a *auditSearch) low(ctx context.Context, tx pgx.Tx, before int64) (low int64, err error) {
	if len(a.words) == 0 && !a.Failed && !a.Changes && a.To.IsZero() {
		return 0, nil
	}
	sql := auditWindowOfAllSQL
	if a.Account != "" {
		sql = auditWindowOfAccountSQL
	}
	err = tx.QueryRow(ctx, sql, a.args(0, before)).Scan(&low)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return low, err
}

// isRare says that so few events have the words that all of them can be sorted.
func (a *auditSearch) isRare(ctx context.Context, tx pgx.Tx, before int64) (bool, error) {
	if _, err := tx.Exec(ctx, `SET LOCAL enable_bitmapscan = on`); err != nil { // without it no inverted index can be used
		return false, err
	}
	var found int
	err := tx.QueryRow(ctx, auditRareSQL, a.args(0, before)).Scan(&found)
	if found < a.window || err != nil {
		return err == nil, err
	}
	_, err = tx.Exec(ctx, `SET LOCAL enable_bitmapscan = off`)
	return false, err
}

// read adds events to the page, and ends it when it is full.
func (a *auditSearch) read(ctx context.Context, tx pgx.Tx, sql string, low, before int64) error {
	rows, _ := tx.Query(ctx, sql, a.args(low, before)) // CollectRows returns its error
	events, err := pgx.CollectRows(rows, scanAudit)
	a.page.Events = append(a.page.Events, events...)
	if len(a.page.Events) > a.Limit {
		a.page.Events = a.page.Events[:a.Limit]
		a.page.Next = a.page.Events[a.Limit-1].Sequence
	}
	return err
}

func scanAudit(row pgx.CollectableRow) (core.AuditEvent, error) {
	var e core.AuditEvent
	var address string
	var parameters, response *string
	err := row.Scan(&e.Sequence, &e.At, &e.ID, &e.Source, &e.Action, &e.Account, &e.Region, &e.ReadOnly, &e.Denied, &e.Identity, &e.Principal, &e.User, &e.AccessKeyID,
		&address, &e.UserAgent, &e.RequestID, &parameters, &response, &e.Resources, &e.ErrorCode, &e.ErrorText)
	e.Address, _ = netip.ParseAddr(address) // "" where it is not known
	if parameters != nil {
		e.Parameters = []byte(*parameters)
	}
	if response != nil {
		e.Response = []byte(*response)
	}
	return e, err
}
