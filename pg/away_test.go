package pg_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// However many wait while the database does not answer, each is told so in time, and not one train after the other.
func TestManyCallersFailInTime(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	queue := pgtest.Queue(t, broker, "orders")
	pgtest.Send(t, broker, queue, "hello")
	messages := pgtest.Receive(t, broker, queue, 1)
	defer lockMessages(t, url)()

	noWait := time.Duration(0)
	calls := []func() error{
		func() error {
			_, err := broker.SendMessages(t.Context(), core.SendInput{Queue: queue, Messages: []core.NewMessage{{Body: []byte("hello")}}})
			return err
		},
		func() error {
			_, err := broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: queue, Limit: 10, Wait: &noWait})
			return err
		},
		func() error {
			_, err := broker.DeleteMessages(t.Context(), core.DeleteInput{Queue: queue, Handles: []string{messages[0].Handle}})
			return err
		},
		func() error { _, err := broker.ReturnMessages(t.Context(), queue, messages); return err },
	}
	const callers = 1000 // of each kind
	var waiting sync.WaitGroup
	took := make(chan time.Duration, callers*len(calls))
	for range callers {
		for _, call := range calls {
			waiting.Go(func() {
				began := time.Now()
				if err := call(); core.CodeOf(err) != core.Unavailable {
					t.Errorf("got %v, want Unavailable", err)
				}
				took <- time.Since(began)
			})
		}
	}
	waiting.Wait()
	close(took)
	var longest time.Duration
	for d := range took {
		longest = max(longest, d)
	}
	t.Logf("the last was told after %v", longest)
	if longest > 30*time.Second { // 5 s, where the machine has time for 4,000 callers; one train after the other would take minutes
		t.Errorf("a caller was told after %v", longest)
	}
}

// lockMessages holds up all that touches messages, until unlock is called.
func lockMessages(t *testing.T, url string) (unlock func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE polymq.messages IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close(context.Background()) } // which ends the transaction
}
