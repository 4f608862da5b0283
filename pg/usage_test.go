package pg_test

import (
	"slices"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store, admin := pgtest.Open(t, url), database(t, url)
	broker := newBroker(t, store)
	day := today(t, admin)
	add := func(used ...core.Usage) {
		t.Helper()
		if err := broker.AddUsage(t.Context(), used); err != nil {
			t.Fatal(err)
		}
	}
	add(core.Usage{Account: pgtest.Account, Service: "sqs", Requests: 2, Units: 5, Receives: 1, EmptyReceives: 1},
		core.Usage{Account: pgtest.Account, Service: "mns", Requests: 1, Units: 1},
		core.Usage{Account: "111122223333", Service: "sqs", Requests: 1, Units: 1})
	add(core.Usage{Account: pgtest.Account, Service: "sqs", Requests: 3, Units: 3, Receives: 2})
	add()
	execute(t, admin, `INSERT INTO usage SELECT account, max(day) - 30, service, 10, 10, 0, 0 FROM usage WHERE account = $1 AND service = 'sqs' GROUP BY account, service`, pgtest.Account)
	execute(t, admin, `INSERT INTO usage SELECT account, day - 400, service, 10, 10, 0, 0 FROM usage WHERE account = $1 AND service = 'mns'`, pgtest.Account)
	mns := core.Usage{Account: pgtest.Account, Service: "mns", Requests: 1, Units: 1}
	for days, requests := range map[int]int64{1: 5, 2: 5, 30: 5, 31: 15, 32: 15} {
		want := []core.Usage{mns, {Account: pgtest.Account, Service: "sqs", Requests: requests, Units: requests + 3, Receives: 3, EmptyReceives: 1}}
		got, err := broker.Usage(t.Context(), pgtest.Account, days)
		if days%30 == 1 && !today(t, admin).Equal(day) {
			continue // midnight has made it a day more
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("of %d days: got %+v and %v, want %+v", days, got, err, want)
		}
	}
	if n, err := store.ForgetUsage(t.Context(), 10); err != nil || n != 1 {
		t.Errorf("forgot %d and %v, want 1", n, err)
	}
	if _, err := broker.Usage(t.Context(), pgtest.Account, 401); core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("of 401 days: got %v", err)
	}
}
