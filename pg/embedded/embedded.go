package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Options says how to run the server. The zero value is a good choice.
type Options struct {
	DataDir       string       // folder for data, socket, log, lock and password; "" for DefaultDataDir
	BinDir        string       // folder with postgres and initdb; "" to look for one, and else to fetch
	Major         int          // the version that a new data directory is made by; 0 for the newest on the machine, and else the newest
	RepositoryURL string       // where to fetch from; "" for the fetching library's own choice
	CacheDir      string       // folder for what was fetched; "" for a polymq folder in the user's cache
	Durability    string       // "full" (also for ""), "relaxed" (the same here: it is the sessions' affair), "none" (no fsync)
	ListenAddress string       // such as "127.0.0.1:5433", for other programs, with the password in DataDir/password; "" for the socket only
	Progress      func(string) // told about slow steps and restarts, a line each, also while the server runs; may be nil
	Ephemeral     bool         // for tests: a temporary DataDir that Stop removes, no fsync
}

// A Server is a running PostgreSQL. When it dies it is started again, under the same URL.
type Server struct {
	cluster   *cluster
	options   Options
	lock      *os.File
	log       *logFile
	stopping  context.Context // ends when Stop is called
	beginStop context.CancelFunc
	gently    context.Context // Stop's, which bounds a gentle end; set before stopping ends
	once      sync.Once
	done      chan struct{}
	err       error
}

// Start starts PostgreSQL, for the first time on a data directory after initializing it, and returns when it
// takes connections. It fails when another polymq uses the directory, when the directory is of a version
// for which no programs are found, and when PostgreSQL does not start; nothing is left running then. What a
// killed polymq left running is stopped first.
func Start(ctx context.Context, options Options) (*Server, error) {
	options, err := options.resolved()
	if err != nil {
		return nil, err
	}
	server, err := options.start(ctx)
	if err != nil && options.Ephemeral {
		err = errors.Join(err, os.RemoveAll(options.DataDir))
	}
	if err != nil && ctx.Err() != nil { // of programs that it ended, their errors do not say so
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return server, err
}

// resolved fills in what was left to choose.
func (o Options) resolved() (Options, error) {
	if !slices.Contains([]string{"", "full", "relaxed", "none"}, o.Durability) {
		return o, fmt.Errorf("durability must be full, relaxed or none, was %q", o.Durability)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	var err error
	switch {
	case o.Ephemeral:
		o.DataDir, err = os.MkdirTemp("", "polymq-")
		if err == nil && os.Geteuid() == 0 {
			err = os.Chmod(o.DataDir, 0o711) // what is private inside has its own mode
		}
	case o.DataDir == "":
		o.DataDir, err = DefaultDataDir()
	}
	if o.CacheDir == "" {
		o.CacheDir = defaultCacheDir(o.DataDir)
	}
	for _, path := range []*string{&o.DataDir, &o.CacheDir} {
		if err == nil {
			*path, err = filepath.Abs(*path)
		}
	}
	return o, err
}

func (o Options) start(ctx context.Context) (*Server, error) {
	if err := makePath(o.DataDir); err != nil {
		return nil, fmt.Errorf("make data directory, --data-dir names another: %w", err)
	}
	held, err := lock(filepath.Join(o.DataDir, "lock"))
	if by := (heldError{}); errors.As(err, &by) {
		return nil, fmt.Errorf("data directory %s is in use by another polymq (pid %s): stop that one, or choose another data directory", o.DataDir, by.pid)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", o.DataDir, err)
	}
	s := &Server{options: o, lock: held, done: make(chan struct{})}
	s.stopping, s.beginStop = context.WithCancel(context.Background())
	if err := s.begin(ctx); err != nil {
		held.Close()
		return nil, err
	}
	return s, nil
}

// slowInitialization is how long a database may be in the making before that is told.
const slowInitialization = 2 * time.Second

// begin takes a locked data directory to a server that takes connections.
func (s *Server) begin(ctx context.Context) (err error) {
	if s.cluster, err = s.options.cluster(); err != nil {
		return err
	}
	if err := s.options.equip(ctx, s.cluster); err != nil {
		return err
	}
	secret := ""
	if s.cluster.host != "" {
		if secret, err = password(s.options.DataDir); err != nil {
			return err
		}
	}
	slow := time.AfterFunc(slowInitialization, func() {
		s.options.Progress("making a database in " + s.options.DataDir + ", once, which takes some seconds")
	})
	err = s.cluster.initialize(ctx)
	slow.Stop()
	if err != nil {
		return err
	}
	if err := s.cluster.configure(ctx); err != nil {
		return err
	}
	if s.log, err = openLog(filepath.Join(s.options.DataDir, "postgres.log")); err != nil {
		return err
	}
	started := make(chan error, 1)
	go s.supervise(ctx, started)
	if err := <-started; err != nil {
		<-s.done
		return err
	}
	if err := s.cluster.prepare(ctx, secret); err != nil {
		return errors.Join(err, s.Stop(ctx))
	}
	return nil
}

// cluster settles where the data directory is and who runs it.
func (o Options) cluster() (*cluster, error) {
	c := &cluster{data: filepath.Join(o.DataDir, "pgdata"), config: settings, fsync: !o.Ephemeral && o.Durability != "none"}
	if !c.fsync {
		c.config += noDurability
	}
	var err error
	if c.host, c.port, err = listenOn(o.ListenAddress); err != nil {
		return nil, err
	}
	if c.account, err = accountFor(c.data); err != nil {
		return nil, err
	}
	c.socket, err = socketDir(o.DataDir, c.account)
	return c, err
}

// equip finds the programs that run the cluster and makes sure that its account can use them.
func (o Options) equip(ctx context.Context, c *cluster) error {
	programs, err := o.locate(ctx, c.data, folders(ctx))
	if err != nil {
		return err
	}
	c.bin = programs.dir
	return c.account.canUse(ctx, filepath.Join(c.bin, "postgres"), o.DataDir)
}

// DataDir gives the folder of the data, for what else is to be kept with it.
func (s *Server) DataDir() string { return s.options.DataDir }

// URL gives the address for pgx: database and role polymq, over the Unix socket. It stays the same for the
// server's life.
func (s *Server) URL() string { return s.cluster.url(role, database) }

// Done is closed when PostgreSQL is down for good: after Stop, or when it died and could not be brought back.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says, once Done is closed, why PostgreSQL is down: nil after Stop.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop shuts PostgreSQL down and waits for its end: gently while ctx lasts and for at most half a minute,
// then by force, which loses nothing but makes the next start recover. It may be called again.
func (s *Server) Stop(ctx context.Context) error {
	s.once.Do(func() {
		s.gently = ctx
		s.beginStop()
	})
	<-s.done
	return s.err
}

// restarts bounds the attempts to bring PostgreSQL back that fail one after the other, over about six seconds.
const restarts = 7

// supervise runs PostgreSQL until Stop, or until it cannot be brought back. How the first start went goes to
// started; after a failed one nothing runs any more.
func (s *Server) supervise(ctx context.Context, started chan<- error) {
	runtime.LockOSThread() // never unlocked: PostgreSQL is to end when this thread does, see dieWithThread
	defer close(s.done)
	defer s.release()

	running, err := s.launch(ctx)
	if err != nil {
		s.err = err
		started <- err
		return
	}
	started <- nil
	for {
		select {
		case <-running.exited:
			reason, _ := running.reason()
			s.options.Progress("PostgreSQL ended by itself: " + reason + "; starting it again")
		case <-s.stopping.Done():
			s.err = s.shutDown()
			return
		}
		running, err = s.relaunch()
		if s.stopping.Err() != nil {
			s.err = s.shutDown()
			return
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

// fullDiskAttempt is how far the attempts count while the disk is full: each is made 0.4 s after the one before.
const fullDiskAttempt = 2

// relaunch brings PostgreSQL back, or gives up, at once when Stop is called. While the disk is full it does not give
// up: whoever makes room need not start polymq again.
func (s *Server) relaunch() (running *postmaster, err error) {
	began, waiting := time.Now(), false
	for attempt := 0; attempt < restarts; attempt++ {
		if attempt > 0 && !pause(s.stopping, 50*time.Millisecond<<attempt) {
			break
		}
		if running, err = s.launch(s.stopping); err == nil {
			s.options.Progress(fmt.Sprintf("PostgreSQL is back after %.1f s", time.Since(began).Seconds()))
			return running, nil
		}
		if !errors.Is(err, errDiskFull) {
			continue
		}
		attempt = min(attempt, fullDiskAttempt)
		if !waiting {
			waiting = true
			s.options.Progress(s.options.DataDir + ": the disk is full; PostgreSQL comes back when there is room")
		}
	}
	return nil, fmt.Errorf("bring PostgreSQL back: %w", err)
}

// shutDown ends PostgreSQL at Stop's request.
func (s *Server) shutDown() error {
	if s.options.Ephemeral {
		return s.cluster.stop(s.gently, syscall.SIGQUIT)
	}
	return s.cluster.stop(s.gently, syscall.SIGINT)
}

// release gives back what the server held.
func (s *Server) release() {
	s.log.Close()
	s.lock.Close()
	if s.options.Ephemeral {
		s.err = errors.Join(s.err, os.RemoveAll(s.options.DataDir))
		os.RemoveAll(s.cluster.socket) // where it lies elsewhere
	}
}
