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
	for i, want := range []core.Code{"", "", core.Throttled} {
		if err := m.take(limited(1)); err == nil != (want == "") || err != nil && core.CodeOf(err) != want {
			t.Errorf("receive %d: got %v, want %q", i, err, want)
		}
	}
	if err := m.take(&core.Queue{ID: 1}); err != nil {
		t.Errorf("a queue without a limit: %v", err)
	}
	now := time.Now().Add(time.Second)
	for i, want := range []bool{true, true, false} {
		if got := m.byQueue[1].take(2, now); got != want {
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
