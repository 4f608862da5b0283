package pg

import (
	"testing"
	"time"
)

func TestEventTimesRise(t *testing.T) {
	t.Parallel()
	var times eventTimes
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ about, want time.Duration }{
		{0, 0}, {0, time.Microsecond}, {-50 * time.Millisecond, 2 * time.Microsecond}, {999 * time.Nanosecond, 3 * time.Microsecond},
		{time.Second + 1, time.Second}, {-time.Hour, -time.Hour}, {time.Minute, time.Minute},
	} {
		if got := times.next("1", noon.Add(tt.about)); !got.Equal(noon.Add(tt.want)) {
			t.Errorf("about %v: %v, want %v", tt.about, got.Sub(noon), tt.want)
		}
	}
	if got := times.next("2", noon); !got.Equal(noon) {
		t.Errorf("another account's: %v", got)
	}
}
