package client

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxDays is more than anything is kept for, and what a time.Duration holds.
const maxDays = 100_000

// ParseSpan reads a length of time, which may begin with days: 90s, 1h30m, 4d, 1d12h.
func ParseSpan(text string) (time.Duration, error) {
	fault := fmt.Errorf("%q is no duration, such as 90s, 1h30m or 4d", text)
	days, rest, inDays := strings.Cut(text, "d")
	if !inDays {
		days, rest = "0", text
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || !(n >= -maxDays && n <= maxDays) { // nor what is no number
		return 0, fault
	}
	span := time.Duration(n * float64(24*time.Hour))
	if inDays && rest == "" {
		return span, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || inDays && (n < 0 || more < 0) {
		return 0, fault
	}
	return span + more, nil
}
