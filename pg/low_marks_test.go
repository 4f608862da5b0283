package pg

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestMarks(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	tests := map[string]struct {
		do   func(m *marks)
		want time.Time // where a scan for priority 8 starts
	}{
		"nothing is known": {func(m *marks) {}, time.Time{}},
		"a receive has got so far": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
		}, at(100)},
		"it does not go back": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
			m.advance(1, 8, at(90))
		}, at(100)},
		"another priority has": {func(m *marks) {
			m.start(1, 0, []int16{8, 9}, 0, nil)
			m.advance(1, 9, at(100))
		}, time.Time{}},
		"another storage has": {func(m *marks) {
			m.start(2, 0, []int16{8}, 0, nil)
			m.advance(2, 8, at(100))
		}, time.Time{}},
		"something became visible before it": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
			m.lower(1, at(50))
		}, at(50)},
		"something became visible behind it": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
			m.lower(1, at(150))
		}, at(100)},
		"something became visible during the receive": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.lower(1, at(50))
			m.lower(1, at(60))
			m.advance(1, 8, at(100))
		}, at(50)},
		"that was before the next receive": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.lower(1, at(50))
			m.advance(1, 8, at(100))
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
		}, at(100)},
		"it was reset": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
			m.reset(1)
		}, at(0)},
		"all were reset during the receive": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.resetAll()
			m.advance(1, 8, at(100))
		}, at(0)},
		"it was forgotten": {func(m *marks) {
			m.start(1, 0, []int16{8}, 0, nil)
			m.advance(1, 8, at(100))
			m.forget(1)
		}, time.Time{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var m marks
			m.init()
			tt.do(&m)
			if got := m.start(1, 0, []int16{8}, 0, nil)[0]; !got.Equal(tt.want) {
				t.Errorf("starts at %v, want %v", got, tt.want)
			}
			want := tt.want
			if !want.IsZero() {
				want = want.Add(-markMargin)
			}
			if got := m.lowest(1, 0, []int16{8}, markMargin); !got.Equal(want) {
				t.Errorf("with a margin %v, want %v", got, want)
			}
		})
	}
}

// A mark is swept for as long as something may come behind it, and then no more.
func TestMarksAreSweptWhileCommitsMayBeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m marks
		m.init()
		want := func(swept bool) {
			t.Helper()
			storages, _, _ := m.toSweep()
			if (len(storages) > 0) != swept {
				t.Errorf("swept %d marks", len(storages))
			}
			m.lookedBehind(storages, time.Now())
		}
		want(false)
		m.advance(1, 8, time.Unix(100, 0))
		want(true)
		time.Sleep(lateCommit)
		want(true)
		want(true)
		time.Sleep(time.Nanosecond)
		want(true)
		want(false)
		m.advance(1, 8, time.Unix(200, 0))
		time.Sleep(2 * lateCommit) // sweeps are held up
		want(true)
		want(false)
	})
}

func TestRowsWithin(t *testing.T) {
	tests := map[string]struct {
		sizes    []int
		min, max int
	}{
		"nothing is known": {nil, 7, 7},
		"empty messages":   {[]int{0, 0}, 7, 7},
		"small ones":       {[]int{100, 100}, 1000, 1000},
		"big ones":         {[]int{50_000}, 2, 2},
		"one is too much":  {[]int{1_000_000}, 1, 1},
		"of late big ones": {[]int{100, 100, 50_000, 50_000, 50_000, 50_000}, 5, 30},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var m marks
			m.init()
			for _, size := range tt.sizes {
				m.sized(1, size)
			}
			if got := m.rowsWithin(1, 100_000, 7); got < tt.min || got > tt.max {
				t.Errorf("%d rows, want %d to %d", got, tt.min, tt.max)
			}
		})
	}
}
