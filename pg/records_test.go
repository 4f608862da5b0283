package pg_test

import (
	"context"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestRecords(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		ctx := context.Background()
		name := func(name string) core.RecordName {
			return core.RecordName{Account: pgtest.Account, Region: pgtest.Region, Kind: "sns.endpoint", Name: name}
		}
		want := func(called, value string, found bool) {
			t.Helper()
			if got, ok, err := broker.Record(ctx, name(called)); err != nil || ok != found || got != value {
				t.Errorf("%s: got %q, %v and %v, want %q, %v", called, got, ok, err, value, found)
			}
		}
		for _, made := range []string{"a/2", "a/1", "a/3", "a0", "b/1"} {
			if kept, created, err := broker.CreateRecord(ctx, name(made), "of "+made); err != nil || !created || kept != "of "+made {
				t.Fatalf("%s: got %q, %v and %v", made, kept, created, err)
			}
		}
		if kept, created, err := broker.CreateRecord(ctx, name("a/1"), "another"); err != nil || created || kept != "of a/1" {
			t.Errorf("made again: got %q, %v and %v", kept, created, err)
		}
		if ok, err := broker.SetRecord(ctx, name("a/1"), "changed"); err != nil || !ok {
			t.Errorf("set: got %v and %v", ok, err)
		}
		if ok, err := broker.SetRecord(ctx, name("nobody"), "changed"); err != nil || ok {
			t.Errorf("set what is not there: got %v and %v", ok, err)
		}
		want("a/1", "changed", true)
		calls := 0
		ok, err := broker.EditRecord(ctx, name("a/1"), func(value string) (string, error) {
			if calls++; calls == 1 { // another is faster
				_, err := broker.SetRecord(ctx, name("a/1"), "changed again")
				return value + " by one", err
			}
			return value + " by two", nil
		})
		if err != nil || !ok || calls != 2 {
			t.Errorf("edited %d times: %v and %v", calls, ok, err)
		}
		want("a/1", "changed again by two", true)
		if ok, err := broker.EditRecord(ctx, name("nobody"), func(string) (string, error) { return "", nil }); err != nil || ok {
			t.Errorf("edit what is not there: got %v and %v", ok, err)
		}
		if _, err := broker.SetRecord(ctx, name("a/1"), "changed"); err != nil {
			t.Fatal(err)
		}
		want("nobody", "", false)
		in := core.ListRecordsInput{Account: pgtest.Account, Region: pgtest.Region, Kind: "sns.endpoint", Prefix: "a/", Limit: 2}
		page, err := broker.ListRecords(ctx, in)
		if err != nil || len(page.Records) != 2 || page.Records[0] != (core.Record{Name: "a/1", Value: "changed"}) || page.Next != "a/2" {
			t.Errorf("first page: got %+v and %v", page, err)
		}
		in.After = page.Next
		if page, err = broker.ListRecords(ctx, in); err != nil || len(page.Records) != 1 || page.Records[0].Name != "a/3" || page.Next != "" {
			t.Errorf("last page: got %+v and %v", page, err)
		}
		for _, found := range []bool{true, false} {
			if ok, err := broker.DeleteRecord(ctx, name("a/2")); err != nil || ok != found {
				t.Errorf("delete: got %v and %v, want %v", ok, err, found)
			}
		}
		change := func(want bool, changes ...core.RecordChange) {
			t.Helper()
			if ok, err := broker.ChangeRecords(ctx, changes...); err != nil || ok != want {
				t.Errorf("change %v: got %v and %v, want %v", changes, ok, err, want)
			}
		}
		change(true, core.RecordChange{Name: name("c"), Value: "made"}, core.RecordChange{Name: name("b/1"), Was: "of b/1"},
			core.RecordChange{Name: name("a/1"), Was: "changed", Value: "changed once more"})
		for _, outdated := range []core.RecordChange{
			{Name: name("c"), Value: "made again"}, {Name: name("b/1"), Was: "of b/1"}, {Name: name("a/1"), Was: "changed", Value: "never"},
		} {
			change(false, core.RecordChange{Name: name("0"), Value: "made"}, outdated, core.RecordChange{Name: name("d"), Value: "made"})
		}
		for made, value := range map[string]string{"0": "", "a/1": "changed once more", "b/1": "", "c": "made", "d": ""} {
			want(made, value, value != "")
		}
		if _, err := broker.ChangeRecords(ctx, core.RecordChange{Name: name("bell\x07"), Value: "x"}); core.CodeOf(err) != core.InvalidArgument {
			t.Errorf("a change of a name that is no text: got %v", err)
		}
		if err := broker.ResetAccount(ctx, pgtest.Account); err != nil {
			t.Fatal(err)
		}
		want("a/1", "", false)
		if _, _, err := broker.CreateRecord(ctx, name("bell\x07"), ""); core.CodeOf(err) != core.InvalidArgument {
			t.Errorf("a name that is no text: got %v", err)
		}
	})
}
