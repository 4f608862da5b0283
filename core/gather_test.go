package core

import (
	"context"
	"errors"
	"slices"
	"sync"
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

// TestFlushGivesUpBehindAnother has somebody wait, who will not for long, behind a write that hangs.
func TestFlushGivesUpBehindAnother(t *testing.T) {
	t.Parallel()
	g := gathered[int]{most: 5, mostBytes: 50, batch: 2, size: func(n *int) int { return *n }}
	g.add(1)
	hangs, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	var once sync.Once
	write := func(_ context.Context, batch []int) (int, int, error) {
		once.Do(func() { close(hangs) })
		<-release
		return len(batch), 0, nil
	}
	go func() { done <- g.flush(context.Background(), write) }()
	<-hangs
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.flush(ctx, write); CodeOf(err) != Unavailable {
		t.Errorf("behind a write that hangs: %v", err)
	}
	g.add(2) // nobody waits for the write
	close(release)
	if err := <-done; err != nil || g.entries != nil || g.dropped.Load() != 0 {
		t.Errorf("in the end: %v, %v left, %d dropped", err, g.entries, g.dropped.Load())
	}
}
