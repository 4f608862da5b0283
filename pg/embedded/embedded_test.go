package embedded

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestStartStop(t *testing.T) {
	dir := dataDir(t)
	for range 3 {
		began := time.Now()
		s, err := Start(t.Context(), Options{DataDir: dir, Progress: func(l string) { t.Log(l) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Log("start", time.Since(began))
		c, err := pgx.Connect(t.Context(), s.URL())
		if err != nil {
			t.Fatal(err)
		}
		c.Close(t.Context())
		began = time.Now()
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Log("stop", time.Since(began))
	}
}
func TestShared(t *testing.T) {
	for range 3 {
		began := time.Now()
		url, rel, err := Shared(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Log("shared", time.Since(began), url)
		rel()
	}
}

// dataDir makes a folder that PostgreSQL's user can enter also when the tests run as root.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "polymq-embedded-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}
