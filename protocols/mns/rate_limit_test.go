package mns

import (
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func TestMeters(t *testing.T) {
	t.Parallel()
	var m meters
	limited := func(id int64) *core.Queue {
		return &core.Queue{ID: id, Attributes: map[string]string{AttributeRate: `{"Enabled":true,"MaxReceivesPerSecond":2}`}}
	}
	began := time.Now()
	for i, want := range []bool{true, true, false} {
		if got := m.of(1).take(2, began); got != want {
			t.Errorf("receive %d: got %t", i, got)
		}
	}
	m.of(1).filled = began.Add(time.Hour) // none is added for as long as the test may take
	if err := m.take(limited(1)); core.CodeOf(err) != core.Throttled {
		t.Errorf("a third receive within a second: got %v", err)
	}
	*m.of(1) = meter{filled: began}
	if err := m.take(&core.Queue{ID: 1}); err != nil {
		t.Errorf("a queue without a limit: %v", err)
	}
	for i, want := range []bool{true, true, false} {
		if got := m.byQueue[1].take(2, began.Add(time.Second)); got != want {
			t.Errorf("receive %d, a second later: got %t", i, got)
		}
	}
	for id := range int64(maxMeters + 10) {
		if err := m.take(limited(id + 2)); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.byQueue) > maxMeters {
		t.Errorf("%d queues are remembered, want at most %d", len(m.byQueue), maxMeters)
	}
}
