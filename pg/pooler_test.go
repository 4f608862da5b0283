package pg_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// pgbouncer starts a PgBouncer in transaction mode before the database, with two connections and a socket of its own, and gives
// the URL that leads through it.
func pgbouncer(t *testing.T, program, databaseURL string) string {
	t.Helper()
	to, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "polymq-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "pgbouncer.ini")
	password := ""
	if to.Password != "" {
		password = "password='" + strings.ReplaceAll(to.Password, "'", "''") + "'"
	}
	text := fmt.Sprintf(`[databases]
pooled = host=%s port=%d dbname=%s user=%s %s
[pgbouncer]
listen_addr =
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = 2
`, to.Host, to.Port, to.Database, to.User, password, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{config}
	if os.Geteuid() == 0 { // which it refuses to run as
		args = append([]string{"-u", ownerOf(t, to.Host)}, args...)
		for path, mode := range map[string]os.FileMode{dir: 0o777, config: 0o644} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	var log strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	const itsPort = 6432 // part of the socket's name
	pooled := fmt.Sprintf("postgres://anybody@/pooled?host=%s&port=%d&sslmode=disable", dir, itsPort)
	eventually(t, "PgBouncer listens", func() bool {
		conn, err := pgx.Connect(context.Background(), pooled)
		if err == nil {
			_ = conn.Close(context.Background())
		}
		return err == nil
	})
	return pooled
}

// findPgBouncer looks for the program on the path and where distributions have it, in sbin beside the path's bin. Where there is
// none, the test does not run.
func findPgBouncer(t *testing.T) string {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		for _, dir := range []string{dir, filepath.Join(dir, "../sbin")} {
			if program, err := exec.LookPath(filepath.Join(dir, "pgbouncer")); err == nil {
				return program
			}
		}
	}
	pgtest.NotRun(t, "the storage behind PgBouncer", "no pgbouncer")
	t.SkipNow() // not to count as passed
	return ""
}

// ownerOf names a user that may use a socket in the folder, anybody for an address that is no folder.
func ownerOf(t *testing.T, host string) string {
	t.Helper()
	info, err := os.Stat(host)
	if err != nil {
		return "nobody"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "nobody"
	}
	owner, err := user.LookupId(strconv.Itoa(int(stat.Uid)))
	if err != nil {
		t.Fatal(err)
	}
	return owner.Username
}

// TestBehindPgBouncer lets two servers work through a pooler whose two connections serve everybody in turn.
// One of them listens past it, the other does not listen.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	program := findPgBouncer(t)
	direct := pgtest.DatabaseURL(t)
	pooled := pgbouncer(t, program, direct)
	listens := pg.Options{URL: pooled, DirectURL: direct, Pooled: true}
	for _, opts := range []pg.Options{listens, {URL: pooled, Pooled: true}} {
		if err := pg.CheckSchema(context.Background(), opts); err != nil {
			t.Errorf("check the schema: %v", err)
		}
	}
	stores := []*pg.Store{open(t, listens), open(t, pg.Options{URL: pooled, Pooled: true})}
	brokers := []*core.Broker{newBroker(t, stores[0]), newBroker(t, stores[1])}
	q := newQueue(t, brokers[0])

	ended := q.wait(t.Context(), stores[0], 1)
	eventually(t, "the server that does not listen tells the one that does", func() bool { return pg.Listening(stores[1]) == 1 })
	q.through(brokers[1]).send("a")
	q.delete(true, q.got(ended, "a").messages[0].Handle)

	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			q := q.through(brokers[i%2])
			for j := range 5 {
				q.sendMessages(core.NewMessage{Body: []byte(fmt.Sprint(j)), Priority: 1 + j})
				for _, m := range q.receive(2) {
					q.hide(m.Handle, 0)
				}
				peekAll(q, false)
				for _, m := range q.receive(2) {
					q.delete(false, m.Handle)
				}
				q.describe()
			}
		})
	}
	all.Wait()
	eventually(t, "all is deleted", func() bool { // what the other server made visible last may have to be heard of
		if messages := q.receive(100); len(messages) > 0 {
			q.delete(true, handlesOf(messages)...)
		}
		return q.describe().Counts == core.QueueCounts{}
	})
	for name, chore := range map[string]func() error{
		"heartbeat": func() error { return stores[1].Heartbeat(context.Background()) },
		"vacuum":    func() error { return stores[1].Vacuum(context.Background()) },
		"look":      func() error { return brokers[1].LookAhead(context.Background()) },
	} {
		if err := chore(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where there is no PgBouncer the package passes, but not with POLYMQ_REQUIRE_SDKS=all; and who runs go test reads of it.
func TestMissingPgBouncerIsToldOf(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for require, passes := range map[string]bool{"": true, "all": false} {
		goTest := exec.CommandContext(t.Context(), "/bin/sh", "-c", `kept=$(exec "$0" -test.run='^(TestBehindPgBouncer|TestExamineFindsAPooler)$' 2>&1); exit $?`, program)
		goTest.Env = append(os.Environ(), "PATH="+t.TempDir(), "POLYMQ_REQUIRE_SDKS="+require)
		output, err := goTest.CombinedOutput()
		if passed := err == nil; passed != passes || string(output) != "NOT RUN: the storage behind PgBouncer (no pgbouncer)\n" {
			t.Errorf("with POLYMQ_REQUIRE_SDKS=%q: %v\n%s", require, err, output)
		}
	}
}
