package caller

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// Attempts slow down who guesses the secret of an access key: each address that guesses wrongly, and all of them
// together by more, so that who guesses keeps nobody else from the key. The zero Attempts is ready.
type Attempts struct {
	mu   sync.Mutex
	left map[attempted]*attempts
}

// attempted is the secret that is guessed, and from where; no address stands for all.
type attempted struct {
	key     string
	network netip.Prefix
}

// attempts is how many guesses are left, below zero for those that were made at the same moment.
type attempts struct {
	left   float64
	filled time.Time
}

// Bounds of attempts: the pace of one address, how much faster all are, and what is remembered; when that is full it
// starts anew.
const (
	attemptsPerSecond = 1
	attemptsAtOnce    = 15
	togetherFaster    = 10
	maxAttempted      = 10_000
	networkOfIPv6     = 64 // bits that one household or server has to itself
)

// Allow says whether the secret of a key may be guessed.
func (a *Attempts) Allow(from netip.Addr, key string) bool {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, of := range [...]attempted{alone(from, key), together(key)} {
		if found := a.left[of]; found != nil && found.fill(of, now) < 1 {
			return false
		}
	}
	return true
}

// Failed notes a wrong guess.
func (a *Attempts) Failed(from netip.Addr, key string) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, of := range [...]attempted{alone(from, key), together(key)} {
		found := a.left[of]
		if found == nil {
			if a.left == nil || len(a.left) >= maxAttempted {
				a.left = map[attempted]*attempts{}
			}
			found = &attempts{left: attemptsAtOnce * of.faster(), filled: now}
			a.left[of] = found
		}
		found.fill(of, now)
		found.left--
	}
}

func alone(from netip.Addr, key string) attempted {
	bits := from.BitLen()
	if from.Is6() {
		bits = networkOfIPv6
	}
	network, _ := from.Prefix(bits) // of no address, none
	of := together(key)
	of.network = network
	return of
}

func together(key string) attempted {
	if len(key) > core.MaxKeyIDLength {
		key = "" // no key has it
	}
	return attempted{key: strings.Clone(key)} // and not the request that it stands in
}

func (of attempted) faster() float64 {
	if of.network.IsValid() {
		return 1
	}
	return togetherFaster
}

// fill gives how many guesses are left by now.
func (a *attempts) fill(of attempted, now time.Time) float64 {
	a.left = min(a.left+now.Sub(a.filled).Seconds()*attemptsPerSecond*of.faster(), attemptsAtOnce*of.faster())
	a.filled = now
	return a.left
}
