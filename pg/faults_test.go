package pg_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// A rule that has had its hits or its time takes nobody's room. It is shown for a while.
func TestEndedFaults(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store := pgtest.Open(t, url)
	broker := newBroker(t, store)
	ctx := t.Context()
	rule := func(name string) core.Fault {
		return core.Fault{Account: pgtest.Account, Name: name, Effect: core.FaultError, Code: core.Unavailable, Probability: 1, Most: 1, Length: time.Hour}
	}
	put := func(f core.Fault, want core.Code) {
		t.Helper()
		if _, err := broker.CreateFault(ctx, f); (err != nil || want != "") && core.CodeOf(err) != want {
			t.Fatalf("rule %s: %v, want %q", f.Name, err, want)
		}
	}
	names := func(account string, limit int) (names []string) {
		t.Helper()
		faults, err := store.Faults(ctx, account, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			names = append(names, f.Name)
		}
		return names
	}
	shown := func(want ...string) {
		t.Helper()
		if got := names(pgtest.Account, core.MaxFaults); !slices.Equal(got, want) {
			t.Errorf("rules %v, want %v", got, want)
		}
	}
	var all []string
	for i := range core.MaxFaults {
		all = append(all, fmt.Sprintf("r%02d", i))
		put(rule(all[i]), "")
	}
	put(rule("one more"), core.InvalidArgument)
	put(rule("r99z"), core.Throttled)
	for _, name := range all[:2] {
		if hit, err := store.HitFault(ctx, pgtest.Account, name); err != nil || !hit {
			t.Fatalf("hit %t, %v", hit, err)
		}
	}
	shown(all...)
	if got := names("", core.MaxLoadedFaults); !slices.Equal(got, all[2:]) {
		t.Errorf("rules that hold %v", got)
	}
	put(rule("r99z"), "") // in the place of the one that was made first
	shown(append(slices.Clone(all[1:]), "r99z")...)
	put(rule("r99z"), "")
	put(rule("r01"), "") // anew
	put(rule("r99y"), core.Throttled)

	pgtest.Advance(t, broker, time.Hour)
	if got := names("", core.MaxLoadedFaults); len(got) != 0 {
		t.Errorf("rules that hold when their time is over: %v", got)
	}
	lasting := rule("lasting")
	lasting.Length = 0
	put(lasting, "")
	forget := func(want int) {
		t.Helper()
		if n, err := store.ForgetFaults(ctx, core.MaxFaults); err != nil || n != want {
			t.Errorf("%d forgotten, %v, want %d", n, err, want)
		}
	}
	pgtest.Advance(t, broker, core.MaxEndedFaultKept-time.Minute)
	forget(0)
	pgtest.Advance(t, broker, time.Minute)
	forget(core.MaxFaults - 1)
	pgtest.Execute(t, url, `UPDATE faults SET created_at = created_at - $1::interval`, core.MaxEndedFaultKept)
	forget(0)
	shown("lasting")
	if hit, err := store.HitFault(ctx, pgtest.Account, "lasting"); err != nil || !hit {
		t.Fatalf("hit %t, %v", hit, err)
	}
	forget(1)
	shown()
}
