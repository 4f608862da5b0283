package workers

import (
	"container/heap"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

// Bounds of a server's deliveries.
const (
	maxPushes      = 4096 // attempts at the same time
	maxUnproven    = 2048 // of them, to endpoints that have not just worked: those that hang leave room for the others
	maxSettled     = 256  // outcomes written down at once
	maxLanes       = 200_000
	lanesWithin    = 5 * time.Second // how far ahead Run looks
	maxLookPause   = 4 * time.Second // between two looks
	lookShare      = 50              // a look is followed by a pause of so many times its length
	storeTimeout   = 10 * time.Second
	settlePause    = 500 * time.Millisecond // before what could not be written down is tried again
	settleAttempts = 60
	errorPause     = time.Second // after a claim that failed
	maxClaimWait   = time.Hour
)

// Deliveries are what Push works with: core.Broker's, with Attempt bound to a client.
type Deliveries struct {
	DueLanes func(ctx context.Context, within time.Duration) ([]core.LaneDue, error)
	Claim    func(ctx context.Context, lanes []core.LaneClaim) ([]*core.Delivery, error)
	Attempt  func(ctx context.Context, d *core.Delivery) (core.Outcome, error)
	FailWith func(ctx context.Context, d *core.Delivery, failed core.PushAnswer) (core.Outcome, error)
	Settle   func(ctx context.Context, outcomes []core.Outcome) error
	FanOut   func(ctx context.Context) (bool, error)
}

// Push delivers what has been published, on every server at once. Lanes, which stand for endpoints, are
// asked for what is due when word of it comes (Due), or when their time has come, and never for more than
// their endpoint is able to take, so that one that hangs or fails does not hold up the others. Run is
// the net under it: it looks at all lanes.
type Push struct {
	deliveries Deliveries
	log        zerolog.Logger

	mu       sync.Mutex
	lanes    map[int64]*pushLane
	line     laneLine
	inFlight int
	unproven int // of them
	fanning  bool
	fanAgain bool // word of more came meanwhile
	looking  bool // look is asked for
	nextLook time.Time

	wake     chan struct{} // something may be claimed
	outcomes chan core.Outcome
	gaveUp   bool // of settle alone: Close has waited long enough, and the database is away

	ctx     context.Context // ends when Close begins: nothing more is claimed
	stop    context.CancelFunc
	pushes  context.Context // of attempts; ends when Close has waited long enough
	abort   context.CancelFunc
	running sync.WaitGroup // attempts, and what leads to them
	settled sync.WaitGroup
}

// NewPush makes a Push and starts it.
func NewPush(deliveries Deliveries, log zerolog.Logger) *Push {
	p := &Push{
		deliveries: deliveries, log: log, lanes: map[int64]*pushLane{},
		wake: make(chan struct{}, 1), outcomes: make(chan core.Outcome, maxSettled),
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.pushes, p.abort = context.WithCancel(context.Background())
	p.running.Go(p.drive)
	p.settled.Go(p.settle)
	return p
}

// Close claims nothing more, and waits for the attempts under way until ctx ends. What is cut short is
// attempted again when its claim has run out.
func (p *Push) Close(ctx context.Context) {
	p.stop()
	defer p.abort()
	defer context.AfterFunc(ctx, p.abort)()
	p.running.Wait()
	close(p.outcomes)
	p.settled.Wait()
}

// Run looks at all lanes once, unless that would take more than its share of the database's time: where there are very many, it
// looks less often, for what is due soon is mostly known already.
func (p *Push) Run(ctx context.Context) error {
	p.mu.Lock()
	early := time.Now().Before(p.nextLook)
	p.mu.Unlock()
	if early {
		return nil
	}
	return p.look(ctx)
}

// look looks at all lanes.
func (p *Push) look(ctx context.Context) error {
	began := time.Now()
	lanes, err := p.deliveries.DueLanes(ctx, lanesWithin)
	for _, due := range lanes {
		p.Due(due)
	}
	p.forgetIdle()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nextLook = time.Now().Add(min(lookShare*time.Since(began), maxLookPause))
	return err
}

// Due hears of deliveries that are due, or will be. It does not wait. core.AnyLane says that time
// has moved, or that something was missed: all lanes are looked at, and no pause counts any more.
func (p *Push) Due(due core.LaneDue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch due.Lane {
	case core.AnyLane:
		p.lookAgain()
	case core.FanOutLane:
		p.fan()
	default:
		lane := p.lane(due.Lane)
		lane.hear(time.Now().Add(due.In))
		p.plan(lane)
	}
}

// lookAgain has all lanes looked at. The caller holds p.mu.
func (p *Push) lookAgain() {
	for _, lane := range p.lanes {
		lane.pause = time.Time{}
	}
	if p.looking || p.ctx.Err() != nil {
		return
	}
	p.looking = true
	p.running.Go(func() {
		p.mu.Lock()
		p.looking = false // what comes from now on may be missed by this look
		p.mu.Unlock()
		ctx, cancel := context.WithTimeout(p.ctx, storeTimeout)
		defer cancel()
		_ = p.look(ctx) // the next one reports errors
	})
}

// lane gives a lane, a new one where it is not known. The caller holds p.mu.
func (p *Push) lane(id int64) *pushLane {
	lane := p.lanes[id]
	if lane == nil {
		lane = newPushLane(id)
		p.lanes[id] = lane
	}
	return lane
}

// forgetIdle forgets the lanes of which there is nothing to know.
func (p *Push) forgetIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, lane := range p.lanes {
		if lane.idle() || len(p.lanes) > maxLanes && lane.inFlight == 0 && lane.due.IsZero() {
			delete(p.lanes, id)
		}
	}
}

// plan puts a lane into the line by when it may be asked. The caller holds p.mu.
func (p *Push) plan(lane *pushLane) {
	at, waits := lane.at(time.Now())
	switch {
	case waits && lane.place >= 0:
		p.line.times[lane.place] = at
		heap.Fix(&p.line, lane.place)
	case waits:
		heap.Push(&p.line, waitingLane{lane, at})
	case lane.place >= 0:
		heap.Remove(&p.line, lane.place)
	}
	if lane.place == 0 {
		p.awake()
	}
}

// awake has the driver look.
func (p *Push) awake() {
	select {
	case p.wake <- struct{}{}:
	default: // it is going to
	}
}

// drive claims and attempts what is due, until Close.
func (p *Push) drive() {
	timer := time.NewTimer(maxClaimWait)
	defer timer.Stop()
	for {
		claims, wait := p.take()
		if len(claims) > 0 {
			p.claim(claims)
			continue
		}
		timer.Reset(wait)
		select {
		case <-p.wake:
		case <-timer.C:
		case <-p.ctx.Done():
			return
		}
	}
}

// take gives what may be claimed now, and how long until there is more.
func (p *Push) take() (claims []core.LaneClaim, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil, maxClaimWait
	}
	now := time.Now()
	free, unproven := maxPushes-p.inFlight, maxUnproven-p.unproven
	var later []*pushLane // for which there is no room
	for p.line.Len() > 0 && len(claims) < core.MaxClaimLanes && free > 0 {
		if wait := p.line.times[0].Sub(now); wait > 0 {
			break
		}
		lane := heap.Pop(&p.line).(*pushLane)
		if lane.missed != nil {
			lane.due = time.Time{}
			claims = append(claims, core.LaneClaim{Lane: lane.id, Limit: core.MaxClaim})
			continue
		}
		room := min(lane.room(now), free)
		if !lane.proven {
			room = min(room, unproven)
			unproven -= max(room, 0)
		}
		if room <= 0 {
			later = append(later, lane)
			continue
		}
		free -= room
		lane.due = time.Time{} // what is heard of from now on may be missed by this claim
		claims = append(claims, core.LaneClaim{Lane: lane.id, Limit: room})
	}
	for _, lane := range later {
		heap.Push(&p.line, waitingLane{lane, now.Add(errorPause)}) // or when an attempt ends
	}
	wait = maxClaimWait
	if p.line.Len() > 0 {
		wait = max(time.Until(p.line.times[0]), 0)
	}
	if free <= 0 {
		wait = errorPause
	}
	return claims, wait
}

// claim claims deliveries and begins to attempt them. A claim that is under way when Close begins is not cut short: nobody would
// attempt what it has claimed until it runs out.
func (p *Push) claim(claims []core.LaneClaim) {
	ctx, cancel := context.WithTimeout(p.pushes, storeTimeout)
	defer cancel()
	deliveries, err := p.deliveries.Claim(ctx, claims)
	if err != nil && p.ctx.Err() == nil {
		p.log.Debug().Err(err).Msg("could not claim deliveries") // Run fails as well, and says so
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	got := map[int64]int{}
	missed := map[*pushLane][]*core.Delivery{}
	for _, d := range deliveries {
		got[d.Lane]++
		lane := p.lane(d.Lane)
		d.Failing = lane.failingFor(now)
		if lane.missed != nil {
			missed[lane] = append(missed[lane], d)
			continue
		}
		lane.began(now, d.Rate)
		p.count(lane, 1)
		proven := lane.proven
		p.running.Go(func() { p.attempt(lane, d, proven) })
	}
	for _, c := range claims {
		lane := p.lane(c.Lane)
		switch {
		case err != nil:
			lane.hear(now.Add(errorPause))
		case got[c.Lane] >= c.Limit: // there may be more
			lane.hear(now)
		}
		failed := lane.missed
		lane.missed = nil
		if deliveries := missed[lane]; len(deliveries) > 0 {
			p.running.Go(func() { p.fail(lane, deliveries, *failed) })
		}
		p.plan(lane)
	}
}

// fail passes the failure of an attempt on to deliveries that were due, and then to more of them, until it is time for another attempt.
func (p *Push) fail(lane *pushLane, deliveries []*core.Delivery, failed core.PushAnswer) {
	for _, d := range deliveries {
		outcome, err := try(func() (core.Outcome, error) { return p.deliveries.FailWith(p.pushes, d, failed) })
		if err == nil {
			p.outcomes <- outcome
		} else if p.pushes.Err() == nil {
			p.warn(err, d)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); lane.isDue(now) && now.Before(lane.pause) {
		lane.missed = &failed
	}
	p.plan(lane)
}

// warn says that a delivery that was claimed is left alone.
func (p *Push) warn(err error, d *core.Delivery) {
	p.log.Warn().Err(err).Str("topic", d.Topic.Name.String()).Msg("a delivery could not be attempted; it is when its claim has run out")
}

// count counts attempts that begin, or end where n is -1. The caller holds p.mu.
func (p *Push) count(lane *pushLane, n int) {
	p.inFlight += n
	if !lane.proven {
		p.unproven += n
	}
}

// attempt makes one attempt and passes its outcome on.
func (p *Push) attempt(lane *pushLane, d *core.Delivery, proven bool) {
	outcome, err := try(func() (core.Outcome, error) { return p.deliveries.Attempt(p.pushes, d) })
	aborted := p.pushes.Err() != nil
	if err == nil && !aborted {
		p.outcomes <- outcome
	}
	if err != nil && !aborted {
		p.warn(err, d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	if !proven {
		p.unproven--
	}
	lane.ended(time.Now(), outcome, err)
	p.plan(lane)
	p.awake()
}

// try makes an attempt whose panic is an error: the message that caused it must not end the server again and again.
func try(attempt func() (core.Outcome, error)) (outcome core.Outcome, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("attempt of delivery panicked: %v\n%s", reason, debug.Stack())
		}
	}()
	return attempt()
}

// settle writes down outcomes, many at once, until there are no more.
func (p *Push) settle() {
	for first := range p.outcomes {
		outcomes := []core.Outcome{first}
		for more := true; more && len(outcomes) < maxSettled; {
			select {
			case o, ok := <-p.outcomes:
				if more = ok; ok {
					outcomes = append(outcomes, o)
				}
			default:
				more = false
			}
		}
		p.writeDown(outcomes)
	}
}

// writeDown settles outcomes, again while the database is away. What cannot be settled with the others is
// settled by itself.
func (p *Push) writeDown(outcomes []core.Outcome) {
	for tried := 0; tried < settleAttempts && !p.gaveUp; tried++ {
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		err := p.deliveries.Settle(ctx, outcomes)
		cancel()
		switch {
		case err == nil:
			return
		case core.CodeOf(err) != core.Unavailable && len(outcomes) > 1:
			for _, o := range outcomes {
				p.writeDown([]core.Outcome{o})
			}
			return
		case core.CodeOf(err) != core.Unavailable || p.pushes.Err() != nil:
			p.gaveUp = core.CodeOf(err) == core.Unavailable
			p.log.Warn().Err(err).Int("deliveries", len(outcomes)).Msg("what became of deliveries is lost; they are attempted again")
			return
		}
		select {
		case <-time.After(settlePause):
		case <-p.pushes.Done():
		}
	}
	p.log.Warn().Int("deliveries", len(outcomes)).Msg("the database was away too long to note what became of deliveries; they are attempted again")
}

// fan fans out what has been published to very many and replays archives, until there is no more to do. The caller holds p.mu.
func (p *Push) fan() {
	if p.ctx.Err() != nil {
		return
	}
	if p.fanning {
		p.fanAgain = true
		return
	}
	p.fanning = true
	p.running.Go(func() {
		for p.fanOutAll() {
		}
	})
}

// fanOutAll fans out all there is, and says whether word of more has come meanwhile.
func (p *Push) fanOutAll() bool {
	for found := true; found && p.ctx.Err() == nil; {
		ctx, cancel := context.WithTimeout(p.ctx, storeTimeout)
		var err error
		if found, err = p.deliveries.FanOut(ctx); err != nil && p.ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("could not fan out a message; trying again later") // Run comes back to it
		}
		cancel()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.fanAgain
	p.fanAgain = false
	p.fanning = again
	return again
}
