package workers

import (
	"context"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
)

// Chore is something to do again and again. Run may be ended at any moment through ctx and must
// be safe to run on several servers at once.
type Chore interface {
	Run(ctx context.Context) error
}

// Interval is a cron.Schedule that asks anew before each run how long to wait, and knows
// fractions of a second.
type Interval func() time.Duration

// Every gives an Interval that is always the same.
func Every(d time.Duration) Interval { return func() time.Duration { return d } }

// Next gives the time of the run after t.
func (i Interval) Next(t time.Time) time.Time { return t.Add(i()) }

// Runner runs chores by their schedules, each with a timeout and never twice at the same time.
type Runner struct {
	cron  *cron.Cron
	log   zerolog.Logger
	ctx   context.Context // of all runs; Stop ends it
	abort context.CancelFunc
}

// NewRunner makes a Runner without chores.
func NewRunner(log zerolog.Logger) *Runner {
	logger := cronLogger{log}
	// In this order: the other way round, a panic would leave the chore marked as running for ever.
	chain := cron.WithChain(cron.SkipIfStillRunning(logger), cron.Recover(logger))
	ctx, abort := context.WithCancel(context.Background())
	return &Runner{
		cron:  cron.New(cron.WithLogger(logger), chain),
		log:   log,
		ctx:   ctx,
		abort: abort,
	}
}

// Add adds a chore, to be called before Start. A run that takes longer than timeout is ended.
func (r *Runner) Add(name string, schedule cron.Schedule, timeout time.Duration, chore Chore) {
	r.cron.Schedule(schedule, &job{
		chore: chore, timeout: timeout, ctx: r.ctx,
		log: r.log.With().Str("worker", name).Logger(),
	})
}

// Start begins to run the chores.
func (r *Runner) Start() { r.cron.Start() }

// Stop starts no more runs, ends those under way and waits for them until ctx ends.
func (r *Runner) Stop(ctx context.Context) error {
	idle := r.cron.Stop()
	r.abort()
	select {
	case <-idle.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for background work to end: %w", ctx.Err())
	}
}

// job is a chore as cron sees it.
type job struct {
	chore   Chore
	timeout time.Duration
	ctx     context.Context
	log     zerolog.Logger
	failing bool // the run before failed; runs never overlap
}

// Run runs the chore once and logs when it begins to fail, and when it works again.
func (j *job) Run() {
	ctx, cancel := context.WithTimeout(j.ctx, j.timeout)
	defer cancel()
	start := time.Now()
	err := j.chore.Run(ctx)
	switch {
	case j.ctx.Err() != nil: // ended by Stop
	case err != nil && !j.failing:
		j.log.Warn().Err(err).Dur("took", time.Since(start)).Msg("background work fails")
	case err != nil:
		j.log.Debug().Err(err).Msg("background work still fails")
	case j.failing:
		j.log.Info().Msg("background work succeeds again")
	}
	j.failing = err != nil
}

// cronLogger passes on what cron has to say. Its Info tells of every wake-up, which nobody reads.
type cronLogger struct{ log zerolog.Logger }

func (cronLogger) Info(string, ...any) {}

func (l cronLogger) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error().Err(err).Fields(keysAndValues).Msg("background work: " + msg)
}
