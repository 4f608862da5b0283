package pg_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func auditEvent(n int) core.AuditEvent {
	return core.AuditEvent{
		ID: uuid.NewString(), Source: "sqs", Action: "CreateQueue", Account: "111122223333", Region: "eu-west-1", Identity: core.PrincipalUser,
		Principal: "arn:aws:iam::111122223333:user/ann", User: "ann", AccessKeyID: "AKIA" + strconv.Itoa(n), Address: netip.MustParseAddr("192.0.2.7"),
		UserAgent: "sdk\x00\xff", RequestID: "r" + strconv.Itoa(n), Parameters: []byte(`{"queueName":"q\u0000"}`), Response: []byte(`{"id":"1"}`),
		Resources: []string{fmt.Sprintf("arn:aws:sqs:eu-west-1:111122223333:q%d", n), "line\nbreak"},
	}
}

func TestAuditLog(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		ctx := context.Background()
		for n := range 10 {
			e := auditEvent(n)
			switch n {
			case 3:
				e.Action, e.ReadOnly = "ListQueues", true
			case 4:
				e.ErrorCode, e.ErrorText, e.Denied = "AccessDenied", "no", true
			case 5:
				e.Account, e.User, e.Principal, e.Identity, e.Parameters, e.Response, e.Resources, e.Address = "", "", "", "", nil, nil, nil, netip.Addr{}
			}
			broker.Audit(e)
		}
		if err := store.TurnAudit(ctx, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		tests := map[string]struct {
			in   core.ListAuditInput
			want []string // request ids
		}{
			"all":               {core.ListAuditInput{Limit: 3}, []string{"r9", "r8", "r7"}},
			"account":           {core.ListAuditInput{Limit: 6, Account: "111122223333"}, []string{"r9", "r8", "r7", "r6", "r4", "r3"}},
			"another account":   {core.ListAuditInput{Limit: 6, Account: "999988887777"}, nil},
			"user":              {core.ListAuditInput{Limit: 2, User: "ann"}, []string{"r9", "r8"}},
			"key":               {core.ListAuditInput{Limit: 2, User: "AKIA5"}, []string{"r5"}},
			"principal":         {core.ListAuditInput{Limit: 1, User: "arn:aws:iam::111122223333:user/ann"}, []string{"r9"}},
			"action":            {core.ListAuditInput{Limit: 9, Action: "ListQueues"}, []string{"r3"}},
			"resource":          {core.ListAuditInput{Limit: 9, Resource: "arn:aws:sqs:eu-west-1:111122223333:q6"}, []string{"r6"}},
			"name":              {core.ListAuditInput{Limit: 9, Resource: "q6"}, []string{"r6"}},
			"resource, account": {core.ListAuditInput{Limit: 9, Resource: "q6", Account: "999988887777"}, nil},
			"action and user":   {core.ListAuditInput{Limit: 9, Action: "ListQueues", User: "AKIA4"}, nil},
			"failed":            {core.ListAuditInput{Limit: 9, Failed: true}, []string{"r4"}},
			"changes":           {core.ListAuditInput{Limit: 9, Resource: "q3", Changes: true}, nil},
			"before":            {core.ListAuditInput{Limit: 9, To: time.Now().Add(-time.Hour)}, nil},
			"since":             {core.ListAuditInput{Limit: 1, From: time.Now().Add(-time.Hour)}, []string{"r9"}},
		}
		for name, tt := range tests {
			page, err := broker.ListAudit(ctx, tt.in)
			var got []string
			for _, e := range page.Events {
				got = append(got, e.RequestID)
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s: got %v and %v, want %v", name, got, err, tt.want)
			}
		}
	})
}

func TestAuditLogKeepsAllOfAnEvent(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		want := auditEvent(1)
		broker.Audit(want)
		page, err := broker.ListAudit(context.Background(), core.ListAuditInput{Limit: 1})
		if err != nil || len(page.Events) != 1 || page.Next != 0 {
			t.Fatalf("got %+v and %v", page, err)
		}
		got := page.Events[0]
		if age := time.Since(got.At); age < -time.Minute || age > time.Minute {
			t.Errorf("it was %v ago", age)
		}
		want.UserAgent, want.Resources[1] = "sdk\uFFFD", "line break"
		want.Sequence, want.At = got.Sequence, got.At
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("got\n%+v, want\n%+v", got, want)
		}
	})
}

func TestAuditLogPages(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		const events = core.AuditBatch + 30
		for n := range events {
			broker.Audit(auditEvent(n))
		}
		seen := 0
		for before := int64(0); ; {
			page, err := broker.ListAudit(context.Background(), core.ListAuditInput{User: "ann", Limit: 100, Before: before})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				if want := "r" + strconv.Itoa(events-1-seen); e.RequestID != want {
					t.Fatalf("event %d is %s, want %s", seen, e.RequestID, want)
				}
				seen++
			}
			if before = page.Next; before == 0 {
				break
			}
		}
		if seen != events || broker.AuditDropped() != 0 {
			t.Errorf("saw %d of %d events, %d dropped", seen, events, broker.AuditDropped())
		}
	})
}

func TestAuditDaysAreDroppedWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := pgtest.DatabaseURL(t)
	store, conn := open(t, pg.Options{URL: url}), database(t, url)
	day, want := today(t, conn), 4
	if err := store.TurnAudit(ctx, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	execute(t, conn, `CREATE TABLE audit_log_20200101 PARTITION OF audit_log FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')`)
	if err := store.TurnAudit(ctx, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	rows, _ := conn.Query(ctx, `SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_log'::regclass ORDER BY 1`)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if !today(t, conn).Equal(day) && len(got) == want+1 {
		want++ // midnight came between the two
	}
	if err != nil || len(got) != want || slices.Contains(got, "audit_log_20200101") {
		t.Errorf("partitions %v and %v, want the default one and three days", got, err)
	}
}

// TestAuditSearch looks for what there is much and little of, in the newest events and behind them.
func TestAuditSearch(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newBroker(t, store)
	pg.LookAtAudit(store, 20)
	const events = 100
	for n := range events {
		e := auditEvent(n)
		e.User, e.Principal, e.Resources = "ann", "", nil
		if n < 50 { // the older half
			e.User = "bob"
		}
		if n%40 == 5 { // 5, 45, 85
			e.Action, e.ErrorCode = "DeleteQueue", "AccessDenied"
		}
		broker.Audit(e)
	}
	all := func(from, to int) (want []string) {
		for n := to - 1; n >= from; n-- {
			want = append(want, "r"+strconv.Itoa(n))
		}
		return want
	}
	noon := time.Now().Add(time.Hour)
	for name, tt := range map[string]struct {
		in   core.ListAuditInput
		want []string
	}{
		"much":                    {core.ListAuditInput{User: "ann"}, all(50, 100)},
		"much behind the newest":  {core.ListAuditInput{User: "bob"}, all(0, 50)},
		"little":                  {core.ListAuditInput{Action: "DeleteQueue"}, []string{"r85", "r45", "r5"}},
		"little of one account":   {core.ListAuditInput{Action: "DeleteQueue", Account: "111122223333"}, []string{"r85", "r45", "r5"}},
		"both":                    {core.ListAuditInput{Action: "DeleteQueue", User: "bob"}, []string{"r45", "r5"}},
		"nothing":                 {core.ListAuditInput{User: "carl"}, nil},
		"what went wrong":         {core.ListAuditInput{Failed: true}, []string{"r85", "r45", "r5"}},
		"until a time":            {core.ListAuditInput{To: noon}, all(0, 100)},
		"another account's":       {core.ListAuditInput{User: "ann", Account: "999988887777"}, nil},
		"much that went not well": {core.ListAuditInput{User: "bob", Failed: true}, []string{"r45", "r5"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{3, 1000} {
				var got []string
				for tt.in.Before, tt.in.Limit = 0, limit; ; {
					page, err := broker.ListAudit(context.Background(), tt.in)
					if err != nil || len(page.Events) > limit {
						t.Fatalf("a page of %d events, error %v", len(page.Events), err)
					}
					for _, e := range page.Events {
						got = append(got, e.RequestID)
					}
					if page.Next >= tt.in.Before && tt.in.Before != 0 {
						t.Fatalf("the page behind %d goes on at %d", tt.in.Before, page.Next)
					}
					if tt.in.Before = page.Next; page.Next == 0 {
						break
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("pages of %d: got %v, want %v", limit, got, tt.want)
				}
			}
		})
	}
}

// TestAuditPutsBadEventsAside has the database refuse some events: the others of their batch are written.
func TestAuditPutsBadEventsAside(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newBroker(t, store)
	execute(t, database(t, store.URL()), `ALTER TABLE audit_log ADD CHECK (request_id NOT IN ('r3', 'r17', 'r18'))`)
	const events = 40
	for n := range events {
		broker.Audit(auditEvent(n))
	}
	if err := broker.FlushAudit(context.Background()); err == nil {
		t.Error("nobody is told of what was refused")
	}
	page, err := broker.ListAudit(context.Background(), core.ListAuditInput{Limit: 1000})
	if err != nil || len(page.Events) != events-3 || broker.AuditDropped() != 3 {
		t.Errorf("%d events were written and %d dropped, error %v", len(page.Events), broker.AuditDropped(), err)
	}
}

// TestAuditPlans is as TestPlans, for a log of which the days before the last were long.
func TestAuditPlans(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	if err := store.TurnAudit(context.Background(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	admin := database(t, store.URL())
	execute(t, admin, `INSERT INTO audit_log (logged_at, at, event_id, source, action, account, region, read_only, denied, identity, principal, user_name, access_key_id,
		address, user_agent, request_id, resources, error_code, error_text, found_by)
		SELECT d, d, gen_random_uuid(), 'sqs', 'CreateQueue', 'grown', 'r', false, false, '', '', '', '', '', '', '', '{}', '', '', '{}'
		FROM generate_series(1, 20000) i, LATERAL (SELECT current_date + CASE WHEN i > 19995 THEN interval '60 hours' ELSE '36 hours' END) AS d(d)`)
	execute(t, admin, `ANALYZE`)
	page := func(account string, from *time.Time) pgx.NamedArgs {
		return pgx.NamedArgs{"account": account, "before": 0, "from": from, "to": nil, "failed": false, "changes": false, "limit": 10, "low": 0, "found_by": []string{}, "window": 50}
	}
	var lately time.Time
	if err := admin.QueryRow(context.Background(), `SELECT current_date + interval '2 days'`).Scan(&lately); err != nil {
		t.Fatal(err)
	}
	planned(t, store.URL(), map[string]plannedStatement{
		"all":               {pg.AuditOfAllSQL, page("", nil), 100},
		"account":           {pg.AuditOfAccountSQL, page("grown", nil), 100},
		"all of late":       {pg.AuditOfAllSQL, page("", &lately), 100},
		"account's of late": {pg.AuditOfAccountSQL, page("grown", &lately), 100},
		"window":            {pg.AuditWindowOfAllSQL, page("", nil), 100},
		"account's window":  {pg.AuditWindowOfAccountSQL, page("grown", nil), 100},
	}).check(t, "grown")
}
