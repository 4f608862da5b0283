package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The names inside the cluster. The superuser is for whoever looks after it over the socket; polymq itself
// works as a plain role that owns its database.
const (
	superuser = "postgres"
	role      = "polymq"
	database  = "polymq"
)

// A cluster is one data directory of PostgreSQL, with what it takes to run it.
type cluster struct {
	account account
	bin     string // folder of the server's programs
	data    string // PostgreSQL's data directory
	socket  string // folder of the Unix socket
	host    string // address to listen on besides the socket, if any
	port    string // names the socket too
	config  string // settings
	fsync   bool   // what is acknowledged is on disk
}

// path names a file of the data directory.
func (c *cluster) path(name string) string { return filepath.Join(c.data, name) }

// name tells the processes of this cluster from all others of the machine, also from those of a container
// whose data directory has the same path.
func (c *cluster) name() string {
	info, err := os.Stat(c.data)
	if err != nil {
		return "polymq_none" // no directory, no process
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("polymq_%x_%x_", stat.Dev, stat.Ino)
}

// initialize makes the data directory unless it exists. It is renamed into place when complete, so that a
// start that was killed half way leaves nothing that looks like a cluster.
func (c *cluster) initialize(ctx context.Context) error {
	if _, err := os.Stat(c.path("PG_VERSION")); err == nil {
		return nil
	}
	if entries, err := os.ReadDir(c.data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is neither empty nor a data directory of PostgreSQL", c.data)
	}
	unfinished := c.data + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove an unfinished data directory: %w", err)
	}
	if err := c.account.makeDir(unfinished); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := c.initdb(ctx, unfinished); err != nil {
		return fmt.Errorf("initialize %s: %w", c.data, err)
	}
	if err := os.Remove(c.data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("initialize %s: %w", c.data, err)
	}
	if err := os.Rename(unfinished, c.data); err != nil {
		return fmt.Errorf("initialize: %w", err)
	}
	return c.syncDir(filepath.Dir(c.data))
}

func (c *cluster) initdb(ctx context.Context, dir string) error {
	args := []string{"-D", dir, "-U", superuser, "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-instructions"}
	if !c.fsync {
		args = append(args, "--no-sync")
	}
	cmd := c.account.command(ctx, dir, filepath.Join(c.bin, "initdb"), args...)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dieWithThread(cmd)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s%s", err, lastLines(string(output)), c.account.unknown())
	}
	return include(dir, "polymq.conf")
}

// syncDir brings the names in a directory to the disk.
func (c *cluster) syncDir(path string) error {
	if !c.fsync {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// configure writes what each start sets anew.
func (c *cluster) configure(ctx context.Context) error {
	if c.unsynced() {
		cmd := c.account.command(ctx, c.data, filepath.Join(c.bin, "initdb"), "-D", c.data, "--sync-only")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("sync %s: %w: %s", c.data, err, lastLines(string(output)))
		}
	}
	for name, text := range map[string]string{
		"polymq.conf": c.config + "\ninclude_if_exists 'user.conf'\n",
		"pg_hba.conf": access(c.host != ""),
	} {
		if err := c.write(name, text); err != nil {
			return fmt.Errorf("configure PostgreSQL: %w", err)
		}
	}
	return nil
}

// unsynced reports whether data has to be brought to the disk first, since the cluster ran without fsync
// before and now shall not.
func (c *cluster) unsynced() bool {
	before, err := os.ReadFile(c.path("polymq.conf"))
	return c.fsync && err == nil && strings.Contains(string(before), "\nfsync = off\n")
}

// write replaces a file of the data directory. The directory belongs to another user when polymq runs as root,
// hence os.Root: no link in it leads outside.
func (c *cluster) write(name, text string) error {
	dir, err := os.OpenRoot(c.data)
	if err != nil {
		return err
	}
	defer dir.Close()
	unfinished := name + ".new"
	if err := dir.WriteFile(unfinished, []byte(text), 0o600); err != nil {
		return err
	}
	if c.account.switched {
		if err := dir.Lchown(unfinished, c.account.uid, c.account.gid); err != nil {
			return err
		}
	}
	return dir.Rename(unfinished, name)
}

// clear removes what the last postmaster left behind: processes, and its lock file. PostgreSQL would do the
// latter, but refuses when another program has the process id by now, as is common in containers.
func (c *cluster) clear(ctx context.Context) error {
	if err := c.stop(ctx, syscall.SIGINT); err != nil {
		return err
	}
	pid, _ := c.status()
	if pid == 0 {
		return nil
	}
	all, err := processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.pid == pid && p.isPostmaster() {
			return nil // started by hand, perhaps: PostgreSQL knows, and says so
		}
	}
	if err := os.Remove(c.path("postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a leftover lock file: %w", err)
	}
	return nil
}

// status reads the postmaster's lock file: its process id (0 without one) and whether it takes connections.
func (c *cluster) status() (pid int, ready bool) {
	text, err := os.ReadFile(c.path("postmaster.pid"))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(text), "\n")
	pid, _ = strconv.Atoi(strings.TrimSpace(lines[0]))
	return pid, len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
}

// postmaster prepares PostgreSQL's main process.
func (c *cluster) postmaster() *exec.Cmd {
	return c.account.command(context.Background(), c.data, filepath.Join(c.bin, "postgres"), "-D", c.data,
		"-c", "cluster_name="+c.name(), "-c", "unix_socket_directories="+c.socket,
		"-c", "listen_addresses="+c.host, "-c", "port="+c.port)
}

// awaitReady waits until the postmaster with this process id takes connections.
func (c *cluster) awaitReady(ctx context.Context, pid int, exited <-chan struct{}) error {
	for {
		if running, ready := c.status(); ready && running == pid {
			return nil
		}
		select {
		case <-exited:
			return errors.New("PostgreSQL ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL to start: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// url is where the role finds the database.
func (c *cluster) url(role, database string) string {
	query := "host=" + url.PathEscape(c.socket) + "&port=" + c.port + "&sslmode=disable" // pgx takes no plus sign for a blank
	return (&url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: query}).String()
}

// prepare makes sure of the role and its database, and of the role's password where one is given.
func (c *cluster) prepare(ctx context.Context, password string) error {
	conn, err := pgx.Connect(ctx, c.url(superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the embedded PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var statements []string
	err = conn.QueryRow(ctx, prepareSQL, role, database, password).Scan(&statements)
	for i := 0; err == nil && i < len(statements); i++ {
		_, err = conn.Exec(ctx, statements[i])
	}
	if err != nil {
		return fmt.Errorf("prepare the embedded PostgreSQL: %w", err)
	}
	return nil
}

// prepareSQL gives the statements that are left to do.
const prepareSQL = `
SELECT array_remove(ARRAY[
    CASE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) THEN format('CREATE ROLE %I LOGIN', $1) END,
    CASE WHEN NOT EXISTS (SELECT FROM pg_database WHERE datname = $2) THEN format('CREATE DATABASE %I OWNER %I', $2, $1) END,
    CASE WHEN $3 <> '' THEN format('ALTER ROLE %I PASSWORD %L', $1, $3) END
], NULL)`

// listenOn splits an address to listen on; without one there is only the Unix socket.
func listenOn(address string) (host, port string, err error) {
	if address == "" {
		return "", "5432", nil
	}
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("address for PostgreSQL: %w", err)
	}
	if host == "" {
		host = "*"
	}
	return host, port, nil
}

// socketDir gives the folder for the Unix socket and makes it: beside the data where the path fits into a
// socket's address, else in the temporary folder under a name derived from that path.
func socketDir(dataDir string, account account) (string, error) {
	const longest = 103 - len("/.s.PGSQL.65535") // sun_path has 104 bytes on macOS, 108 on Linux
	dir := filepath.Join(dataDir, "socket")
	if len(dir) > longest || strings.ContainsAny(dir, `,"`) { // a comma would make it a list
		key := fmt.Sprintf("polymq-%x", sha256.Sum256([]byte(dataDir)))[:23]
		if dir = filepath.Join(os.TempDir(), key); len(dir) > longest {
			dir = filepath.Join("/tmp", key)
		}
	}
	if err := account.makeDir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make a folder for PostgreSQL's socket: %w", err)
	}
	if err := account.ownsDir(dir, 0o077); err != nil {
		return "", fmt.Errorf("folder for PostgreSQL's socket: %w", err)
	}
	return dir, nil
}

// include appends a file to the configuration.
func include(dir, name string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	file, err := root.OpenFile("postgresql.conf", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "\ninclude '%s'\n", name)
	return errors.Join(err, file.Sync(), file.Close())
}

// lastLines shortens a program's output to what explains its end.
func lastLines(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
