package main

import "testing"

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
