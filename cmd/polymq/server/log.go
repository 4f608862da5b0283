package server

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// newLogger makes the logger that the settings ask for: for people on a terminal, JSON elsewhere.
func newLogger(config Config) zerolog.Logger {
	out := config.LogOutput
	if config.LogFormat == "console" || config.LogFormat == "auto" && isTerminal(out) {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly + ".000", NoColor: !isTerminal(config.LogOutput)}
	}
	level, err := zerolog.ParseLevel(config.LogLevel)
	if err != nil {
		level = zerolog.InfoLevel // Check has said so
	}
	return zerolog.New(out).Level(level).Hook(stamp{})
}

// stamp gives a line its time, to the millisecond: zerolog's own is of whole seconds, unless all of the program is told otherwise.
type stamp struct{}

// Run is of zerolog.Hook.
func (stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().Format("2006-01-02T15:04:05.000Z07:00"))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

// httpLog takes what net/http has to say, which is mostly about clients that speak no HTTP.
type httpLog struct{ log zerolog.Logger }

func (l httpLog) Write(line []byte) (int, error) {
	l.log.Debug().Str("reason", strings.TrimSpace(string(line))).Msg("connection failed")
	return len(line), nil
}
