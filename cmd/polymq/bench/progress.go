package bench

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
)

// A progress tells whoever waits what the run is doing: one line that changes each second on a
// terminal, a line every five seconds elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	every    time.Duration
}

func newProgress(out io.Writer) *progress {
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return &progress{out: out, terminal: true, every: time.Second}
	}
	return &progress{out: out, every: 5 * time.Second}
}

// during shows what line says until the returned function is called.
func (p *progress) during(line func() string) (stop func()) {
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(p.every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.show(line())
			case <-quit:
				if p.terminal {
					fmt.Fprint(p.out, "\r\x1b[K")
				}
				return
			}
		}
	}()
	return func() { close(quit); <-gone }
}

func (p *progress) show(line string) {
	if p.terminal {
		line = "\r\x1b[K" + line
	} else {
		line += "\n"
	}
	_, _ = io.WriteString(p.out, line)
}

// rates returns a line for a phase of l: what was done per second since the line before.
func (l *load) rates(name string) func() string {
	before, last := l.recorder.Load(), time.Now()
	var requests, messages uint64
	return func() string {
		r, now := l.recorder.Load(), time.Now()
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
