package pg_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// What applications send counts as what clients send, and is refused where that would be.
func TestSQLSendKeepsToTheLimits(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	queue := pgtest.Queue(t, broker, "orders")
	pgtest.Queue(t, broker, "other")
	conn := application(t, url)
	ctx := context.Background()
	send := func(queue string, bytes int) string {
		t.Helper()
		_, err := conn.Exec(ctx, sqlSend, queue, strings.Repeat("x", bytes), nil, nil)
		var refused *pgconn.PgError
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if refused == nil {
			return ""
		}
		return refused.Code
	}
	count := func() {
		t.Helper()
		if err := broker.RefreshLimits(ctx); err != nil {
			t.Fatal(err)
		}
	}
	const full = "53400"
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got SQLSTATE %q, want %q", what, got, want)
		}
	}

	broker.LimitAccounts(core.Limits{Bytes: 1000})
	count()
	expect("below the limit", send("orders", 999), "")
	expect("the one that reaches it", send("orders", 10), "")
	expect("the next one", send("orders", 1), full)
	expect("in another queue, before it was counted", send("other", 1), "")
	count()
	expect("in another queue, after it was counted", send("other", 1), full)
	if _, err := broker.SendMessages(ctx, core.SendInput{Queue: queue, Messages: []core.NewMessage{{Body: []byte("x")}}}); core.CodeOf(err) != core.Throttled {
		t.Errorf("a client: got %v, want Throttled", err)
	}

	more := int64(2000)
	if err := broker.SetAccountLimits(ctx, core.AccountLimits{Account: pgtest.Account, Bytes: &more}); err != nil {
		t.Fatal(err)
	}
	expect("below a limit of its own", send("orders", 1000), "")
	expect("at a limit of its own", send("orders", 1), full)
	none := int64(0)
	if err := broker.SetAccountLimits(ctx, core.AccountLimits{Account: pgtest.Account, Bytes: &none}); err != nil {
		t.Fatal(err)
	}
	expect("without a limit, while others have one", send("orders", 1), "")
	if err := broker.SetAccountLimits(ctx, core.AccountLimits{Account: pgtest.Account}); err != nil {
		t.Fatal(err)
	}
	expect("at everybody's limit again", send("orders", 1), full)
	if err := broker.PurgeQueue(ctx, queue); err != nil {
		t.Fatal(err)
	}
	count()
	expect("after a purge", send("orders", 1), "")
	expect("one that reaches the limit again", send("orders", 1000), "")
	expect("the next one", send("orders", 1), full)
	broker.LimitAccounts(core.Limits{})
	count()
	expect("once there are no limits", send("orders", 1), "")

	broker.LimitAccounts(core.Limits{Bytes: 5000})
	if err := broker.PurgeQueue(ctx, queue); err != nil {
		t.Fatal(err)
	}
	count()
	if _, err := conn.Exec(ctx, `SELECT polymq.send($1, $2, 'orders', repeat('x', 100)) FROM generate_series(1, 200)`, pgtest.Account, pgtest.Region); err == nil {
		t.Error("one statement stored four times the limit")
	}
	expect("after what was not stored", send("orders", 1), "")
}
