package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFindData(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	if _, err := Find(Options{DataDir: none}); !errors.Is(err, ErrNoData) {
		t.Errorf("without a directory: %v", err)
	}
	if _, err := os.Stat(none); !os.IsNotExist(err) {
		t.Errorf("the directory was made: %v", err)
	}
	dir := dataDir(t)
	s := start(t, Options{DataDir: dir})
	url, err := Find(Options{DataDir: dir})
	if err != nil || url != s.URL() {
		t.Fatalf("of a running server: %s, %v; want %s", url, err, s.URL())
	}
	if got := query[int](t, url, "SELECT 42"); got != 42 {
		t.Errorf("got %d", got)
	}
	stop(t, s)
	if url, err := Find(Options{DataDir: dir}); err != nil || url != "" {
		t.Errorf("of a stopped server: %q, %v", url, err)
	}
}
