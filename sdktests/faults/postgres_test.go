package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/pg/embedded"
	"github.com/polymq/polymq/pg/pgtest"
)

// postgres is a PostgreSQL that one test may stop and kill, reached over TCP. Nothing that it
// acknowledged may be lost: fsync is on.
type postgres struct {
	options  embedded.Options
	server   *embedded.Server
	password string
	url      string
}

// startPostgres starts a PostgreSQL of the test's own. One that is killed is started again at once. The settings are lines of its
// configuration.
func startPostgres(t *testing.T, settings ...string) *postgres {
	t.Helper()
	p := &postgres{options: embedded.Options{DataDir: dataDir(t), ListenAddress: freeAddress(t)}}
	p.write(t, "user.conf", strings.Join(settings, "\n"))
	p.start(t)
	t.Cleanup(func() { p.stop(t) })
	password, err := os.ReadFile(filepath.Join(p.options.DataDir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	p.password = strings.TrimSpace(string(password))
	p.url = p.urlAt(p.options.ListenAddress)
	return p
}

// write writes a file beside PostgreSQL's own, whose owner reads it alone.
func (p *postgres) write(t *testing.T, name, text string) {
	t.Helper()
	dir := filepath.Join(p.options.DataDir, "pgdata")
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() {
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// set gives it other settings than those that it was started with, as it runs.
func (p *postgres) set(t *testing.T, settings string) {
	t.Helper()
	p.write(t, "user.conf", settings)
	_ = syscall.Kill(postgresPIDs(t, p.options.DataDir)[0], syscall.SIGHUP)
}

// urlAt gives the database's URL for an address that leads to it.
func (p *postgres) urlAt(address string) string {
	return fmt.Sprintf("postgres://polymq:%s@%s/polymq?sslmode=disable", p.password, address)
}

// start starts it, again with all its data.
func (p *postgres) start(t *testing.T) {
	t.Helper()
	var err error
	if p.server, err = embedded.Start(context.WithoutCancel(t.Context()), p.options); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
}

// stop shuts it down and closes its clients' connections, as before an upgrade.
func (p *postgres) stop(t *testing.T) {
	t.Helper()
	if err := p.server.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop PostgreSQL: %v", err)
	}
}

// killPostgres kills, with kill -9, all processes of the PostgreSQL in a data directory of polymq.
func killPostgres(t *testing.T, dir string) {
	t.Helper()
	signalAll(stopStarting(t, dir), syscall.SIGKILL)
}

// stopStarting stops the main process of the PostgreSQL in a data directory of polymq, so that it starts no others, and lists all.
func stopStarting(t *testing.T, dir string) []int {
	t.Helper()
	_ = syscall.Kill(postgresPIDs(t, dir)[0], syscall.SIGSTOP)
	return postgresPIDs(t, dir)
}

// postgresPIDs lists the processes of the PostgreSQL in a data directory of polymq, the main one first.
func postgresPIDs(t *testing.T, dir string) []int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "pgdata", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	main, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), "ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	pids := []int{main}
	for line := range strings.Lines(string(output)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err == nil && parent == main {
			pids = append(pids, pid)
		}
	}
	return pids
}

// testDatabase gives the URL of a database of the test's own in a PostgreSQL that others use too.
func testDatabase(t *testing.T) string {
	t.Helper()
	url := pgtest.DatabaseURL(t)
	awaitSessions(t, url)
	return url
}

// awaitSessions waits, after the test, until the sessions of killed servers have ended, before their database is
// dropped: some PostgreSQL deadlock when they are told to end while they find out that their client is gone.
func awaitSessions(t *testing.T, url string) {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(ctx)
		eventually(t, "end sessions", func() error {
			var sessions int
			err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&sessions)
			if err == nil && sessions > 0 {
				err = fmt.Errorf("%d sessions are left", sessions)
			}
			return err
		})
	})
}

// awaitDatabase waits until the database answers, and gives that moment.
func awaitDatabase(t *testing.T, url string) time.Time {
	t.Helper()
	eventually(t, "connect to the database", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	return time.Now()
}
