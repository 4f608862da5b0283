package pg_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// Of servers that start at the same moment, all have the secret that one of them made.
func TestSharedSecret(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	if got, err := broker.FindSecret(t.Context(), "signing"); got != nil || err != nil {
		t.Errorf("before it was made: got %q, %v", got, err)
	}
	made := make([]string, 8)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			secret, err := broker.SharedSecret(t.Context(), "signing", []byte{byte(i), 1})
			if err != nil {
				t.Error(err)
			}
			made[i] = string(secret)
		})
	}
	wg.Wait()
	for i := range made {
		if made[i] != made[0] || made[i] == "" {
			t.Errorf("server %d has %q, server 0 %q", i, made[i], made[0])
		}
	}
	found, err := broker.FindSecret(t.Context(), "signing")
	if err != nil || string(found) != made[0] {
		t.Errorf("found %q, %v", found, err)
	}
	if other, err := broker.SharedSecret(t.Context(), "other", []byte("x")); err != nil || string(other) != "x" {
		t.Errorf("another secret: got %q, %v", other, err)
	}
}

// A server with a master key encrypts what it stores, for the secret of that name alone.
func TestSharedSecretIsSealed(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	plain, sealing := open(t, pg.Options{URL: url}), open(t, pg.Options{URL: url, MasterKey: bytes.Repeat([]byte{1}, pg.MasterKeySize)})
	if _, err := plain.SharedSecret(t.Context(), "old", []byte("of before")); err != nil {
		t.Fatal(err)
	}
	if got, err := sealing.SharedSecret(t.Context(), "old", []byte("of now")); err != nil || string(got) != "of before" {
		t.Errorf("what was stored before there was a master key: %q, %v", got, err)
	}
	for range 2 {
		if got, err := sealing.SharedSecret(t.Context(), "new", []byte("topsecret")); err != nil || string(got) != "topsecret" {
			t.Errorf("got %q and %v", got, err)
		}
	}
	if got, err := plain.SharedSecret(t.Context(), "new", nil); err == nil {
		t.Errorf("a server without the master key reads %q", got)
	}
	conn := database(t, url)
	var stored []byte
	if err := conn.QueryRow(t.Context(), `SELECT value FROM secrets WHERE name = 'new'`).Scan(&stored); err != nil || bytes.Contains(stored, []byte("topsecret")) {
		t.Errorf("stored as %q, %v", stored, err)
	}
	execute(t, conn, `INSERT INTO secrets SELECT 'other', value, sealed FROM secrets WHERE name = 'new'`)
	if got, err := sealing.SharedSecret(t.Context(), "other", nil); err == nil {
		t.Errorf("what was sealed as another secret is read as %q", got)
	}
}
