package client

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "4d": 4 * day, "0.5d": 12 * time.Hour, "1d12h": 36 * time.Hour, "0": 0, "-1d": -day, "90d": 90 * day, "2160h": 90 * day,
	} {
		if got, err := ParseSpan(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "90", "4 d", "4days", "1d-2h", "-1d2h", "1h4d", "nand", "infd", "1e9d", "1d2"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%s: read as %v", text, got)
		}
	}
}
