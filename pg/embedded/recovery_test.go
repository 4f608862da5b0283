package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain lets the test program play another polymq, which a test can kill.
func TestMain(m *testing.M) {
	if role := os.Getenv("EMBEDDED_TEST_ROLE"); role != "" {
		if err := play(role, os.Getenv("EMBEDDED_TEST_DIR")); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "polymq-embedded-"); err == nil {
		err = errors.Join(os.Chmod(scratch, 0o777|os.ModeSticky), os.Setenv("TMPDIR", scratch)) // where everything else goes, too
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(scratch)
	return m.Run()
}

// play starts what the role says, prints its URL and keeps it until standard input ends.
func play(role, dir string) error {
	var url string
	var end func()
	var err error
	switch role {
	case "server":
		var s *Server
		if s, err = Start(context.Background(), Options{DataDir: dir}); err == nil {
			url, end = s.URL(), func() { s.Stop(context.Background()) }
		}
	case "user":
		url, end, err = shared{folder: dir, idle: time.Second}.use(context.Background())
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		return err
	}
	fmt.Println(url)
	io.Copy(io.Discard, os.Stdin)
	end()
	return nil
}

// A player is a process of this test program in another role.
type player struct {
	cmd   *exec.Cmd
	input io.Closer
	url   string
}

// join starts a player and waits for its URL.
func join(t *testing.T, cmd *exec.Cmd, role, dir string) *player {
	t.Helper()
	cmd.Env = slices.Concat(os.Environ(), cmd.Env, []string{"EMBEDDED_TEST_ROLE=" + role, "EMBEDDED_TEST_DIR=" + dir})
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &player{cmd: cmd, input: input}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(output).ReadString('\n')
	if p.url = strings.TrimSpace(line); err != nil || !strings.HasPrefix(p.url, "postgres://") {
		t.Fatalf("%s: got %q, %v, want a URL", role, line, err)
	}
	return p
}

func (p *player) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *player) leave() error {
	p.input.Close()
	return p.cmd.Wait()
}

func TestKilledPolymq(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	first := join(t, exec.Command(os.Args[0]), "server", dir)
	execute(t, first.url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)")
	if _, err := Start(t.Context(), Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", first.cmd.Process.Pid)) {
		t.Errorf("got error %v, want one that names pid %d", err, first.cmd.Process.Pid)
	}
	first.kill()
	second := start(t, Options{DataDir: dir})
	if got := query[int](t, second.URL(), "SELECT n FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	if runtime.GOOS != "linux" {
		return // the kernel ends no children there
	}
	stop(t, second)
	third := join(t, exec.Command(os.Args[0]), "server", dir)
	third.kill()
	eventually(t, "the end of PostgreSQL after that of polymq", func() bool {
		running, err := second.cluster.processes()
		return err == nil && len(running) == 0
	})
}

// A leftover is what a killed polymq leaves running where the kernel does not end it.
func TestLeftover(t *testing.T) {
	t.Parallel()
	for _, only := range []string{"everything", "orphans"} {
		t.Run(only, func(t *testing.T) {
			t.Parallel()
			dir := usedDir(t)
			s := start(t, Options{DataDir: dir})
			execute(t, s.URL(), "CREATE TABLE kept (n int)")
			stop(t, s)

			leftover := s.cluster.postmaster()
			if err := leftover.Start(); err != nil {
				t.Fatal(err)
			}
			exited := make(chan struct{})
			go func() {
				leftover.Wait()
				close(exited)
			}()
			if err := s.cluster.awaitReady(t.Context(), leftover.Process.Pid, exited); err != nil {
				t.Fatal(err)
			}
			execute(t, s.URL(), "INSERT INTO kept VALUES (42)")
			if only == "orphans" {
				keepBusy(t, s.URL())
				leftover.Process.Kill()
				<-exited
			}

			s = start(t, Options{DataDir: dir})
			<-exited
			if got := query[int](t, s.URL(), "SELECT n FROM kept"); got != 42 {
				t.Errorf("got %d, want 42", got)
			}
		})
	}
}

// In a container process ids start again at 1, so that the id in a leftover lock file soon belongs to another
// program, which may even run as PostgreSQL's user.
func TestLockFileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, Options{DataDir: dir})
	stop(t, s)
	other := s.cluster.account.command(t.Context(), "/", "sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer other.Process.Kill()
	if err := s.cluster.write("postmaster.pid", fmt.Sprintf("%d\n%s\n1\n5432\n\n\n0 0\nready\n", other.Process.Pid, s.cluster.data)); err != nil {
		t.Fatal(err)
	}
	start(t, Options{DataDir: dir})
}

func TestKilledPostgres(t *testing.T) {
	t.Parallel()
	kills := map[string]func(process) bool{
		"postmaster": process.isPostmaster,
		"all":        func(process) bool { return true },
		"one other":  func(p process) bool { return strings.Contains(p.command, "checkpointer") },
	}
	for name, hit := range kills {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{DataDir: usedDir(t)})
			execute(t, s.URL(), "CREATE TABLE written (n int)")
			keepBusy(t, s.URL())
			w := write(t, s.URL())
			for range 2 {
				w.await(t, 20)
				w.forgetFailure()
				running, err := s.cluster.processes()
				if err != nil {
					t.Fatal(err)
				}
				killed := time.Now()
				for _, p := range running {
					if hit(p) {
						syscall.Kill(p.pid, syscall.SIGKILL)
					}
				}
				w.awaitFailure(t)
				w.await(t, 1)
				t.Logf("writes again %.2f s after the kill", time.Since(killed).Seconds())
			}
			w.end()
			missing := fmt.Sprintf("SELECT count(*) FROM unnest(ARRAY[%s]) n WHERE n NOT IN (SELECT n FROM written)", strings.Join(w.acked, ","))
			if lost := query[int](t, s.URL(), missing); lost != 0 {
				t.Errorf("%d acknowledged rows of %d are lost", lost, len(w.acked))
			}
		})
	}
}

func TestPostgresThatCannotComeBack(t *testing.T) {
	t.Parallel()
	said := make(chan string, 100) // also, where the machine is slow, that it still starts
	s, err := Start(t.Context(), Options{DataDir: usedDir(t), Progress: func(line string) { said <- line }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	if err := os.Rename(s.cluster.path("global"), s.cluster.path("elsewhere")); err != nil {
		t.Fatal(err)
	}
	running, err := s.cluster.processes()
	if err != nil {
		t.Fatal(err)
	}
	signalAll(running, syscall.SIGKILL)
	<-s.Done()
	if s.Err() == nil || !strings.Contains(s.Err().Error(), "global/pg_control") {
		t.Errorf("got error %v, want PostgreSQL's own words for a missing file", s.Err())
	}
	ends := 0
	for len(said) > 0 {
		if strings.Contains(<-said, "killed") {
			ends++
		}
	}
	if ends != 1 {
		t.Errorf("got %d lines about the end, want one", ends)
	}
}

// programsOf gives PostgreSQL's programs for a data directory, fetched where the machine has none.
func programsOf(t *testing.T, dir string) binaries {
	t.Helper()
	options, err := Options{DataDir: dir}.resolved()
	if err != nil {
		t.Fatal(err)
	}
	found, err := options.locate(t.Context(), filepath.Join(options.DataDir, "pgdata"), folders(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Who waits for a first start on a slow machine is told what takes so long.
func TestSlowFirstStart(t *testing.T) {
	t.Parallel()
	programs := programsOf(t, dataDir(t))
	bin := dataDir(t)
	told := filepath.Join(bin, "told")
	script := fmt.Sprintf("#!/bin/sh\nuntil [ -e %s ]; do sleep 0.02; done\necho it was told >&2\nexit 1\n", told)
	err := errors.Join(os.WriteFile(filepath.Join(bin, "initdb"), []byte(script), 0o755), os.Symlink(filepath.Join(programs.dir, "postgres"), filepath.Join(bin, "postgres")))
	if err != nil {
		t.Fatal(err)
	}
	dir := dataDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of a start that says nothing
	defer cancel()
	_, err = Start(ctx, Options{DataDir: dir, BinDir: bin, Progress: func(line string) {
		if strings.Contains(line, "making a database in "+dir) {
			_ = os.WriteFile(told, nil, 0o644) // without it the start fails in other words
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "it was told") {
		t.Errorf("got %v", err)
	}
}

// While the disk is full, PostgreSQL is tried more often than is done where nothing helps.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	programs := programsOf(t, dir)
	bin := dataDir(t)
	full, tries := filepath.Join(bin, "full"), filepath.Join(bin, "tries")
	script := fmt.Sprintf(`#!/bin/sh
if [ -e %[1]s ] && [ "$1" != --version ]; then
	echo >> %[2]s
	echo 'FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device' >&2
	exit 1
fi
exec %[3]s/postgres "$@"
`, full, tries, programs.dir)
	err := errors.Join(os.WriteFile(filepath.Join(bin, "postgres"), []byte(script), 0o755), os.Symlink(filepath.Join(programs.dir, "initdb"), filepath.Join(bin, "initdb")),
		os.WriteFile(full, nil, 0o644), os.WriteFile(tries, nil, 0o666), os.Chmod(tries, 0o666))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{DataDir: dir, BinDir: bin}); !errors.Is(err, errDiskFull) {
		t.Fatalf("got %v, want that the disk is full", err)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{DataDir: dir, BinDir: bin})
	if err := errors.Join(os.WriteFile(full, nil, 0o644), os.Truncate(tries, 0)); err != nil {
		t.Fatal(err)
	}
	running, err := s.cluster.processes()
	if err != nil {
		t.Fatal(err)
	}
	signalAll(running, syscall.SIGKILL)
	eventually(t, "more attempts than without an end in sight", func() bool {
		made, err := os.ReadFile(tries)
		if err != nil {
			t.Fatal(err)
		}
		return len(made) > restarts+1
	})
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	eventually(t, "PostgreSQL is back", func() bool {
		conn, err := pgx.Connect(t.Context(), s.URL())
		if err == nil {
			_ = conn.Close(context.Background())
		}
		return err == nil
	})
}

func TestUnfinishedInitialization(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	unfinished := filepath.Join(dir, "pgdata.new")
	if err := os.MkdirAll(filepath.Join(unfinished, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(unfinished, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{DataDir: dir})
	execute(t, s.URL(), "SELECT 1")
	if _, err := os.Stat(unfinished); !os.IsNotExist(err) {
		t.Errorf("got %v for the unfinished folder, want none", err)
	}
}

// keepBusy leaves a session working on a statement that does not look up for a minute.
func keepBusy(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	started := query[string](t, url, "SELECT clock_timestamp()::text")
	go func() {
		defer close(ended)
		conn.Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 1000000000)")
		conn.Close(context.Background())
	}()
	t.Cleanup(func() { <-ended })
	eventually(t, "a busy session", func() bool {
		return query[bool](t, url, fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%generate_series%%' AND pid <> pg_backend_pid() AND query_start > '%s')", started))
	})
}

// A writer inserts one number after the other, each acknowledged before the next, on new connections as needed.
type writer struct {
	end    func()
	rows   chan int
	failed chan error
	acked  []string
}

func write(t *testing.T, url string) *writer {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	w := &writer{rows: make(chan int), failed: make(chan error, 1)}
	w.end = func() {
		cancel()
		<-ended
	}
	t.Cleanup(w.end)
	go func() {
		defer close(ended)
		for n := 1; ctx.Err() == nil; pause(ctx, time.Millisecond) {
			conn, err := pgx.Connect(ctx, url)
			for ; err == nil; n++ {
				if _, err = conn.Exec(ctx, "INSERT INTO written VALUES ($1)", n); err == nil {
					select {
					case w.rows <- n:
					case <-ctx.Done():
						err = ctx.Err()
					}
				}
			}
			if conn != nil {
				conn.Close(context.Background())
			}
			select {
			case w.failed <- err:
			default:
			}
		}
	}()
	return w
}

// await takes note of the next acknowledged rows.
func (w *writer) await(t *testing.T, rows int) {
	t.Helper()
	for range rows {
		select {
		case n := <-w.rows:
			w.acked = append(w.acked, fmt.Sprint(n))
		case <-time.After(2 * time.Minute):
			t.Fatal("no row was written for two minutes")
		}
	}
}

func (w *writer) forgetFailure() {
	select {
	case <-w.failed:
	default:
	}
}

// awaitFailure takes note of rows until a write fails.
func (w *writer) awaitFailure(t *testing.T) {
	t.Helper()
	for {
		select {
		case <-w.failed:
			return
		case n := <-w.rows:
			w.acked = append(w.acked, fmt.Sprint(n))
		case <-time.After(2 * time.Minute):
			t.Fatal("writing did not fail for two minutes")
		}
	}
}
