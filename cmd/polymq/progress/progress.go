package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
)

// A Line is what a command is doing: one line that changes each second on a terminal, a new one every
// five seconds elsewhere.
type Line struct {
	out      io.Writer
	terminal bool
	every    time.Duration
}

// New makes a Line for an output, as the output is a terminal or not.
func New(out io.Writer) *Line {
	if IsTerminal(out) {
		return OnTerminal(out)
	}
	return &Line{out: out, every: 5 * time.Second}
}

// OnTerminal makes a Line for an output that is a terminal.
func OnTerminal(out io.Writer) *Line { return &Line{out: out, terminal: true, every: time.Second} }

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// During shows what line says until the returned function is called.
func (p *Line) During(line func() string) (stop func()) {
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

func (p *Line) show(line string) {
	if p.terminal {
		line = "\r\x1b[K" + line
	} else {
		line += "\n"
	}
	_, _ = io.WriteString(p.out, line)
}
