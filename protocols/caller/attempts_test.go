package caller

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a Attempts
		here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		guess := func(from netip.Addr, key string) bool {
			if !a.Allow(from, key) {
				return false
			}
			a.Failed(from, key)
			return true
		}
		for i := range attemptsAtOnce {
			if !guess(here, "root") {
				t.Fatalf("guess %d is refused", i)
			}
		}
		if guess(here, "root") {
			t.Error("one guess too many")
		}
		if !a.Allow(there, "root") || !a.Allow(here, "other") {
			t.Error("another address, or another key, is refused for it")
		}
		time.Sleep(1500 * time.Millisecond) // of the bubble's clock
		if !guess(here, "root") || guess(here, "root") {
			t.Error("a second later it is not one guess more")
		}
		for i := range attemptsAtOnce * togetherFaster {
			guess(netip.MustParseAddr("198.51.100."+strconv.Itoa(i%200)), "root")
		}
		if guess(there, "root") {
			t.Error("many addresses together guess without end")
		}
		v6 := func(i int) netip.Addr { return netip.MustParseAddr("2001:db8::" + strconv.FormatInt(int64(i), 16)) }
		guessed := 0
		for i := range 2 * attemptsAtOnce {
			if guess(v6(i), "ann") {
				guessed++
			}
		}
		if guessed != attemptsAtOnce {
			t.Errorf("%d guesses from one network", guessed)
		}
		for i := range 2 * maxAttempted {
			a.Failed(here, strings.Repeat("k", i%500)+strconv.Itoa(i))
		}
		if len(a.left) > maxAttempted {
			t.Errorf("%d are remembered", len(a.left))
		}
		if !a.Allow(netip.Addr{}, "nobody") { // of a Unix socket
			t.Error("without an address nothing is allowed")
		}
	})
}
