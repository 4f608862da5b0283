package workers

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

// endpoints stand in for storage and endpoints: lanes with so many deliveries, and how attempts on a lane go.
type endpoints struct {
	mu       sync.Mutex
	waiting  map[int64]int
	rate     int
	attempt  func(ctx context.Context, lane int64) (core.Verdict, error)
	failure  core.Outcome // what is said of attempts besides their verdict
	failed   int          // with the attempt of another
	claims   int
	inFlight map[int64]int
	most     map[int64]int // in flight at the same time
	times    map[int64][]time.Duration
	settled  map[core.Verdict]int
	fanOuts  int
	fail     error // of Settle
	began    time.Time
}

func newEndpoints(attempt func(ctx context.Context, lane int64) (core.Verdict, error)) *endpoints {
	return &endpoints{waiting: map[int64]int{}, attempt: attempt, inFlight: map[int64]int{}, most: map[int64]int{}, times: map[int64][]time.Duration{},
		settled: map[core.Verdict]int{}, began: time.Now()}
}

func (e *endpoints) deliveries() Deliveries {
	return Deliveries{
		DueLanes: func(context.Context, time.Duration) (lanes []core.LaneDue, err error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			for lane, n := range e.waiting {
				if n > 0 {
					lanes = append(lanes, core.LaneDue{Lane: lane})
				}
			}
			return lanes, nil
		},
		Claim: func(_ context.Context, lanes []core.LaneClaim) (deliveries []*core.Delivery, err error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.claims++
			for _, l := range lanes {
				for range min(l.Limit, e.waiting[l.Lane]) {
					e.waiting[l.Lane]--
					deliveries = append(deliveries, &core.Delivery{Lane: l.Lane, Topic: &core.Topic{}, Subscription: &core.Subscription{}, Rate: e.rate})
				}
			}
			return deliveries, nil
		},
		Attempt: func(ctx context.Context, d *core.Delivery) (core.Outcome, error) {
			e.mu.Lock()
			e.inFlight[d.Lane]++
			e.most[d.Lane] = max(e.most[d.Lane], e.inFlight[d.Lane])
			e.times[d.Lane] = append(e.times[d.Lane], time.Since(e.began))
			e.mu.Unlock()
			verdict, err := e.attempt(ctx, d.Lane)
			e.mu.Lock()
			defer e.mu.Unlock()
			e.inFlight[d.Lane]--
			o := e.failure
			o.Delivery, o.Verdict, o.Failed = d, verdict, verdict == core.Retry
			return o, err
		},
		FailWith: func(_ context.Context, d *core.Delivery, _ core.PushAnswer) (core.Outcome, error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.failed++
			return core.Outcome{Delivery: d, Verdict: core.Retry, Untried: true}, nil
		},
		Settle: func(_ context.Context, outcomes []core.Outcome) error {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.fail != nil {
				return e.fail
			}
			for _, o := range outcomes {
				e.settled[o.Verdict]++
			}
			return nil
		},
		FanOut: func(context.Context) (bool, error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.fanOuts--
			return e.fanOuts >= 0, nil
		},
	}
}

// push runs a Push on the endpoints in a bubble, during which test is called, and gives what was logged.
func (e *endpoints) push(t *testing.T, test func(p *Push)) string {
	t.Helper()
	var log bytes.Buffer
	e.began = time.Now()
	p := NewPush(e.deliveries(), zerolog.New(zerolog.SyncWriter(&log)))
	test(p)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.Close(ctx)
	return log.String()
}

func (e *endpoints) count(verdict core.Verdict) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.settled[verdict]
}

func (e *endpoints) set(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

func TestPushSendsMoreToWhatWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) {
			time.Sleep(time.Second)
			return core.Delivered, nil
		})
		e.waiting[1] = 200
		e.push(t, func(p *Push) {
			p.Due(core.LaneDue{Lane: 1})
			time.Sleep(20 * time.Second)
			synctest.Wait()
			if got := e.count(core.Delivered); got != 200 || e.most[1] != maxConcurrency {
				t.Errorf("%d delivered, %d at the same time", got, e.most[1])
			}
		})
	})
}

func TestPushPausesBeforeWhatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Retry, nil })
		e.waiting[1] = 1000
		e.push(t, func(p *Push) {
			p.Due(core.LaneDue{Lane: 1})
			time.Sleep(time.Hour)
			synctest.Wait()
			attempts := len(e.times[1])
			if attempts < 50 || attempts > 90 { // one a minute in the end
				t.Errorf("%d attempts in an hour", attempts)
			}
			if last := e.times[1][attempts-1] - e.times[1][attempts-2]; last.Round(time.Second) != maxPause {
				t.Errorf("%v between the last two", last)
			}
			p.Due(core.LaneDue{Lane: core.AnyLane}) // time was moved
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if len(e.times[1]) == attempts {
				t.Error("a pause outlived the moving of time")
			}
		})
	})
}

// Where nobody is, one attempt is made for all that is due, and none for what is due later.
func TestPushFailsAllThatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Retry, nil })
		e.failure.OutOfReach, e.failure.Answer.Status = true, 503
		e.push(t, func(p *Push) {
			for range 18 { // so often that an attempt is made once a minute
				e.set(func() { e.waiting[1]++ })
				p.Due(core.LaneDue{Lane: 1})
				time.Sleep(maxPause)
			}
			came := func(n, attempts, failed int) {
				t.Helper()
				e.set(func() { e.waiting[1] += n })
				p.Due(core.LaneDue{Lane: 1})
				synctest.Wait()
				e.mu.Lock()
				defer e.mu.Unlock()
				if len(e.times[1]) != attempts || e.failed != failed {
					t.Errorf("%d attempts and %d failed with them, want %d and %d", len(e.times[1]), e.failed, attempts, failed)
				}
			}
			came(1000, 19, 999)
			came(500, 19, 999)
			time.Sleep(maxPause)
			came(0, 20, 999+499)
			e.set(func() { e.attempt = func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil } })
			time.Sleep(maxPause)
			came(500, 520, 999+499)
			if got := e.count(core.Delivered); got != 500 {
				t.Errorf("%d delivered", got)
			}
		})
	})
}

// Where somebody answers, it may be for the sake of the messages: each has an attempt of its own, one a second.
func TestPushTriesEachWhereSomebodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Retry, nil })
		e.failure.Answer.Status = 500
		e.waiting[1] = 1000
		e.push(t, func(p *Push) {
			p.Due(core.LaneDue{Lane: 1})
			time.Sleep(500 * time.Second)
			synctest.Wait()
			if attempts := len(e.times[1]); attempts < 500 || attempts > 520 || e.failed != 0 {
				t.Errorf("%d attempts in 500 s, and %d failed with them", attempts, e.failed)
			}
		})
	})
}

// What is attempted is told for how long its endpoint has failed.
func TestPushTellsForHowLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failing []time.Duration
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Retry, nil })
		deliveries := e.deliveries()
		attempt := deliveries.Attempt
		deliveries.Attempt = func(ctx context.Context, d *core.Delivery) (core.Outcome, error) {
			failing = append(failing, d.Failing)
			return attempt(ctx, d)
		}
		p := NewPush(deliveries, zerolog.Nop())
		defer p.Close(t.Context())
		for i := range 5 {
			if i == 3 {
				e.set(func() { e.attempt = func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil } })
			}
			e.set(func() { e.waiting[1]++ })
			p.Due(core.LaneDue{Lane: 1})
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if want := []time.Duration{0, time.Minute, 2 * time.Minute, 3 * time.Minute, 0}; !slices.Equal(failing, want) {
			t.Errorf("failing for %v, want %v", failing, want)
		}
	})
}

// Endpoints that hang, more than there is room for, do not keep those from their messages that work.
func TestPushLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(ctx context.Context, lane int64) (core.Verdict, error) {
			if lane > 10 {
				select {
				case <-time.After(15 * time.Second):
				case <-ctx.Done():
				}
				return core.Retry, nil
			}
			return core.Delivered, nil
		})
		e.push(t, func(p *Push) {
			for lane := range int64(10) {
				e.set(func() { e.waiting[lane+1] = 1 })
				p.Due(core.LaneDue{Lane: lane + 1}) // they have worked before
			}
			synctest.Wait()
			for lane := range int64(3000) {
				e.set(func() { e.waiting[lane+11] = 5 })
				p.Due(core.LaneDue{Lane: lane + 11})
			}
			synctest.Wait()
			if p.inFlight > maxUnproven {
				t.Errorf("%d attempts hang", p.inFlight)
			}
			began := time.Now()
			for lane := range int64(10) {
				e.set(func() { e.waiting[lane+1] = 100 })
				p.Due(core.LaneDue{Lane: lane + 1})
			}
			for e.count(core.Delivered) < 1010 && time.Since(began) < time.Minute {
				time.Sleep(time.Millisecond)
			}
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("the endpoints that work had their messages after %v", took)
			}
		})
	})
}

// Endpoints that have worked, and begin to hang while very much is due, do not keep the others from their messages.
func TestPushFindsOutWhatBeginsToHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dead, live, messages = 1000, 100, 64
		var hang atomic.Bool
		e := newEndpoints(func(ctx context.Context, lane int64) (core.Verdict, error) {
			if lane <= dead && hang.Load() {
				select {
				case <-time.After(15 * time.Second):
				case <-ctx.Done():
				}
				return core.Retry, nil
			}
			time.Sleep(5 * time.Millisecond)
			return core.Delivered, nil
		})
		e.push(t, func(p *Push) {
			due := func(n int) {
				for lane := int64(1); lane <= dead+live; lane++ {
					e.set(func() { e.waiting[lane] += n })
					p.Due(core.LaneDue{Lane: lane})
				}
			}
			due(1) // all of them work
			time.Sleep(2 * time.Second)
			hang.Store(true)
			began := time.Now()
			due(messages)
			for e.count(core.Delivered) < dead+live+live*messages && time.Since(began) < time.Minute {
				time.Sleep(time.Millisecond)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("the endpoints that work had their messages after %v", took)
			}
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.inFlight > dead {
				t.Errorf("%d attempts hang at %d endpoints", p.inFlight, dead)
			}
		})
	})
}

func TestPushKeepsToTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil })
		e.waiting[1], e.rate = 1000, 10
		e.push(t, func(p *Push) {
			p.Due(core.LaneDue{Lane: 1})
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if got := len(e.times[1]); got < 95 || got > 110 {
				t.Errorf("%d attempts in 10 s, want about 10 a second", got)
			}
		})
	})
}

func TestPushWaitsUntilItIsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil })
		e.waiting[1] = 1
		e.push(t, func(p *Push) {
			p.Due(core.LaneDue{Lane: 1, In: time.Minute})
			time.Sleep(59 * time.Second)
			synctest.Wait()
			if e.claims != 0 {
				t.Error("something was claimed too early")
			}
			p.Due(core.LaneDue{Lane: 1, In: time.Hour})
			time.Sleep(time.Second)
			synctest.Wait()
			if got := e.count(core.Delivered); got != 1 {
				t.Errorf("%d delivered", got)
			}
		})
	})
}

func TestPushFansOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(nil)
		e.fanOuts = 5
		e.push(t, func(p *Push) {
			for range 3 {
				p.Due(core.LaneDue{Lane: core.FanOutLane})
			}
			synctest.Wait()
			if e.fanOuts >= 0 {
				t.Errorf("%d chunks are left", e.fanOuts)
			}
		})
	})
}

func TestPushFindsWhatNobodyTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil })
		e.waiting[7] = 3
		e.push(t, func(p *Push) {
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := e.count(core.Delivered); got != 3 {
				t.Errorf("%d delivered", got)
			}
			_ = p.Run(t.Context())
			synctest.Wait()
			if len(p.lanes) != 0 {
				t.Errorf("%d lanes are remembered for nothing", len(p.lanes))
			}
		})
	})
}

func TestPushSettlesAgainWhileTheDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil })
		e.waiting[1], e.fail = 1, core.Errorf(core.Unavailable, "away")
		e.push(t, func(p *Push) {
			p.Due(core.LaneDue{Lane: 1})
			time.Sleep(10 * time.Second)
			e.set(func() { e.fail = nil })
			time.Sleep(time.Second)
			synctest.Wait()
			if got := e.count(core.Delivered); got != 1 {
				t.Errorf("%d delivered", got)
			}
		})
	})
}

func TestPushSurvivesPanicsAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(_ context.Context, lane int64) (core.Verdict, error) {
			switch lane {
			case 1:
				panic("broken invariant")
			case 2:
				return 0, errors.New("broken rendering")
			}
			return core.Delivered, nil
		})
		e.waiting[1], e.waiting[2], e.waiting[3] = 1, 1, 1
		log := e.push(t, func(p *Push) {
			_ = p.Run(t.Context())
			synctest.Wait()
			if got := e.count(core.Delivered); got != 1 || p.inFlight != 0 || p.unproven != 0 {
				t.Errorf("%d delivered, %d in flight, %d of them unproven", got, p.inFlight, p.unproven)
			}
		})
		for _, want := range []string{"broken invariant", "broken rendering"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q: %s", want, log)
			}
		}
	})
}

// Close gives attempts until its context ends. What is cut short is not settled: its claim runs out.
func TestPushCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(ctx context.Context, lane int64) (core.Verdict, error) {
			wait := 500 * time.Millisecond
			if lane == 2 {
				wait = time.Hour
			}
			select {
			case <-time.After(wait):
				return core.Delivered, nil
			case <-ctx.Done():
				return core.Retry, nil
			}
		})
		e.waiting[1], e.waiting[2] = 1, 1
		var closing time.Time
		e.push(t, func(p *Push) {
			_ = p.Run(t.Context())
			synctest.Wait()
			closing = time.Now()
		})
		if took := time.Since(closing); took != time.Second || e.count(core.Delivered) != 1 || e.count(core.Retry) != 0 {
			t.Errorf("closed after %v, settled %v", took, e.settled)
		}
	})
}

// What a claim has got is attempted, also when Close begins while it is under way: other servers would wait for its end.
func TestPushClosesDuringAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil })
		e.waiting[1] = 1
		deliveries := e.deliveries()
		claim := deliveries.Claim
		deliveries.Claim = func(ctx context.Context, lanes []core.LaneClaim) ([]*core.Delivery, error) {
			claimed, err := claim(ctx, lanes)
			time.Sleep(100 * time.Millisecond) // the answer is on its way
			return claimed, errors.Join(err, ctx.Err())
		}
		p := NewPush(deliveries, zerolog.Nop())
		p.Due(core.LaneDue{Lane: 1})
		synctest.Wait()
		p.Close(t.Context())
		if e.claims != 1 || e.count(core.Delivered) != 1 {
			t.Errorf("%d claims, settled %v", e.claims, e.settled)
		}
	})
}

// A database that answers nothing holds up Close once, and not for each part of what is to be written down.
func TestPushClosesWhileTheDatabaseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(func(context.Context, int64) (core.Verdict, error) { return core.Delivered, nil })
		for lane := range int64(2000) {
			e.waiting[lane+1] = 1
		}
		deliveries := e.deliveries()
		deliveries.Settle = func(ctx context.Context, _ []core.Outcome) error {
			<-ctx.Done()
			return core.Wrap(core.Unavailable, ctx.Err(), "the database cannot be reached")
		}
		p := NewPush(deliveries, zerolog.Nop())
		_ = p.Run(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		closing := time.Now()
		p.Close(ctx)
		if took := time.Since(closing); took > time.Second+storeTimeout {
			t.Errorf("closed after %v", took)
		}
	})
}

// Looking at very many lanes takes a fiftieth of the time, and no longer than 4 s pass without.
func TestPushLooksSeldomAtMany(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ look, pause time.Duration }{
		"few":       {time.Millisecond, 50 * time.Millisecond},
		"many":      {20 * time.Millisecond, time.Second},
		"very many": {time.Second, maxLookPause},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				looks := 0
				deliveries := newEndpoints(nil).deliveries()
				deliveries.DueLanes = func(context.Context, time.Duration) ([]core.LaneDue, error) {
					looks++
					time.Sleep(tt.look)
					return nil, nil
				}
				p := NewPush(deliveries, zerolog.Nop())
				defer p.Close(t.Context())
				run := func(want int) {
					t.Helper()
					if err := p.Run(t.Context()); err != nil || looks != want {
						t.Errorf("%d looks, %v, want %d", looks, err, want)
					}
				}
				run(1)
				run(1)
				time.Sleep(tt.pause - time.Nanosecond)
				run(1)
				time.Sleep(time.Nanosecond)
				run(2)
				p.Due(core.LaneDue{Lane: core.AnyLane}) // time has moved
				synctest.Wait()
				time.Sleep(tt.look)
				if looks != 3 {
					t.Errorf("%d looks after time has moved, want 3", looks)
				}
			})
		})
	}
}
