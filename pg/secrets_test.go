package pg_test

import (
	"sync"
	"testing"

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
