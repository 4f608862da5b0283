package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Shared gives a server for tests that all test processes of this user on this machine have in common: the
// first one starts it, in a folder of the temporary directory, and half a minute after the last one has gone,
// be it by release, by its end or by being killed, the server stops by itself. The URL is the superuser's,
// for tests make databases and roles. Data lasts until the next start, and fsync is off. There are 1000
// connections to be had: a test has about ten, such as five of each of two servers (those of the storage had
// 81 when eight ran at once), and as many packages test at once as the machine has processors, each as many
// tests, which with eight processors is 640. Each major version has a server of its own; 0 is the newest on
// the machine.
//
// A process counts as a user by a session that holds an advisory lock, shared with the others. A session of
// the server's own watches for the time when nobody does; see watchSQL.
func Shared(ctx context.Context, major int) (url string, release func(), err error) {
	return shared{folder: os.TempDir(), idle: 30 * time.Second, major: major}.use(ctx)
}

// shared is a server that the processes using the same folder have in common.
type shared struct {
	folder string
	idle   time.Duration // without users, before it stops
	major  int
}

func (s shared) use(ctx context.Context) (url string, release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	session, err := s.session(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("shared test server: %w", err)
	}
	return session.Config().ConnString(), hold(session), nil
}

// hold keeps a session open until release is called or the process ends.
func hold(session *pgx.Conn) (release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	released := make(chan struct{})
	go func() {
		defer close(released)
		_, _ = session.WaitForNotification(ctx) // there is none
		session.Close(context.Background())
	}()
	return func() {
		cancel()
		<-released
	}
}

// session makes this process a user of the server, after starting it where there is none.
func (s shared) session(ctx context.Context) (*pgx.Conn, error) {
	options, err := s.options()
	if err != nil {
		return nil, err
	}
	alone, err := lockWait(ctx, filepath.Join(options.DataDir, "lock"))
	if err != nil {
		return nil, err
	}
	defer alone.Close()
	c, err := options.cluster()
	if err != nil {
		return nil, err
	}
	for {
		session, err := c.join(ctx, s.idle)
		if err == nil || !betweenRuns(err) {
			return session, err
		}
		running, err := c.processes()
		if err == nil && len(running) == 0 {
			err = options.startDetached(ctx, c)
		}
		if err != nil {
			return nil, err
		}
		if !pause(ctx, 10*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// options settles the server's own folder, whose name changes with user, version and settings, and makes it.
func (s shared) options() (Options, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%d\n%s%s", s.major, settings, forTests))
	dir := filepath.Join(s.folder, fmt.Sprintf("polymq-test-%d-%x", os.Geteuid(), key[:4]))
	me := account{name: "this user", uid: os.Geteuid(), gid: os.Getegid()}
	if err := me.makeDir(dir); err != nil && !errors.Is(err, os.ErrExist) {
		return Options{}, err
	}
	if err := me.ownsDir(dir, 0o022); err != nil {
		return Options{}, err
	}
	if me.uid == 0 { // PostgreSQL's user must get to its own folders inside
		if err := os.Chmod(dir, 0o711); err != nil {
			return Options{}, err
		}
	}
	return Options{DataDir: dir, Durability: "none", Major: s.major}.resolved()
}

// startDetached starts a new server, which outlives this process. What there was before it is gone then.
func (o Options) startDetached(ctx context.Context, c *cluster) error {
	if err := os.RemoveAll(c.data); err != nil {
		return err
	}
	if err := o.equip(ctx, c); err != nil {
		return err
	}
	if err := c.initialize(ctx); err != nil {
		return err
	}
	c.config = settings + forTests
	if err := c.configure(ctx); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(o.DataDir, "postgres.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := c.postmaster()
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Setsid = false, true // out of reach of a terminal and of a killed process group
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() { // ends with the server or this process, whichever is first
		_ = cmd.Wait()
		close(exited)
	}()
	if err := c.awaitReady(ctx, cmd.Process.Pid, exited); err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%w: %s", err, lastLines(string(text))), c.stop(ctx, syscall.SIGQUIT))
	}
	return nil
}

// The keys of the advisory locks: users share the one, the watching session holds the other.
const usersLock, watchLock = 4566, 4567

var errStopping = errors.New("the server is stopping")

// betweenRuns reports whether a failure to join says that the server is down, starting or stopping.
func betweenRuns(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == "57P03" || refused.Code == "57P01" // cannot connect now, admin shutdown
	}
	return errors.Is(err, errStopping) || errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// join opens the session that makes this process a user.
func (c *cluster) join(ctx context.Context, idle time.Duration) (*pgx.Conn, error) {
	session, err := pgx.Connect(ctx, c.url(superuser, "postgres"))
	if err != nil {
		return nil, err
	}
	var joined, unwatched bool
	err = session.QueryRow(ctx, "SELECT pg_try_advisory_lock_shared($1), pg_try_advisory_lock_shared($2)", usersLock, watchLock).Scan(&joined, &unwatched)
	if err == nil && !joined {
		err = errStopping
	}
	if err == nil && unwatched {
		if _, err = session.Exec(ctx, "SELECT pg_advisory_unlock_shared($1)", watchLock); err == nil {
			err = c.watch(ctx, idle)
		}
	}
	if err != nil {
		session.Close(ctx)
		return nil, err
	}
	return session, nil
}

// watch leaves a session behind in the server that stops it once it is unused. The connection is closed
// without farewell: a session finds out that its client has gone when it has something to tell it.
func (c *cluster) watch(ctx context.Context, idle time.Duration) error {
	session, err := pgx.Connect(ctx, c.url(superuser, "postgres"))
	if err != nil {
		return err
	}
	if _, err := session.Exec(ctx, "SELECT pg_advisory_lock($1)", watchLock); err != nil {
		session.Close(ctx)
		return err
	}
	conn, err := session.PgConn().Hijack()
	if err != nil {
		return err
	}
	conn.Frontend.SendQuery(&pgproto3.Query{String: fmt.Sprintf(watchSQL, usersLock, idle.Seconds())})
	return errors.Join(conn.Frontend.Flush(), conn.Conn.Close())
}

// watchSQL, given the users' lock and a number of seconds, ends the server when it had no other client for so
// long. Whoever joins shares the users' lock, so once this session has it alone, nobody can join any more.
// The COMMIT gives each round a new look at the sessions. The shutdown is an immediate one: it ends sessions too
// that a fast one waits for without end, since a signal met them in the middle of an allocation.
const watchSQL = `
DO $$
DECLARE
    used timestamptz := clock_timestamp();
BEGIN
    LOOP
        COMMIT;
        PERFORM pg_sleep(0.2);
        IF EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) THEN
            used := clock_timestamp();
        END IF;
        EXIT WHEN clock_timestamp() > used + make_interval(secs => %[2]g) AND pg_try_advisory_lock(%[1]d);
    END LOOP;
    COPY (SELECT) TO PROGRAM 'cat > /dev/null; kill -QUIT $(head -n 1 postmaster.pid)';
    PERFORM pg_sleep(60); -- until the shutdown ends this session too: the lock must not be free before
END $$`
