package pg_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// sqlSendGrouped calls polymq.send with the names of its arguments, as it is read best.
const sqlSendGrouped = `SELECT polymq.send($1, $2, $3, $4, group_id => $5, deduplication_id => $6)::text`

// querier is a connection, or a transaction on it.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// sqlSendTo sends a message as an application does; an empty deduplication id is none.
func (q *testQueue) sqlSendTo(conn querier, group, deduplication, body string) (id string) {
	q.t.Helper()
	var given *string
	if deduplication != "" {
		given = &deduplication
	}
	err := conn.QueryRow(context.Background(), sqlSendGrouped, q.name.Account, q.name.Region, q.name.Name, body, group, given).Scan(&id)
	if err != nil {
		q.t.Fatalf("send to group %q: %v", group, err)
	}
	return id
}

func TestSQLSendFIFO(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store := open(t, pg.Options{URL: url})
	q := newFIFO(t, newBroker(t, store))
	conn := application(t, url)
	ctx := context.Background()

	q.sendTo("g", "1")
	q.sqlSendTo(conn, "g", "", "2")
	q.sendTo("g", "3")
	id := q.sqlSendTo(conn, "h", "", "4")
	q.wantCounts(4, 0, 0, 4)
	got := q.wantReceive("1", "2", "3", "4")
	for i := 1; i < len(got); i++ {
		if got[i].Sequence <= got[i-1].Sequence {
			t.Errorf("sequence %s behind %s", got[i].Sequence, got[i-1].Sequence)
		}
	}
	if m := got[3]; m.GroupID != "h" || m.ID.UUID() != id || m.DeduplicationID != "" {
		t.Errorf("received %+v, the function said %s", m, id)
	}
	for _, m := range got {
		q.delete(true, m.Handle)
	}
	q.wantCounts(0, 0, 0, 0)

	waiting := q.wait(ctx, store, 10)
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	q.sqlSendTo(tx, "g", "", "one")
	q.sqlSendTo(tx, "g", "", "two")
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	q.got(waiting, "one", "two")
}

func TestSQLSendDeduplicates(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := newBroker(t, open(t, pg.Options{URL: url}))
	conn := application(t, url)
	for name, scope := range map[string]core.DeduplicationScope{"in the queue": core.DeduplicateInQueue, "in the group": core.DeduplicateInGroup} {
		t.Run(name, func(t *testing.T) {
			q := newFIFO(t, broker, func(s *core.Settings) { s.DeduplicationScope = scope })
			first := q.sqlSendTo(conn, "g", "d", "a")
			if again := q.sqlSendTo(conn, "g", "d", "b"); again != first {
				t.Errorf("sent as %s, then as %s", first, again)
			}
			if sent := q.sendID("g", "d", "c"); !sent.Duplicate || sent.ID.UUID() != first {
				t.Errorf("a server sends it again: %+v", sent)
			}
			theirs := q.sendID("g", "e", "d")
			if ours := q.sqlSendTo(conn, "g", "e", "e"); ours != theirs.ID.UUID() {
				t.Errorf("what a server had sent is sent again as %s", ours)
			}
			other := q.sqlSendTo(conn, "h", "d", "f")
			if inGroup := scope == core.DeduplicateInGroup; inGroup != (other != first) {
				t.Errorf("sent to another group: %s, and %s before", other, first)
			} else if inGroup {
				q.wantReceive("a", "d", "f")
			} else {
				q.wantReceive("a", "d") // and no group is left behind by duplicates
			}
			q.advance(core.DeduplicationWindow)
			if late := q.sqlSendTo(conn, "g", "d", "g"); late == first {
				t.Error("a duplicate after five minutes")
			}
		})
	}
}

func TestSQLSendByContent(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := newBroker(t, open(t, pg.Options{URL: url}))
	conn := application(t, url)
	q := newFIFO(t, broker)
	q.alter(core.QueueChange{Attributes: map[string]*string{"sqs.ContentBasedDeduplication": ptr("true")}})
	first := q.sqlSendTo(conn, "g", "", "a ✓")
	if again := q.sqlSendTo(conn, "g", "", "a ✓"); again != first {
		t.Errorf("the same body was sent as %s, then as %s", first, again)
	}
	q.sqlSendTo(conn, "g", "d", "a ✓") // its own id counts
	got := q.wantReceive("a ✓", "a ✓")
	const sum = "ea25700df18f894fbed288ad5545319ebfeaf6ce525928eda8e632df45c129d2" // SHA-256 of the body
	if got[0].DeduplicationID != sum || got[1].DeduplicationID != "d" {
		t.Errorf("received with ids %q and %q", got[0].DeduplicationID, got[1].DeduplicationID)
	}
}

func TestSQLSendRollsBack(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	q := newFIFO(t, newBroker(t, open(t, pg.Options{URL: url})))
	conn := application(t, url)
	tx, err := conn.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	q.sqlSendTo(tx, "g", "d", "never")
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	q.wantReceive()
	if sent := q.sendID("g", "d", "now"); sent.Duplicate {
		t.Error("what was rolled back is remembered")
	}
	q.wantReceive("now")
}

func TestSQLSendDelaysFIFO(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	q := newFIFO(t, newBroker(t, open(t, pg.Options{URL: url})), func(s *core.Settings) { s.Delay = 30 * time.Second })
	q.sqlSendTo(application(t, url), "g", "", "later")
	q.wantReceive()
	q.wantCounts(0, 0, 1, 5)
	q.advance(30 * time.Second)
	q.wantReceive("later")
}

func TestSQLSendRefusesGroups(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := newBroker(t, open(t, pg.Options{URL: url}))
	conn := application(t, url)
	standard, fifo := newQueue(t, broker), newFIFO(t, broker)
	tests := map[string]struct {
		queue        *testQueue
		group, dedup any
		code         string
	}{
		"no group on a FIFO queue":           {fifo, nil, nil, "22004"},
		"empty group":                        {fifo, "", nil, "22023"},
		"empty group on a standard queue":    {standard, "", nil, "22023"},
		"group of 129":                       {fifo, strings.Repeat("g", 129), nil, "22023"},
		"group with a space":                 {fifo, "a b", nil, "22023"},
		"group with a line feed":             {fifo, "a\n", nil, "22023"},
		"group with a letter of no keyboard": {fifo, "ä", nil, "22023"},
		"empty deduplication id":             {fifo, "g", "", "22023"},
		"deduplication id of 129":            {fifo, "g", strings.Repeat("d", 129), "22023"},
		"deduplication on a standard queue":  {standard, "g", "d", "22023"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := tt.queue.name
			_, err := conn.Exec(context.Background(), sqlSendGrouped, n.Account, n.Region, n.Name, "x", tt.group, tt.dedup)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != tt.code {
				t.Errorf("got %v, want SQLSTATE %s", err, tt.code)
			}
		})
	}
	standard.wantReceive()
	fifo.wantReceive()
	long := strings.Repeat("!~", 64)
	fifo.sqlSendTo(conn, long, long, "the limit itself")
	standard.sqlSendTo(conn, long, "", "a group")
	if m := fifo.one(); m.GroupID != long || m.DeduplicationID != long {
		t.Errorf("received %q with %q", m.GroupID, m.DeduplicationID)
	}
	if m := standard.one(); m.GroupID != long {
		t.Errorf("received %q", m.GroupID)
	}
}
