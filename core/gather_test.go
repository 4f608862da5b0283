package core

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// TestGatheredEntriesWaitAndAreBounded writes to a database that is away, then to one that refuses an entry.
func TestGatheredEntriesWaitAndAreBounded(t *testing.T) {
	t.Parallel()
	g := gathered[int]{most: 5, mostBytes: 50, batch: 2, size: func(n *int) int { return *n }}
	for _, n := range []int{10, 11, 12, 20, 1, 2, 3} { // 20 are too many bytes, 3 is one entry too many
		g.add(n)
	}
	if got := g.dropped.Load(); got != 2 {
		t.Fatalf("%d were dropped, want 2", got)
	}
	away := Errorf(Unavailable, "away")
	if err := g.flush(t.Context(), func(context.Context, []int) (int, int, error) { return 0, 0, away }); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	var written []int
	refused := errors.New("no 12")
	err := g.flush(t.Context(), func(_ context.Context, batch []int) (int, int, error) {
		if slices.Contains(batch, 12) {
			written = append(written, batch[1:]...)
			return len(batch), 1, refused
		}
		written = append(written, batch...)
		return len(batch), 0, nil
	})
	if !errors.Is(err, refused) || !slices.Equal(written, []int{10, 11, 1, 2}) || g.dropped.Load() != 3 || g.bytes != 0 || g.entries != nil {
		t.Errorf("wrote %v with error %v, %d dropped, %d bytes and %v left", written, err, g.dropped.Load(), g.bytes, g.entries)
	}
}
