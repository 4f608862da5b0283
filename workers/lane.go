package workers

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/polymq/polymq/core"
)

// Bounds of one endpoint's deliveries. An endpoint that works is sent more and more at the same time, one
// that fails less and less; one that has not answered lately is sent one, and more when it answers, so that those that begin to hang
// are found out by an attempt each and leave room for the others. After breakAfter failures in a row there is a pause before the next
// attempt, which grows to maxPause, or to maxAnsweredPause where there is somebody who answers: that may be for the sake of the messages. Where
// nobody does, an attempt is one of all that is due.
const (
	firstConcurrency = 4
	maxConcurrency   = 32
	lately           = time.Second
	breakAfter       = 8
	minPause         = 100 * time.Millisecond
	maxPause         = time.Minute
	maxAnsweredPause = time.Second
)

// pushLane is what a server knows of one endpoint.
type pushLane struct {
	id       int64
	due      time.Time // of its first delivery, as far as is known; zero: there is none
	pause    time.Time // nothing is attempted before
	limit    int       // attempts at the same time
	inFlight int
	failures int              // in a row
	failing  time.Time        // when the first of them was
	missed   *core.PushAnswer // of an attempt that failed just now, while it is passed on to all else that is due
	proven   bool
	answered time.Time     // when an attempt last went well
	rate     *rate.Limiter // nil: no limit

	place int // in the line of lanes that wait for their time; -1: it is not there
}

func newPushLane(id int64) *pushLane { return &pushLane{id: id, limit: firstConcurrency, place: -1} }

// hear notes that a delivery is due at the given time.
func (l *pushLane) hear(due time.Time) {
	if l.due.IsZero() || due.Before(l.due) {
		l.due = due
	}
}

// most gives how many attempts may be under way.
func (l *pushLane) most(now time.Time) int {
	if now.Sub(l.answered) > lately {
		return 1
	}
	return l.limit
}

// isDue reports whether there is something to ask for.
func (l *pushLane) isDue(now time.Time) bool { return !l.due.IsZero() && !l.due.After(now) }

// at gives when the lane may be asked for its next deliveries; false when there is nothing to ask for.
func (l *pushLane) at(now time.Time) (time.Time, bool) {
	if l.missed != nil && l.isDue(now) {
		return l.due, true
	}
	if l.due.IsZero() || l.inFlight >= l.most(now) {
		return time.Time{}, false
	}
	at := l.due
	if l.pause.After(at) {
		at = l.pause
	}
	if l.rate != nil {
		if missing := 1 - l.rate.TokensAt(now); missing > 0 {
			token := now.Add(time.Duration(missing / float64(l.rate.Limit()) * float64(time.Second)))
			if token.After(at) {
				at = token
			}
		}
	}
	return at, true
}

// room gives how many attempts may begin now.
func (l *pushLane) room(now time.Time) int {
	n := min(l.most(now)-l.inFlight, core.MaxClaim)
	if l.rate != nil {
		n = min(n, int(math.Floor(l.rate.TokensAt(now))))
	}
	return max(n, 0)
}

// began notes that attempts of a subscription with the given rate have begun.
func (l *pushLane) began(now time.Time, perSecond int) {
	l.inFlight++
	switch {
	case perSecond == 0:
		l.rate = nil
	case l.rate == nil || l.rate.Limit() != rate.Limit(perSecond):
		l.rate = rate.NewLimiter(rate.Limit(perSecond), max(1, perSecond/burstsPerSecond))
	}
	if l.rate != nil {
		l.rate.AllowN(now, 1)
	}
}

// burstsPerSecond is into how many parts the rate of a second is divided.
const burstsPerSecond = 20

// ended notes how an attempt went. An endpoint that refuses a message works: only failures that are
// tried again count against it.
func (l *pushLane) ended(now time.Time, o core.Outcome, err error) {
	l.inFlight--
	l.missed = nil
	if err == nil && !o.Failed {
		l.failures, l.pause, l.proven, l.answered = 0, time.Time{}, true, now
		l.limit = min(2*l.limit, maxConcurrency)
		return
	}
	if l.failures == 0 {
		l.failing = now
	}
	l.failures++
	l.proven = false
	l.limit = max(1, l.limit/2)
	if l.failures >= breakAfter {
		l.limit = 1
		pause := maxPause
		switch {
		case o.OutOfReach:
			if l.isDue(now) {
				l.missed = &o.Answer
			}
		case o.Answer.Status != 0:
			pause = maxAnsweredPause
		}
		if doublings := l.failures - breakAfter; doublings < 10 {
			pause = min(minPause<<doublings, pause)
		}
		l.pause = now.Add(pause)
	}
}

// failingFor gives for how long the endpoint has failed.
func (l *pushLane) failingFor(now time.Time) time.Duration {
	if l.failures == 0 {
		return 0
	}
	return now.Sub(l.failing)
}

// idle reports whether nothing is known of the lane that would not be known of a new one.
func (l *pushLane) idle() bool {
	return l.due.IsZero() && l.inFlight == 0 && l.failures == 0 && l.rate == nil
}

// laneLine holds lanes in the order in which their time comes (container/heap).
type laneLine struct {
	lanes []*pushLane
	times []time.Time
}

func (h *laneLine) Len() int           { return len(h.lanes) }
func (h *laneLine) Less(i, j int) bool { return h.times[i].Before(h.times[j]) }

func (h *laneLine) Swap(i, j int) {
	h.lanes[i], h.lanes[j] = h.lanes[j], h.lanes[i]
	h.times[i], h.times[j] = h.times[j], h.times[i]
	h.lanes[i].place, h.lanes[j].place = i, j
}

// Push takes a waitingLane.
func (h *laneLine) Push(x any) {
	w := x.(waitingLane)
	w.lane.place = len(h.lanes)
	h.lanes, h.times = append(h.lanes, w.lane), append(h.times, w.at)
}

// Pop gives a *pushLane.
func (h *laneLine) Pop() any {
	last := len(h.lanes) - 1
	lane := h.lanes[last]
	lane.place = -1
	h.lanes[last] = nil
	h.lanes, h.times = h.lanes[:last], h.times[:last]
	return lane
}

type waitingLane struct {
	lane *pushLane
	at   time.Time
}
