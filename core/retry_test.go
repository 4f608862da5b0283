package core_test

import (
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func TestRetryDelays(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := map[string]struct {
		policy core.RetryPolicy
		want   []time.Duration
	}{
		"none":        {nil, nil},
		"constant":    {core.RetryPolicy{{Retries: 3, Min: 20 * s, Max: 20 * s}}, []time.Duration{20 * s, 20 * s, 20 * s}},
		"linear":      {core.RetryPolicy{{Retries: 3, Min: 10 * s, Max: 20 * s}}, []time.Duration{10 * s, 15 * s, 20 * s}},
		"one linear":  {core.RetryPolicy{{Retries: 1, Min: 10 * s, Max: 20 * s}}, []time.Duration{10 * s}},
		"arithmetic":  {core.RetryPolicy{{Retries: 4, Min: 0, Max: 12 * s, Backoff: core.Arithmetic}}, []time.Duration{0, 2 * s, 6 * s, 12 * s}},
		"geometric":   {core.RetryPolicy{{Retries: 3, Min: s, Max: 100 * s, Backoff: core.Geometric}}, []time.Duration{s, 10 * s, 100 * s}},
		"exponential": {core.RetryPolicy{{Retries: 6, Min: s, Max: 20 * s, Backoff: core.Exponential}}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 20 * s}},
		"phases": {core.RetryPolicy{{Retries: 2}, {Retries: 0, Min: s, Max: s}, {Retries: 1, Min: s, Max: s}, {Retries: 1, Min: 9 * s, Max: 9 * s}},
			[]time.Duration{0, 0, s, 9 * s}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for i, want := range tt.want {
				if got, more := tt.policy.Delay(i + 1); !more || got != want {
					t.Errorf("retry %d after %v, %t, want %v", i+1, got, more, want)
				}
			}
			if got, more := tt.policy.Delay(len(tt.want) + 1); more {
				t.Errorf("one more retry, after %v", got)
			}
		})
	}
}

func TestExponentialDelaysDoNotOverflow(t *testing.T) {
	t.Parallel()
	policy := core.RetryPolicy{{Retries: core.MaxRetries, Min: time.Second, Max: time.Hour, Backoff: core.Exponential}}
	for _, retry := range []int{64, 1025, core.MaxRetries} {
		if got, more := policy.Delay(retry); !more || got != time.Hour {
			t.Errorf("retry %d after %v, %t", retry, got, more)
		}
	}
}

func TestRandomDelays(t *testing.T) {
	t.Parallel()
	policy := core.RetryPolicy{{Retries: 1000, Min: 10 * time.Second, Max: 20 * time.Second, Backoff: core.Random}}
	least, most := time.Hour, time.Duration(0)
	for i := range 1000 {
		delay, _ := policy.Delay(i + 1)
		least, most = min(least, delay), max(most, delay)
	}
	if least < 10*time.Second || most > 20*time.Second || most-least < 5*time.Second {
		t.Errorf("delays from %v to %v", least, most)
	}
}

// MNS's schedule of a day (specs/mns.md 5.2).
func TestExponentialDecay(t *testing.T) {
	t.Parallel()
	policy := core.RetryPolicy{
		{Retries: 9, Min: time.Second, Max: 256 * time.Second, Backoff: core.Exponential},
		{Retries: 167, Min: 512 * time.Second, Max: 512 * time.Second},
	}
	total, retries := time.Duration(0), 0
	for {
		delay, more := policy.Delay(retries + 1)
		if !more {
			break
		}
		total, retries = total+delay, retries+1
	}
	if retries != 176 || total != 86015*time.Second {
		t.Errorf("%d retries in %v, want 176 in 86015 s", retries, total)
	}
}
