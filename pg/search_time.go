package pg

import (
	"context"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// Searches may take one part in so many of the time of one processor, so that who sends and receives hardly notices. Who looks at a page before
// the next one is asked for has time for all of it; who does not gets pages that go less far.
const (
	searchShare = 12
	searchLeast = 4 * time.Millisecond // that a page has
)

// searchTime is the time that searches of this server may still take. It fills up to one page's.
type searchTime struct {
	mu   sync.Mutex
	left time.Duration
	at   time.Time // when left was that; zero before the first search
}

// take gives the time that a page may take, once there is enough for one: all that there is.
func (t *searchTime) take(ctx context.Context) (time.Duration, error) {
	for {
		given, wait := t.tryTake(time.Now())
		if given > 0 {
			return given, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// tryTake gives the time that a page may take, or how long it is until there is enough for one.
func (t *searchTime) tryTake(now time.Time) (given, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at.IsZero() {
		t.left = core.MaxSearchTime
	} else {
		t.left = min(t.left+now.Sub(t.at)/searchShare, core.MaxSearchTime)
	}
	t.at = now
	if t.left < searchLeast {
		return 0, (searchLeast - t.left) * searchShare
	}
	given, t.left = t.left, 0
	return given, 0
}

// giveBack returns what a page has not taken, and takes off what it has taken too much; that is bounded, or the next one would wait too long.
func (t *searchTime) giveBack(rest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = min(t.left+max(rest, -searchLeast), core.MaxSearchTime)
}
