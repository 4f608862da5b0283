package pg_test

import (
	"errors"
	"testing"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestRotateMasterKey(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	before, after := pg.NewMasterKey(), pg.NewMasterKey()
	open := func(masterKey []byte) (*pg.Store, error) {
		return pg.Open(t.Context(), pg.Options{URL: url, PoolSize: pgtest.PoolSize, MasterKey: masterKey, Log: zerolog.Nop()})
	}
	rotate := func(from, to []byte) (int, error) {
		return pg.RotateMasterKey(t.Context(), pg.Options{URL: url, MasterKey: from}, to)
	}
	if _, err := rotate(before, after); err == nil {
		t.Error("a database without secrets is rotated")
	}
	store := must(open(before))(t)
	broker := core.NewBroker(store)
	key := createKey(t, broker, core.NewKey{ID: "KEPT", Secret: "hunter22"})
	must(broker.SharedSecret(t.Context(), "certificate", []byte("private")))(t)
	if _, err := rotate(before, after); !errors.Is(err, pg.ErrServersRun) {
		t.Errorf("while a server runs: %v", err)
	}
	robot := core.Destination{Type: core.ToDingTalk, Target: "https://example.com/robot", Secret: "SECret"}
	alert := must(broker.CreateAlert(t.Context(), core.Alert{Name: alertNamed("busy"), Metric: "depth", Comparison: ">", To: []core.Destination{robot}}))(t)
	broker.Close()
	store.Close()
	if _, err := rotate(after, before); !errors.Is(err, pg.ErrMasterKey) {
		t.Errorf("from another key: %v", err)
	}
	if n, err := rotate(before, after); err != nil || n != 3 {
		t.Fatalf("rotated %d, %v", n, err)
	}
	if opened, err := open(before); !errors.Is(err, pg.ErrMasterKey) {
		if opened != nil {
			opened.Close()
		}
		t.Errorf("with the key from before: %v", err)
	}
	store = must(open(after))(t)
	t.Cleanup(store.Close)
	if found := must(store.Key(t.Context(), key.ID))(t); found.Secret != "hunter22" {
		t.Error("the secret of the access key is another")
	}
	if found := must(store.Alert(t.Context(), alert.Name))(t); len(found.To) != 1 || found.To[0] != robot {
		t.Errorf("the alert tells %+v", found.To)
	}
	if secret := must(store.SharedSecret(t.Context(), "certificate", nil))(t); string(secret) != "private" {
		t.Errorf("the other secret is %q", secret)
	}
}
