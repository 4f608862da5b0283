package workers

import (
	"context"
	"errors"
	"testing"
)

func TestChoresInBatches(t *testing.T) {
	chores := map[string]func(do func(context.Context, int) (int, error)) Chore{
		"retention": func(do func(context.Context, int) (int, error)) Chore { return Retention{do, 10} },
		"storage":   func(do func(context.Context, int) (int, error)) Chore { return Storage{do, 10} },
		"counts":    func(do func(context.Context, int) (int, error)) Chore { return Counts{do, 10} },
		"delays":    func(do func(context.Context, int) (int, error)) Chore { return DelayChanges{do, 10} },
	}
	tests := map[string]struct{ there, wantCalls int }{
		"nothing":               {0, 1},
		"one less than a batch": {9, 1},
		"exactly one batch":     {10, 2},
		"several batches":       {25, 3},
	}
	for worker, make := range chores {
		for name, tt := range tests {
			t.Run(worker+"/"+name, func(t *testing.T) {
				left, calls := tt.there, 0
				err := make(func(_ context.Context, limit int) (int, error) {
					n := min(limit, left)
					left -= n
					calls++
					return n, nil
				}).Run(t.Context())
				if err != nil || left != 0 || calls != tt.wantCalls {
					t.Errorf("%d left after %d calls, %v; want 0 after %d", left, calls, err, tt.wantCalls)
				}
			})
		}
		t.Run(worker+"/error", func(t *testing.T) {
			broken, calls := errors.New("connection refused"), 0
			err := make(func(context.Context, int) (int, error) { calls++; return 10, broken }).Run(t.Context())
			if !errors.Is(err, broken) || calls != 1 {
				t.Errorf("got %v after %d calls, want the error after one", err, calls)
			}
		})
	}
}

func TestChoresOfOneCall(t *testing.T) {
	broken := errors.New("connection refused")
	fail := func(context.Context) error { return broken }
	for name, c := range map[string]Chore{"delay": Delay{fail}, "vacuum": Vacuum{fail}, "heartbeat": Heartbeat{fail}, "sweep": Sweep{fail}, "moves": Moves{fail}} {
		if err := c.Run(t.Context()); !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the error of the call", name, err)
		}
	}
}
