package pg_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// sending is an application's transaction that has sent a message to the queue.
func (q *testQueue) sending(url, body string) pgx.Tx {
	q.t.Helper()
	tx, err := database(q.t, url).Begin(context.Background())
	if err != nil {
		q.t.Fatal(err)
	}
	q.sqlSendTo(tx, "g", "", body)
	return tx
}

// behind does what waits for an application's transaction, ends that once it waits, and gives the result.
func (q *testQueue) behind(url string, tx pgx.Tx, do func() error) error {
	q.t.Helper()
	watch := database(q.t, url)
	done := make(chan error, 1)
	go func() { done <- do() }()
	eventually(q.t, "it waits for the transaction", func() bool { return locksAwaited(q.t, watch) == 1 })
	if err := tx.Commit(context.Background()); err != nil {
		q.t.Fatal(err)
	}
	return <-done
}

// An application whose transaction has sent to a queue holds up neither its settings nor messages of a priority that it has not had.
func TestSQLSendHoldsUpNoSettings(t *testing.T) {
	t.Parallel()
	for name, newOne := range map[string]func(testing.TB, *core.Broker, ...func(*core.Settings)) *testQueue{"standard": newQueue, "FIFO": newFIFO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.DatabaseURL(t)
			q := newOne(t, newBroker(t, open(t, pg.Options{URL: url})))
			tx := q.sending(url, "in a transaction")
			q.alter(core.QueueChange{VisibilityTimeout: ptr(7 * time.Second)})
			if name == "standard" {
				q.sendMessages(core.NewMessage{Body: []byte("urgent"), Priority: 1})
				q.wantReceive("urgent")
			}
			if err := tx.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := pgtest.Bodies(q.receiveWith(core.ReceiveInput{Limit: 10, Wait: ptr(core.MaxReceiveWait)})); !slices.Equal(got, []string{"in a transaction"}) {
				t.Errorf("received %q", got) // once the server has heard of it
			}
		})
	}
}

// What an application has sent when a queue is purged or deleted goes with it, whenever its transaction ends.
func TestSQLSendHoldsUpPurges(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	q := newQueue(t, newBroker(t, open(t, pg.Options{URL: url})))
	ctx := context.Background()
	if err := q.behind(url, q.sending(url, "before the purge"), func() error { return q.broker.PurgeQueue(ctx, q.name) }); err != nil {
		t.Errorf("purge: %v", err)
	}
	q.wantReceive()
	if err := q.behind(url, q.sending(url, "before the end"), func() error { return q.broker.DeleteQueue(ctx, q.name) }); err != nil {
		t.Errorf("delete: %v", err)
	}
}

// A new delay of a FIFO queue holds for what an application has sent as well.
func TestSQLSendHoldsUpDelaysFIFO(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	q := newFIFO(t, newBroker(t, open(t, pg.Options{URL: url})))
	err := q.behind(url, q.sending(url, "before the change"), func() error {
		_, err := q.broker.AlterQueue(context.Background(), q.name, core.QueueChange{Delay: ptr(30 * time.Second)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	q.wantReceive()
	q.advance(30 * time.Second)
	q.wantReceive("before the change")
}
