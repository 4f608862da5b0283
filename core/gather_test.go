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
		g.add(&n, func(*int) bool { return true })
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
	if !errors.Is(err, refused) || !slices.Equal(written, []int{10, 11, 1, 2}) || g.dropped.Load() != 3 || g.bytes != 0 || g.count != 0 || len(g.batches) != 0 {
		t.Errorf("wrote %v with error %v, %d dropped, %d entries of %d bytes left", written, err, g.dropped.Load(), g.count, g.bytes)
	}
}

// TestGatheredEntriesAreAddedWhileOthersAreWritten adds entries, some of which turn out to be none, while those before are
// written a few at a time: each is written once, in order.
func TestGatheredEntriesAreAddedWhileOthersAreWritten(t *testing.T) {
	t.Parallel()
	g := gathered[int]{most: 1000, mostBytes: 1 << 20, batch: 4, size: func(*int) int { return 1 }}
	next := 0
	add := func(n int) {
		for range n {
			next++
			number, wanted := next, next%5 != 0
			g.add(new(int), func(e *int) bool {
				*e = number
				return wanted
			})
		}
	}
	var written, want []int
	away := errors.New("away")
	for round := range 20 {
		add(round % 7)
		err := g.flush(t.Context(), func(_ context.Context, batch []int) (int, int, error) {
			if next < 100 {
				add(3)
			}
			done := min(len(batch), round%3+1)
			written = append(written, batch[:done]...)
			if done < len(batch) {
				return done, 0, away
			}
			return done, 0, nil
		})
		if err != nil && !errors.Is(err, away) {
			t.Fatal(err)
		}
	}
	if err := g.flush(t.Context(), func(_ context.Context, batch []int) (int, int, error) {
		written = append(written, batch...)
		return len(batch), 0, nil
	}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= next; n++ {
		if n%5 != 0 {
			want = append(want, n)
		}
	}
	if !slices.Equal(written, want) || g.count != 0 || g.bytes != 0 {
		t.Errorf("wrote %v of %d, %d entries of %d bytes left", written, next, g.count, g.bytes)
	}
}

// TestFlushGivesUpBehindAnother has somebody wait, who will not for long, behind a write that hangs.
func TestFlushGivesUpBehindAnother(t *testing.T) {
	t.Parallel()
	g := gathered[int]{most: 5, mostBytes: 50, batch: 2, size: func(n *int) int { return *n }}
	numbered := func(n int) { g.add(&n, func(*int) bool { return true }) }
	numbered(1)
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
	numbered(2) // nobody waits for the write
	close(release)
	if err := <-done; err != nil || g.count != 0 || g.dropped.Load() != 0 {
		t.Errorf("in the end: %v, %d left, %d dropped", err, g.count, g.dropped.Load())
	}
}
