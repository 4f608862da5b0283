package bench

import (
	"fmt"
	"time"
)

// rates returns a line for a phase of l: what was done per second since the line before.
func (l *load) rates(name string) func() string {
	before, last := l.recorder.Load(), time.Now()
	var requests, messages uint64
	return func() string {
		r, now := l.recorder.Load(), time.Now()
		if r.late {
			return name + ": the last requests"
		}
		if r != before { // the warm-up is over
			before, last, requests, messages = r, r.start, 0, 0
		}
		seconds := now.Sub(last).Seconds()
		line := fmt.Sprintf("%s %.0f s: %s requests/s, %s messages/s, %s", name, now.Sub(r.start).Seconds(),
			count(float64(r.requests.Load()-requests)/seconds), count(float64(r.messages.Load()-messages)/seconds), plural(r.failures.Load(), "error"))
		last, requests, messages = now, r.requests.Load(), r.messages.Load()
		return line
	}
}
