package pg_test

import (
	"context"
	"maps"
	"testing"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestAccountAttributes(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		ctx := context.Background()
		one, two, other := "1", "2", "other"
		for _, change := range []map[string]*string{
			{"mns.a": &one, "mns.b": &one, "mns.c": &one},
			{"mns.a": &two, "mns.b": nil, "mns.never": nil},
			nil,
		} {
			if err := broker.SetAccountAttributes(ctx, pgtest.Account, pgtest.Region, change); err != nil {
				t.Fatal(err)
			}
		}
		if err := broker.SetAccountAttributes(ctx, pgtest.Account, "elsewhere", map[string]*string{"mns.a": &other}); err != nil {
			t.Fatal(err)
		}
		got, err := broker.AccountAttributes(ctx, pgtest.Account, pgtest.Region)
		if want := map[string]string{"mns.a": "2", "mns.c": "1"}; err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v and %v, want %v", got, err, want)
		}
		if got, err := broker.AccountAttributes(ctx, "111122223333", pgtest.Region); err != nil || len(got) != 0 {
			t.Errorf("another account: got %v and %v", got, err)
		}
		bell := "\x07"
		if err := broker.SetAccountAttributes(ctx, pgtest.Account, pgtest.Region, map[string]*string{"mns.a": &bell}); err == nil {
			t.Error("a value that is no text is accepted")
		}
	})
}
