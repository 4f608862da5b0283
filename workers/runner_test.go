package workers

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// chore is a Chore made of a function.
type chore func(ctx context.Context) error

func (c chore) Run(ctx context.Context) error { return c(ctx) }

// run starts a Runner with one chore, lets time pass and stops it; it gives what was logged.
func run(t *testing.T, schedule Interval, timeout, during time.Duration, c chore) string {
	t.Helper()
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(zerolog.New(&log))
		r.Add("test", schedule, timeout, c)
		r.Start()
		time.Sleep(during) // of the bubble's clock
		synctest.Wait()
		if err := r.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return log.String()
}

func TestRunnerRunsBySchedule(t *testing.T) {
	var waits atomic.Int32
	tests := map[string]struct {
		schedule Interval
		during   time.Duration
		want     int32
	}{
		"not before the first interval": {Every(2 * time.Second), 1999 * time.Millisecond, 0},
		"after the first interval":      {Every(2 * time.Second), 2 * time.Second, 1},
		"fractions of a second":         {Every(250 * time.Millisecond), time.Second, 4},
		"an interval that changes": {func() time.Duration {
			return time.Duration(waits.Add(1)) * time.Second // runs after 1, 3 and 6 seconds
		}, 6 * time.Second, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var runs atomic.Int32
			run(t, tt.schedule, time.Minute, tt.during, func(context.Context) error { runs.Add(1); return nil })
			if got := runs.Load(); got != tt.want {
				t.Errorf("got %d runs, want %d", got, tt.want)
			}
		})
	}
}

func TestRunnerNeverRunsAChoreTwiceAtATime(t *testing.T) {
	var runs, running, most atomic.Int32
	run(t, Every(time.Second), time.Minute, 10*time.Second, func(ctx context.Context) error {
		runs.Add(1)
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		select {
		case <-time.After(3500 * time.Millisecond):
		case <-ctx.Done():
		}
		return nil
	})
	if most.Load() != 1 || runs.Load() != 3 { // from 1 s to 4.5 s, from 5 s to 8.5 s, from 9 s
		t.Errorf("got %d runs, %d at a time, want 3 and 1", runs.Load(), most.Load())
	}
}

func TestRunnerRunsAgainAfterAPanic(t *testing.T) {
	var runs atomic.Int32
	log := run(t, Every(time.Second), time.Minute, 3*time.Second, func(context.Context) error {
		if runs.Add(1) == 1 {
			panic("broken invariant")
		}
		return nil
	})
	if runs.Load() != 3 || !strings.Contains(log, "broken invariant") {
		t.Errorf("got %d runs, want 3, and this log: %s", runs.Load(), log)
	}
}

func TestRunnerEndsARunAtItsTimeout(t *testing.T) {
	var took atomic.Int64
	run(t, Every(time.Second), 300*time.Millisecond, 1500*time.Millisecond, func(ctx context.Context) error {
		start := time.Now()
		<-ctx.Done()
		took.Store(int64(time.Since(start)))
		return ctx.Err()
	})
	if got := time.Duration(took.Load()); got != 300*time.Millisecond {
		t.Errorf("the run ended after %v, want 300ms", got)
	}
}

func TestRunnerLogsOnlyChanges(t *testing.T) {
	var runs atomic.Int32
	log := run(t, Every(time.Second), time.Minute, 6*time.Second, func(context.Context) error {
		if n := runs.Add(1); n >= 2 && n <= 4 {
			return errors.New("connection refused")
		}
		return nil
	})
	for text, want := range map[string]int{
		`"level":"warn"`: 1, "connection refused": 3, `"level":"info"`: 1, `"worker":"test"`: 4,
	} {
		if got := strings.Count(log, text); got != want {
			t.Errorf("the log has %d × %s, want %d:\n%s", got, text, want, log)
		}
	}
}

func TestRunnerStopEndsWhatRuns(t *testing.T) {
	ended := make(chan error, 1)
	log := run(t, Every(time.Second), time.Hour, 1500*time.Millisecond, func(ctx context.Context) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) || log != "" {
			t.Errorf("the run ended with %v and logged %q", err, log)
		}
	default:
		t.Error("Stop returned before the run ended")
	}
}

func TestRunnerStopGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(zerolog.Nop())
		release := make(chan struct{})
		r.Add("stuck", Every(time.Second), time.Hour, chore(func(context.Context) error { <-release; return nil }))
		r.Start()
		time.Sleep(time.Second)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that the deadline was exceeded", err)
		}
		close(release)
	})
}
