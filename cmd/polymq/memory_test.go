package main

import (
	"slices"
	"testing"
)

func TestCollectorRunsSoonerWhilePollsWait(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		waiting int
		garbage uint64
		want    int
	}{
		"nobody waits":            {0, 0, gcPercent},
		"few polls wait":          {manyPolls - 1, 0, gcPercent},
		"many polls wait":         {manyPolls, littleGarbage - 1, pollsPercent},
		"others work beside them": {manyPolls, littleGarbage, gcPercent},
	}
	for name, tt := range tests {
		if got := percentFor(tt.waiting, tt.garbage); got != tt.want {
			t.Errorf("%s: %d %%, want %d", name, got, tt.want)
		}
	}
}

func TestRest(t *testing.T) {
	t.Parallel()
	const busy, quiet = restGarbage, restGarbage - 1
	looks := slices.Concat([]uint64{busy}, slices.Repeat([]uint64{quiet}, 2*restLooks), []uint64{busy, quiet, busy}, slices.Repeat([]uint64{quiet}, restLooks-1))
	var rests rest
	var long []int
	for i, garbage := range looks {
		if rests.isLong(garbage) {
			long = append(long, i)
		}
	}
	if want := []int{restLooks, 2 * restLooks}; !slices.Equal(long, want) {
		t.Errorf("memory is given back at looks %v, want %v", long, want)
	}
}
