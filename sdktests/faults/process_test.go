package faults

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg"
)

// patience is how long a test waits for what should happen soon. Only a test that fails waits so long.
const patience = time.Minute

// inTime bounds how long requests and a start anew may take that the server ends by itself within 5 s: the rest is for a machine
// that does much else. It is well below what clients, long polls and a database that is away would take.
const inTime = 15 * time.Second

// scratch is a folder for all tests, binary the program under test in it.
var scratch, binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "polymq-faults-"); err == nil {
		defer os.RemoveAll(scratch)
		err = os.Chmod(scratch, 0o711) // for PostgreSQL, which does not run as root
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(scratch, "polymq")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "github.com/polymq/polymq/cmd/polymq")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build polymq: %v\n%s", err, output)
		return 1
	}
	if err := flag.Set("test.parallel", "4"); err != nil { // they wait more than they work; the command line still wins
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// process is a running polymq.
type process struct {
	program string
	args    []string
	address string // host:port, the same after each start
	url     string
	cmd     *exec.Cmd
	exited  chan struct{} // closed at its end
}

// serve starts a polymq in test mode and waits until it is ready. It is killed after the test.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	return serveBy(t, binary, args...)
}

// serveBy is serve with another program.
func serveBy(t *testing.T, program string, args ...string) *process {
	t.Helper()
	address := freeAddress(t)
	s := &process{
		program: program,
		args:    append([]string{"serve", "--listen", address, "--test-mode", "--log-level", "error"}, args...),
		address: address,
		url:     "http://" + address,
	}
	s.start(t)
	t.Cleanup(func() { s.kill() })
	return s
}

// start starts the process, for the first time or again, and waits until it is ready.
func (s *process) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.CommandContext(context.Background(), s.program, s.args...)
	s.cmd.Stderr = t.Output()
	s.cmd.WaitDelay = time.Second
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start polymq: %v", err)
	}
	ready := make(chan bool, 1)
	s.exited = make(chan struct{})
	go func() {
		ready <- reads(stdout, "Ready.")
		_, _ = io.Copy(io.Discard, stdout)
		_ = s.cmd.Wait() // ProcessState tells how it ended
		close(s.exited)
	}()
	select {
	case ok := <-ready:
		if !ok {
			<-s.exited
			t.Fatalf("polymq %s: %v", strings.Join(s.args, " "), s.cmd.ProcessState)
		}
	case <-time.After(patience):
		s.kill()
		t.Fatalf("polymq %s: not ready after %v", strings.Join(s.args, " "), patience)
	}
}

// reads reports whether the text comes as a line, before the end.
func reads(from io.Reader, line string) bool {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		if lines.Text() == line {
			return true
		}
	}
	return false
}

// kill ends the process as kill -9 does.
func (s *process) kill() {
	_ = s.cmd.Process.Kill() // fails when it has ended, which is as good
	<-s.exited
}

// signal sends a signal.
func (s *process) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("signal polymq: %v", err)
	}
}

// exit waits for the end of the process and gives its exit code, -1 when a signal ended it.
func (s *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-s.exited:
	case <-time.After(patience):
		t.Fatalf("polymq still runs after %v", patience)
	}
	return s.cmd.ProcessState.ExitCode()
}

// mustRun fails the test when the process has ended.
func (s *process) mustRun(t *testing.T) {
	t.Helper()
	select {
	case <-s.exited:
		t.Fatalf("polymq ended by itself: %v", s.cmd.ProcessState)
	default:
	}
}

// resident gives the resident memory of the process in bytes.
func (s *process) resident(t *testing.T) int {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "ps", "-o", "rss=", "-p", strconv.Itoa(s.cmd.Process.Pid)).Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	return kib << 10
}

// givenAddresses are those that tests of this run have, so that no two get the same one.
var givenAddresses sync.Map

// freeAddress gives an address of this machine that stays free while a killed server is away: its port
// is below those that systems give to outgoing connections, such as a client's that tries in vain.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(10_000)))
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, given := givenAddresses.LoadOrStore(address, true); given {
			continue
		}
		return address
	}
	t.Fatal("no free port")
	return ""
}

// dataDir gives a data directory of a polymq that was used before, in a place that PostgreSQL can enter,
// which as root's process it could not do below the test's own. To copy one is much quicker than to
// initialize each anew.
func dataDir(t *testing.T) string {
	t.Helper()
	from, err := usedDataDir()
	if err != nil {
		t.Fatalf("prepare a data directory: %v", err)
	}
	dir, err := os.MkdirTemp(scratch, "data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), "cp", "-pR", filepath.Join(from, "pgdata"), dir).CombinedOutput(); err != nil {
		t.Fatalf("copy a data directory: %v: %s", err, output)
	}
	return dir
}

// usedDataDir makes the directory that the others are copies of.
var usedDataDir = sync.OnceValues(func() (string, error) {
	ctx, dir := context.Background(), filepath.Join(scratch, "used")
	database, err := server.OpenDatabase(ctx, server.Config{DataDir: dir, LogLevel: "error"})
	if err != nil {
		return "", err
	}
	_, err = pg.Migrate(ctx, database.Options)
	return dir, errors.Join(err, database.Close(ctx))
})

// removeAll removes a data directory, also while a PostgreSQL whose polymq was killed still leaves it.
func removeAll(t *testing.T, dir string) {
	t.Helper()
	eventually(t, "remove "+dir, func() error { return os.RemoveAll(dir) })
}

// eventually does what may fail at first, until it succeeds.
func eventually(t *testing.T, what string, do func() error) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond) // into another process, which does not say when to
	defer look.Stop()
	deadline := time.Now().Add(patience)
	for {
		err := do()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		<-look.C
	}
}

// drain takes what there is, until there is no more. It fails when nothing comes for a while and yet it does not end.
func drain(t *testing.T, what string, take func() (taken int, err error)) {
	t.Helper()
	for ended := false; !ended; {
		eventually(t, what, func() error {
			taken, err := take()
			ended = err == nil && taken == 0
			if taken > 0 { // that is progress, whatever else went wrong
				err = nil
			}
			return err
		})
	}
}
