package pg_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// TestLogPutsBadEventsAside has the database refuse some events: the others of their batch are written.
func TestLogPutsBadEventsAside(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newBroker(t, store)
	broker.LogAllMessages(true)
	execute(t, database(t, store.URL()), `ALTER TABLE message_log ADD CHECK (attributes->>'n' NOT IN ('3', '17', '18'))`)
	queue := pgtest.Queue(t, broker, "orders")
	const messages = 40
	for n := range messages {
		message := core.NewMessage{Body: []byte("x"), Attributes: []core.Attribute{{Name: "n", Type: "String", Value: fmt.Append(nil, n)}}}
		if _, err := broker.SendMessages(context.Background(), core.SendInput{Queue: queue, Messages: []core.NewMessage{message}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := broker.FlushLog(context.Background()); err == nil {
		t.Error("nobody is told of what was refused")
	}
	page, err := broker.ListEvents(context.Background(), core.ListEventsInput{Account: pgtest.Account, Queue: queue.Name, Limit: 1000})
	if err != nil || len(page.Events) != messages-3 || broker.LogDropped() != 3 {
		t.Errorf("%d events were written and %d dropped, error %v", len(page.Events), broker.LogDropped(), err)
	}
}

func TestLogDaysAreDroppedWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := pgtest.DatabaseURL(t)
	store, conn := open(t, pg.Options{URL: url}), database(t, url)
	execute(t, conn, `CREATE TABLE message_log_20200101 PARTITION OF message_log FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')`)
	if err := store.TurnLog(ctx, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	rows, _ := conn.Query(ctx, `SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'message_log'::regclass ORDER BY 1`)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(got) != 4 || slices.Contains(got, "message_log_20200101") {
		t.Errorf("partitions %v and %v, want the default one and three days", got, err)
	}
}

// TestLogPlans is as TestPlans, for a log of which a day was long.
func TestLogPlans(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	if err := store.TurnLog(context.Background(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	admin := database(t, store.URL())
	execute(t, admin, `INSERT INTO message_log (logged_at, at, account, region, queue, message_id, kind, topic, origin)
		SELECT d, d, 'grown', 'r', 'q' || i % 100, ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, 'sent', 't' || i % 1000, ('00000000-0000-0000-0000-' || lpad((i / 10)::text, 12, '0'))::uuid
		FROM generate_series(1, 20000) i, LATERAL (SELECT current_date + CASE WHEN i > 19995 THEN interval '60 hours' ELSE '36 hours' END) AS d(d)`)
	execute(t, admin, `ANALYZE`)
	page := pgx.NamedArgs{
		"account": "grown", "region": "", "after": 0, "limit": 10, "from": nil, "to": nil, "attribute": "", "value": "",
		"queue": "q1", "topic": "t1", "message_id": "00000000-0000-0000-0000-000000000777", "copies": 20,
	}
	planned(t, store.URL(), map[string]plannedStatement{
		"queue":            {pg.EventsOfQueueSQL, page, 1000},
		"topic":            {pg.EventsOfTopicSQL, page, 200},
		"message in queue": {pg.EventsInQueueSQL, page, 100},
		"life":             {pg.LifeSQL, page, 500},
	}).check(t, "grown")
}

// TestLookersLeaveConnections has many read a log that is locked, and an alert's series and the audit log with it: who sends and receives meanwhile
// does not wait for them.
func TestLookersLeaveConnections(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := newBroker(t, pgtest.Open(t, url))
	queue := pgtest.Queue(t, broker, "orders")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, conn, `BEGIN; LOCK TABLE polymq.message_log, polymq.alert_series, polymq.audit_log IN ACCESS EXCLUSIVE MODE`)
	var looking sync.WaitGroup
	for range 100 {
		for _, look := range []func() error{
			func() error {
				_, err := broker.ListEvents(t.Context(), core.ListEventsInput{Account: pgtest.Account, Queue: queue.Name, Limit: 10})
				return err
			},
			func() error {
				_, err := broker.ListAudit(t.Context(), core.ListAuditInput{Account: pgtest.Account, Limit: 10})
				return err
			},
			func() error {
				_, err := broker.ListAlertSeries(t.Context(), core.ListAlertSeriesInput{Alert: core.AlertName{Account: pgtest.Account, Name: "a"}, Limit: 10})
				return err
			},
		} {
			looking.Go(func() {
				if err := look(); core.CodeOf(err) != core.Unavailable {
					t.Errorf("what is locked was read: %v", err)
				}
			})
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		looking.Wait() // until they give up
	}()
	sends, waiting := 0, true
	for waiting {
		pgtest.Send(t, broker, queue, "hello")
		if got := pgtest.Receive(t, broker, queue, 1); len(got) != 1 {
			t.Fatalf("received %d messages", len(got))
		}
		select {
		case <-done:
			waiting = false
		default:
			sends++
		}
	}
	if sends < 3 { // who waits for them, does so until they give up
		t.Errorf("%d messages were sent and received meanwhile", sends)
	}
	_ = conn.Close(context.Background())
	if _, err := broker.ListEvents(t.Context(), core.ListEventsInput{Account: pgtest.Account, Queue: queue.Name, Limit: 10}); err != nil {
		t.Errorf("once it is free: %v", err)
	}
	t.Logf("%d sends and receives", sends)
}
