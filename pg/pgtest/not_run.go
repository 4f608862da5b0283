package pgtest

import (
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
)

// told are the lines that NotRun has written.
var told sync.Map

// NotRun says that a part of the tests cannot run on this machine, and why, where who runs go test reads it. It is a failure if
// POLYMQ_REQUIRE_SDKS wants all of them.
func NotRun(t testing.TB, part, why string) {
	t.Helper()
	line := fmt.Sprintf("NOT RUN: %s (%s)", part, why)
	if _, before := told.LoadOrStore(line, true); !before {
		out, done := pastGoTest()
		defer done()
		fmt.Fprintln(out, line)
	}
	t.Log(line)
	if os.Getenv("POLYMQ_REQUIRE_SDKS") == "all" {
		t.Errorf("POLYMQ_REQUIRE_SDKS=all, but %s cannot run: %s", part, why)
	}
}

// pastGoTest gives where people read what go test keeps to itself, as it keeps whatever a package prints that passes: the standard error
// of the go command that runs this one, or the terminal.
func pastGoTest() (out io.Writer, done func()) {
	for _, path := range []string{fmt.Sprintf("/proc/%d/fd/2", os.Getppid()), "/dev/tty"} {
		if file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
			return file, func() { _ = file.Close() }
		}
	}
	return os.Stderr, func() {}
}
