package pg_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// openWith opens a store with a master key, nil for none.
func openWith(t *testing.T, url string, masterKey []byte) (*pg.Store, error) {
	t.Helper()
	store, err := pg.Open(t.Context(), pg.Options{URL: url, PoolSize: pgtest.PoolSize, MasterKey: masterKey, Log: zerolog.Nop()})
	if err == nil {
		t.Cleanup(store.Close)
	}
	return store, err
}

// newKeeper gives a broker whose store can keep secrets and works as behind a pooler, and another server's beside it, which does not.
func newKeeper(t *testing.T) (here, there *core.Broker, store *pg.Store, url string) {
	t.Helper()
	url = pgtest.DatabaseURL(t)
	masterKey := pg.NewMasterKey()
	var brokers []*core.Broker
	for _, pooled := range []bool{true, false} {
		opened := open(t, pg.Options{URL: url, DirectURL: url, Pooled: pooled, MasterKey: masterKey})
		broker := core.NewBroker(opened)
		t.Cleanup(broker.Close)
		brokers, store = append(brokers, broker), opened
	}
	return brokers[0], brokers[1], store, url
}

func createKey(t *testing.T, broker *core.Broker, in core.NewKey) core.Key {
	t.Helper()
	if in.Account == "" {
		in.Account = pgtest.Account
	}
	key, err := broker.CreateKey(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyCode(t *testing.T, broker *core.Broker, id string) core.Code {
	t.Helper()
	_, err := broker.Key(t.Context(), id)
	if err == nil {
		return ""
	}
	return core.CodeOf(err)
}

func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	here, there, _, url := newKeeper(t)
	session := core.Session{Role: "arn:aws:iam::000000000000:role/worker", Name: "build", Policy: `{"a":"b"}`, SourceIdentity: "ann"}
	made := []core.Key{
		createKey(t, here, core.NewKey{ID: "ROOT", Secret: "hunter22", Admin: true}),
		createKey(t, here, core.NewKey{User: "ann"}),
		createKey(t, here, core.NewKey{Session: session, Lasts: time.Hour}),
	}
	for _, want := range made {
		got, err := there.Key(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		want.Token = "" // only its hash is kept
		if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", want) || got.Secret != want.Secret {
			t.Errorf("got %+v, want %+v", *got, want)
		}
	}
	if left := time.Until(made[2].ExpiresAt); left < 59*time.Minute || left > 61*time.Minute {
		t.Errorf("the session ends in %v", left)
	}
	if _, err := here.CreateKey(t.Context(), core.NewKey{ID: "ROOT", Account: pgtest.Account}); core.CodeOf(err) != core.KeyExists {
		t.Errorf("the same id again: %v", err)
	}
	if got, err := here.Key(t.Context(), "ROOT"); err != nil || got.Secret != "hunter22" {
		t.Errorf("after a key of the same id was refused: %+v, %v", got, err)
	}
	var dump strings.Builder
	rows, err := database(t, url).Query(context.Background(), `SELECT k::text, encode(secret, 'escape') FROM keys k`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var row, secret string
		if err := rows.Scan(&row, &secret); err != nil {
			t.Fatal(err)
		}
		dump.WriteString(row + secret)
	}
	for _, key := range made {
		if strings.Contains(dump.String(), string(key.Secret)) || key.Token != "" && strings.Contains(dump.String(), string(key.Token)) {
			t.Errorf("a secret of %s is in the database", key.ID)
		}
	}
}

// What is read stays read when something else changes: sessions come and go by the thousand.
func TestKeysChangeOneByOne(t *testing.T) {
	t.Parallel()
	here, there, _, _ := newKeeper(t)
	ann := createKey(t, here, core.NewKey{User: "ann"})
	other := createKey(t, here, core.NewKey{Account: "444455556666", User: "ann"})
	read := func(broker *core.Broker, id string) (*core.Key, *core.Grants) {
		t.Helper()
		key, err := broker.Key(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		grants, err := broker.Grants(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return key, grants
	}
	key, grants := read(here, ann.ID)
	stays := func(what string) {
		t.Helper()
		if again, anew := read(here, ann.ID); again != key || anew != grants {
			t.Errorf("%s: the key was read anew", what)
		}
	}
	createKey(t, here, core.NewKey{Session: core.Session{Name: "s1"}, Lasts: time.Hour})
	stays("a session")
	second := createKey(t, here, core.NewKey{User: "ann"})
	stays("another key of the user")
	if _, err := here.DisableKey(t.Context(), second.ID, true); err != nil {
		t.Fatal(err)
	}
	stays("a disabled key")
	name := core.IdentityName{Account: "444455556666", Kind: core.User, Name: "ann"}
	if err := here.PutInlinePolicy(t.Context(), name, "all", core.Inline{Cloud: core.AWS, Text: awsPolicy}); err != nil {
		t.Fatal(err)
	}
	stays("a policy of another account")
	eventually(t, "the policy counts on the other server", func() bool {
		_, grants := read(there, other.ID)
		return len(grants.Identity) == 1
	})
	name.Account = pgtest.Account
	if err := here.PutInlinePolicy(t.Context(), name, "all", core.Inline{Cloud: core.AWS, Text: awsPolicy}); err != nil {
		t.Fatal(err)
	}
	if again, anew := read(here, ann.ID); again == key || len(anew.Identity) != 1 {
		t.Errorf("a policy of the user's: granted %+v", anew)
	}
}

// A change of one server's is known to the other at once, also of an id that it took for none.
func TestKeysChangeEverywhere(t *testing.T) {
	t.Parallel()
	here, there, _, _ := newKeeper(t)
	if code := keyCode(t, there, "LATER"); code != core.KeyNotFound {
		t.Fatalf("got %q", code)
	}
	createKey(t, here, core.NewKey{ID: "LATER"})
	eventually(t, "the new key is known", func() bool { return keyCode(t, there, "LATER") == "" })
	if _, err := here.DisableKey(t.Context(), "LATER", true); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key is disabled", func() bool {
		key, err := there.Key(t.Context(), "LATER")
		return err == nil && key.Disabled
	})
	if err := here.DeleteKey(t.Context(), "LATER"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key is gone", func() bool { return keyCode(t, there, "LATER") == core.KeyNotFound })
	if code := keyCode(t, here, "LATER"); code != core.KeyNotFound {
		t.Errorf("where it was deleted: %q", code)
	}
}

func TestKeysExpire(t *testing.T) {
	t.Parallel()
	here, there, store, _ := newKeeper(t)
	session := createKey(t, here, core.NewKey{Lasts: time.Hour})
	elsewhere := createKey(t, here, core.NewKey{Account: "111122223333", Lasts: time.Hour})
	lasting := createKey(t, here, core.NewKey{})
	expired := func(broker *core.Broker, id string) bool {
		t.Helper()
		key, err := broker.Key(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return key.Expired
	}
	steps := []struct {
		by   time.Duration
		want bool
	}{{59 * time.Minute, false}, {time.Minute, true}, {23 * time.Hour, true}}
	for _, step := range steps {
		pgtest.Advance(t, here, step.by)
		if got := expired(here, session.ID); got != step.want {
			t.Errorf("after %v more: expired is %v", step.by, got)
		}
		if n, err := store.ExpireKeys(t.Context(), 10); n != 0 || err != nil {
			t.Errorf("%d keys were removed, %v", n, err)
		}
	}
	eventually(t, "the other server knows", func() bool { return expired(there, session.ID) })
	if expired(here, elsewhere.ID) || expired(here, lasting.ID) {
		t.Error("a key of another account, or that lasts, is expired")
	}
	pgtest.Advance(t, here, time.Hour+time.Second)
	if n, err := store.ExpireKeys(t.Context(), 10); n != 1 || err != nil {
		t.Errorf("a day later %d keys were removed, %v", n, err)
	}
	page, err := here.ListKeys(t.Context(), core.ListKeysInput{Limit: 10, Temporary: true})
	if err != nil || len(page.Keys) != 2 {
		t.Errorf("%d keys are left, %v", len(page.Keys), err)
	}
}

// A server with another master key does not start; one without can look keys up, but not their secrets.
func TestMasterKeys(t *testing.T) {
	t.Parallel()
	url, first := pgtest.DatabaseURL(t), pg.NewMasterKey()
	stores := map[string]struct {
		key  []byte
		want error
	}{"the first": {first, nil}, "the same": {first, nil}, "another": {pg.NewMasterKey(), pg.ErrMasterKey}, "none": {nil, nil}}
	var broker, without *core.Broker
	for _, name := range []string{"the first", "the same", "another", "none"} {
		store, err := openWith(t, url, stores[name].key)
		if !errors.Is(err, stores[name].want) {
			t.Errorf("%s: got %v, want %v", name, err, stores[name].want)
		}
		switch {
		case err != nil:
		case name == "none":
			without = core.NewBroker(store)
			t.Cleanup(without.Close)
		default:
			broker = core.NewBroker(store)
			t.Cleanup(broker.Close)
		}
	}
	if _, err := openWith(t, url, []byte("short")); err == nil {
		t.Error("a master key of 5 bytes is taken")
	}
	key := createKey(t, broker, core.NewKey{User: "ann"})
	got, err := without.Key(t.Context(), key.ID)
	if err != nil || got.User != "ann" || got.Secret != "" {
		t.Errorf("without the master key: %+v, %v", got, err)
	}
	if _, err := without.CreateKey(t.Context(), core.NewKey{Account: pgtest.Account}); core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("a lasting key without a master key: %v", err)
	}
	session := createKey(t, without, core.NewKey{Lasts: time.Hour})
	if got, err := broker.Key(t.Context(), session.ID); err != nil || session.Secret == "" || got.Secret != "" {
		t.Errorf("a session's key made without a master key: %+v, %v", got, err)
	}
}

// A secret is sealed for its row: moved to another, it is of no use.
func TestSecretsAreOfTheirRow(t *testing.T) {
	t.Parallel()
	here, there, _, url := newKeeper(t)
	createKey(t, here, core.NewKey{ID: "RICH", Secret: "hunter22"})
	createKey(t, here, core.NewKey{ID: "POOR", Secret: "hunter33"})
	execute(t, database(t, url), `UPDATE keys SET secret = (SELECT secret FROM keys WHERE id = 'POOR') WHERE id = 'RICH'`)
	if key, err := there.Key(t.Context(), "RICH"); err == nil || core.CodeOf(err) != core.Internal {
		t.Errorf("got %v, %v", key, err)
	}
	if key, err := there.Key(t.Context(), "POOR"); err != nil || key.Secret != "hunter33" {
		t.Errorf("got %v, %v", key, err)
	}
}

// Servers that start together make one administrator; one that is named is as the settings have it.
func TestAdministrators(t *testing.T) {
	t.Parallel()
	here, _, store, url := newKeeper(t)
	second, err := openWith(t, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.EnsureAdmin(t.Context(), core.Key{ID: "ROOT", Account: pgtest.Account, Secret: "hunter22"}); err == nil {
		t.Error("an administrator was made without a master key")
	}
	var wait sync.WaitGroup
	made := make(chan string, 8)
	for i := range cap(made) {
		wait.Go(func() {
			id := fmt.Sprintf("ADMIN-%d", i)
			if ok, err := store.EnsureAdmin(context.Background(), core.Key{ID: id, Account: pgtest.Account, Secret: "hunter22"}); err != nil {
				t.Error(err)
			} else if ok {
				made <- id
			}
		})
	}
	wait.Wait()
	if len(made) != 1 {
		t.Fatalf("%d administrators were made", len(made))
	}
	if key, err := here.Key(t.Context(), <-made); err != nil || !key.Admin || key.Secret != "hunter22" {
		t.Errorf("got %+v, %v", key, err)
	}

	createKey(t, here, core.NewKey{ID: "NAMED", Secret: "hunter22"})
	session := createKey(t, here, core.NewKey{Lasts: time.Hour})
	if _, err := here.DisableKey(t.Context(), "NAMED", true); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []core.Secret{"hunter33", "hunter33", "hunter44"} {
		if err := store.PutAdmin(t.Context(), core.Key{ID: "NAMED", Account: pgtest.Account, Secret: secret}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the administrator is as named", func() bool {
			key, err := here.Key(t.Context(), "NAMED")
			return err == nil && key.Admin && !key.Disabled && key.Secret == secret
		})
	}
	if err := store.PutAdmin(t.Context(), core.Key{ID: session.ID, Account: pgtest.Account, Secret: "hunter22"}); err == nil {
		t.Error("a session has become an administrator")
	}
}

func TestListKeys(t *testing.T) {
	t.Parallel()
	here, _, _, _ := newKeeper(t)
	for i := range 5 {
		createKey(t, here, core.NewKey{ID: fmt.Sprintf("KEY-%d", i), Account: []string{pgtest.Account, "111122223333"}[i%2]})
	}
	createKey(t, here, core.NewKey{ID: "KEY-SESSION", Lasts: time.Hour})
	tests := map[string]struct {
		in   core.ListKeysInput
		want string
		next string
	}{
		"all":            {core.ListKeysInput{Limit: 10}, "KEY-0 KEY-1 KEY-2 KEY-3 KEY-4", ""},
		"sessions too":   {core.ListKeysInput{Limit: 10, Temporary: true}, "KEY-0 KEY-1 KEY-2 KEY-3 KEY-4 KEY-SESSION", ""},
		"of an account":  {core.ListKeysInput{Limit: 10, Account: "111122223333"}, "KEY-1 KEY-3", ""},
		"of no account":  {core.ListKeysInput{Limit: 10, Account: "999999999999"}, "", ""},
		"a first page":   {core.ListKeysInput{Limit: 2}, "KEY-0 KEY-1", "KEY-1"},
		"a next page":    {core.ListKeysInput{Limit: 2, After: "KEY-1"}, "KEY-2 KEY-3", "KEY-3"},
		"a full page":    {core.ListKeysInput{Limit: 5}, "KEY-0 KEY-1 KEY-2 KEY-3 KEY-4", ""},
		"behind the end": {core.ListKeysInput{Limit: 5, After: "KEY-9"}, "", ""},
	}
	for name, tt := range tests {
		page, err := here.ListKeys(t.Context(), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, key := range page.Keys {
			ids = append(ids, key.ID)
			if key.Secret != "" {
				t.Errorf("%s: the secret of %s is listed", name, key.ID)
			}
		}
		if got := strings.Join(ids, " "); got != tt.want || page.Next != tt.next {
			t.Errorf("%s: got %s, next %q", name, got, page.Next)
		}
	}
}

func TestUseNonce(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	use := func(keyID, nonce string, life time.Duration, want bool) {
		t.Helper()
		if first, err := store.UseNonce(t.Context(), keyID, nonce, life); first != want || err != nil {
			t.Errorf("nonce %s of %s: got %t, %v, want %t", nonce, keyID, first, err, want)
		}
	}
	use("AKIA1", "n1", time.Hour, true)
	use("AKIA1", "n1", time.Hour, false)
	use("AKIA2", "n1", time.Hour, true)
	use("AKIA1", "n2", -time.Second, true) // one that is over can be used again
	use("AKIA1", "n2", time.Hour, true)
	use("AKIA1", "n2", time.Hour, false)
	var once sync.WaitGroup
	var firsts atomic.Int32
	for range 8 {
		once.Go(func() {
			if first, err := store.UseNonce(t.Context(), "AKIA1", "n3", time.Hour); first && err == nil {
				firsts.Add(1)
			}
		})
	}
	once.Wait()
	if firsts.Load() != 1 {
		t.Errorf("%d of 8 requests at once were the first, want 1", firsts.Load())
	}
}
