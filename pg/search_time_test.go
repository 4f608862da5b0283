package pg

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/polymq/polymq/core"
)

// TestSearchesTakeAShareOfTheTime has somebody search without a pause, and somebody who looks at what was found.
func TestSearchesTakeAShareOfTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var left searchTime
		page := func(takes time.Duration) time.Duration { // how long it was until it began
			t.Helper()
			asked := time.Now()
			given, err := left.take(t.Context())
			if err != nil || given < searchLeast || given > core.MaxSearchTime {
				t.Fatalf("a page has %v, %v", given, err)
			}
			waited := time.Since(asked)
			takes = min(takes, given)
			time.Sleep(takes)
			left.giveBack(given - takes)
			return waited
		}
		if waited := page(core.MaxSearchTime); waited != 0 {
			t.Errorf("the first page waited %v", waited)
		}
		began, taken := time.Now(), time.Duration(0)
		for time.Since(began) < time.Minute {
			asked := time.Now()
			waited := page(core.MaxSearchTime)
			if waited > searchLeast*searchShare {
				t.Fatalf("a page waited %v", waited)
			}
			taken += time.Since(asked) - waited
		}
		if share := time.Since(began) / taken; share < searchShare-1 || share > searchShare+1 {
			t.Errorf("searches without a pause take one part in %d of the time, want %d", share, searchShare)
		}
		time.Sleep(core.MaxSearchTime * searchShare)
		for range 5 {
			if waited := page(2 * time.Millisecond); waited != 0 { // of a small queue
				t.Errorf("after a pause a small page waited %v", waited)
			}
		}
		if given, _ := left.tryTake(time.Now()); given < core.MaxSearchTime-20*time.Millisecond {
			t.Errorf("after a pause there are %v left", given)
		}
	})
}
