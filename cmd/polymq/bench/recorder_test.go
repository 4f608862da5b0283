package bench

import (
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestPercentiles(t *testing.T) {
	t.Parallel()
	r := newRecorder(0)
	for i := 1; i <= 1000; i++ {
		r.observe(opSend, time.Duration(i)*time.Millisecond)
	}
	r.observe(opDelete, time.Hour) // counts as the slowest
	got := r.percentiles()
	want := []percentiles{{"send", 1000, 500, 950, 990, 1000}, {"delete", 1, 60_000, 60_000, 60_000, 60_000}}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		g, w := reflect.ValueOf(got[i]), reflect.ValueOf(want[i])
		if got[i].Operation != want[i].Operation || got[i].Count != want[i].Count {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
		for field := 2; field < g.NumField(); field++ { // three digits are kept
			if a, b := g.Field(field).Float(), w.Field(field).Float(); math.Abs(a-b) > b/1000 {
				t.Errorf("%s of %s is %v ms, want %v", g.Type().Field(field).Name, got[i].Operation, a, b)
			}
		}
	}
}

func TestStalls(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		gaps []time.Duration // between completions; after the last one the phase ends
		want stalls
	}{
		"none":                   {[]time.Duration{100 * time.Millisecond, stallLength}, stalls{}},
		"just longer":            {[]time.Duration{0, stallLength + 1, 0}, stalls{1, stallLength + 1, stallLength + 1}},
		"from the start":         {[]time.Duration{time.Second, 0}, stalls{1, time.Second, time.Second}},
		"until the end":          {[]time.Duration{0, time.Second}, stalls{1, time.Second, time.Second}},
		"two, the first longest": {[]time.Duration{0, 2 * time.Second, time.Second, 0}, stalls{2, 3 * time.Second, 2 * time.Second}},
		"nothing ever completes": {[]time.Duration{3 * time.Second}, stalls{1, 3 * time.Second, 3 * time.Second}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRecorder(0)
				var length time.Duration
				for i, gap := range tt.gaps {
					time.Sleep(gap) // of the bubble's clock
					length += gap
					if i < len(tt.gaps)-1 {
						r.done(opSend, 0)
					}
				}
				if took := r.end(); took != length || r.stalls != tt.want {
					t.Errorf("stalls %+v in %s, want %+v in %s", r.stalls, took, tt.want, length)
				}
			})
		})
	}
}

func TestEmptyReceivesEndNoStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(0)
		for range 10 {
			time.Sleep(100 * time.Millisecond)
			r.nothing()
		}
		if r.end(); r.stalls.count != 1 || r.stalls.longest != time.Second {
			t.Errorf("stalls %+v, want one of 1 s", r.stalls)
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	r := newRecorder(10)
	reached := func() bool {
		select {
		case <-r.reached:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		n    int
		want bool
	}{{9, false}, {0, false}, {2, true}, {5, true}} { // closed but once
		if r.handled(step.n); reached() != step.want {
			t.Errorf("after %d messages reached is %t", r.messages.Load(), reached())
		}
	}
}

func TestErrorsKeepAFewExamples(t *testing.T) {
	t.Parallel()
	r := newRecorder(0)
	for i := range 10 {
		r.fail(opSend, "status 500", fmt.Sprintf("error %d", i))
		r.fail(opSend, "timeout", "late")
	}
	r.fail(opSend, "timeout", "late")
	sum := newRecorder(0)
	sum.merge(r)
	sum.merge(r)
	want := []failure{{"send: timeout", 22, []string{"late"}}, {"send: status 500", 20, []string{"error 0", "error 1", "error 2"}}}
	if got := sum.failed(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if r.failures.Load() != 21 {
		t.Errorf("%d failures, want 21", r.failures.Load())
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	tests := map[string]error{
		"status 503 ServiceUnavailable": fmt.Errorf("send: %w", &refusal{status: 503, code: "ServiceUnavailable"}),
		"status 502":                    &refusal{status: 502},
		"timeout":                       errTimeout,
		"connection refused":            fmt.Errorf("dial: %w", syscall.ECONNREFUSED),
		"connection reset":              syscall.ECONNRESET,
		"connection closed":             io.ErrUnexpectedEOF,
		"other":                         errors.New("something"),
	}
	for want, err := range tests {
		if got := kindOf(err); got != want {
			t.Errorf("%v is of kind %q, want %q", err, got, want)
		}
	}
}
