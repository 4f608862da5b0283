package core

import (
	"math"
	"math/rand/v2"
	"time"
)

// RetryPolicy is the schedule of a delivery's retries, phase by phase. When it is at its end, the
// delivery has failed.
type RetryPolicy []RetryPhase

// RetryPhase is a number of retries whose delays go from Min to Max.
type RetryPhase struct {
	Retries int           `json:"retries"`
	Min     time.Duration `json:"min"` // before the first of them
	Max     time.Duration `json:"max"` // before the last of them
	Backoff Backoff       `json:"backoff,omitempty"`
}

// Backoff says how the delays of a phase grow.
type Backoff string

// The ways to grow from Min to Max (specs/sns.md 7.5, specs/mns.md 5.2). Of n retries, the delay of
// the i-th is, with t = (i-1)/(n-1):
const (
	Linear      Backoff = ""            // Min + (Max-Min)·t
	Arithmetic  Backoff = "arithmetic"  // steps that grow: Min + (Max-Min)·i(i-1)/(n(n-1))
	Geometric   Backoff = "geometric"   // Min·(Max/Min)^t
	Exponential Backoff = "exponential" // doubles from Min until it is Max
	Random      Backoff = "random"      // anything between Min and Max
)

// Bounds of a RetryPolicy.
const (
	MaxRetryPhases = 8
	MaxRetries     = 200_000 // of one phase
	MaxRetryDelay  = 24 * time.Hour
)

// Delay gives how long to wait before the retry, of which the first is 1; false when there is none.
func (p RetryPolicy) Delay(retry int) (time.Duration, bool) {
	for _, phase := range p {
		if retry <= phase.Retries {
			return phase.delay(retry), true
		}
		retry -= phase.Retries
	}
	return 0, false
}

func (p RetryPhase) delay(i int) time.Duration {
	low, span := float64(p.Min), float64(p.Max-p.Min)
	t := 0.0
	if p.Retries > 1 {
		t = float64(i-1) / float64(p.Retries-1)
	}
	switch p.Backoff {
	case Arithmetic:
		return p.Min + time.Duration(span*t*float64(i)/float64(p.Retries))
	case Geometric:
		low = max(low, 1)
		return time.Duration(math.Round(low * math.Pow(max(float64(p.Max), low)/low, t)))
	case Exponential:
		return time.Duration(min(low*math.Pow(2, float64(i-1)), float64(p.Max)))
	case Random:
		return p.Min + rand.N(p.Max-p.Min+1)
	}
	return p.Min + time.Duration(span*t)
}

// over reports whether all retries would have been made by now, each in its time and as long as this attempt: the first one began so
// long ago.
func (p RetryPolicy) over(passed, took time.Duration) bool {
	left := float64(passed)
	for _, phase := range p {
		if phase.Min == phase.Max || phase.Backoff == Random {
			left -= float64(phase.Retries) * float64(phase.Max+took)
			continue
		}
		for i := 1; i <= phase.Retries && left >= 0; i++ {
			left -= float64(phase.delay(i) + took)
		}
	}
	return left >= 0
}

func (p RetryPolicy) check() error {
	if len(p) > MaxRetryPhases {
		return Errorf(InvalidArgument, "a retry policy has at most %d phases, this one has %d", MaxRetryPhases, len(p))
	}
	for _, phase := range p {
		switch {
		case phase.Retries < 0 || phase.Retries > MaxRetries:
			return Errorf(InvalidArgument, "a phase has 0 to %d retries, this one has %d", MaxRetries, phase.Retries)
		case phase.Min < 0 || phase.Max < phase.Min || phase.Max > MaxRetryDelay:
			return Errorf(InvalidArgument, "the delays of retries go up from at least 0 to at most %v, these go from %v to %v", MaxRetryDelay, phase.Min, phase.Max)
		}
		switch phase.Backoff {
		case Linear, Arithmetic, Geometric, Exponential, Random:
		default:
			return Errorf(InvalidArgument, "delays grow arithmetic, geometric, exponential, random or, with an empty word, linear, not %q", phase.Backoff)
		}
	}
	return nil
}
