package pg_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store := pgtest.Open(t, url)
	ctx := context.Background()
	open, err := database(t, url).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Rollback(ctx) }()
	if _, err := open.Exec(ctx, `SELECT FROM messages`); err != nil {
		t.Fatal(err)
	}
	h, err := store.Health(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if h.Sessions < 2 || h.MaxSessions < h.Sessions {
		t.Errorf("%d sessions of %d, want at least this test's and the store's", h.Sessions, h.MaxSessions)
	}
	if h.OldestTransaction <= 0 || h.OldestTransaction > time.Minute {
		t.Errorf("the oldest transaction is %v old, want the one that this test has open", h.OldestTransaction)
	}
	for _, name := range []string{"messages", "message_log"} {
		i := slices.IndexFunc(h.Tables, func(t pg.TableHealth) bool { return t.Name == name })
		if i < 0 || h.Tables[i].Bytes == 0 {
			t.Errorf("table %s is not among %+v, or has no size", name, h.Tables)
		}
	}
}
