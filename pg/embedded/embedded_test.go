package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestStartKeepsData(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := start(t, Options{DataDir: dir})
	execute(t, first.URL(), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)")
	stop(t, first)

	second := start(t, Options{DataDir: dir})
	if second.URL() != first.URL() {
		t.Errorf("got URL %s, want %s as before", second.URL(), first.URL())
	}
	if got := query[int](t, second.URL(), "SELECT n FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
}

func TestStartKeepsToItself(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, Options{DataDir: dir})
	if got := query[string](t, s.URL(), "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q, want nothing but the socket", got)
	}
	if query[bool](t, s.URL(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") {
		t.Error("the role is a superuser")
	}
	if got := query[string](t, s.URL(), "SELECT current_database() || '/' || current_user"); got != "polymq/polymq" {
		t.Errorf("connected to %s", got)
	}
	for _, name := range []string{"pgdata", "socket"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: got %v, %v, want mode 0700", name, info, err)
		}
	}
}

func TestStartRefusesASecondServer(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	first := start(t, Options{DataDir: dir})
	_, err := Start(t.Context(), Options{DataDir: dir})
	if want := fmt.Sprintf("pid %d", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("got error %v, want one that names %s", err, want)
	}
	execute(t, first.URL(), "SELECT 1") // undisturbed
	stop(t, first)
	start(t, Options{DataDir: dir})
}

func TestDurability(t *testing.T) {
	t.Parallel()
	for durability, want := range map[string]string{"full": "on/on", "none": "off/off"} {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{DataDir: usedDir(t), Durability: durability})
			if got := query[string](t, s.URL(), "SELECT current_setting('fsync') || '/' || current_setting('full_page_writes')"); got != want {
				t.Errorf("fsync and full_page_writes are %s, want %s", got, want)
			}
		})
	}
	for durability, known := range map[string]bool{"": true, "full": true, "relaxed": true, "none": true, "some": false, "FULL": false} {
		if _, err := (Options{Durability: durability}).resolved(); (err == nil) != known {
			t.Errorf("%q: got error %v, known is %v", durability, err, known)
		}
	}
}

func TestDurabilityFromNoneToFull(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, Options{DataDir: dir, Durability: "none"})
	if s.cluster.unsynced() {
		t.Error("would sync although durability is none")
	}
	stop(t, s)
	if s.cluster.fsync = true; !s.cluster.unsynced() {
		t.Error("would not sync what was written without fsync")
	}
	s = start(t, Options{DataDir: dir, Durability: "full"})
	if s.cluster.unsynced() {
		t.Error("would sync once more")
	}
	if got := query[string](t, s.URL(), "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s, want on", got)
	}
}

func TestUserSettingsWin(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, Options{DataDir: dir})
	execute(t, s.cluster.url(superuser, "postgres"), "ALTER SYSTEM SET max_connections = 33")
	if err := s.cluster.write("user.conf", "work_mem = '7MB'\nmax_connections = 34\n"); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	s = start(t, Options{DataDir: dir})
	if got := query[string](t, s.URL(), "SELECT current_setting('max_connections') || ' ' || current_setting('work_mem')"); got != "33 7MB" {
		t.Errorf("got %s, want 33 7MB", got)
	}
}

func TestListenAddress(t *testing.T) {
	t.Parallel()
	dir, address := usedDir(t), freeAddress(t)
	s := start(t, Options{DataDir: dir, ListenAddress: address})
	execute(t, s.URL(), "SELECT 1")

	info, err := os.Stat(filepath.Join(dir, "password"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("password file: got %v, %v, want mode 0600", info, err)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	word := strings.TrimSpace(string(secret))
	if err := connect(t, tcpURL(address, word)); err != nil {
		t.Errorf("with the password: %v", err)
	}
	if err := connect(t, tcpURL(address, "guess")); err == nil {
		t.Error("connected with a wrong password")
	}
	stop(t, s)
	if log, err := os.ReadFile(filepath.Join(dir, "postgres.log")); err != nil || strings.Contains(string(log), word) {
		t.Errorf("the log (error %v) holds the password:\n%s", err, log)
	}

	s = start(t, Options{DataDir: dir, ListenAddress: address})
	if err := connect(t, tcpURL(address, word)); err != nil {
		t.Errorf("the password changed with a restart: %v", err)
	}
	stop(t, s)
	start(t, Options{DataDir: dir})
	if err := connect(t, tcpURL(address, word)); err == nil {
		t.Error("listens although it should not any more")
	}
}

func TestListenAddressTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := usedDir(t)
	if _, err := Start(t.Context(), Options{DataDir: dir, ListenAddress: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("got error %v, want PostgreSQL's own words for an address in use", err)
	}
	start(t, Options{DataDir: dir}) // nothing was left running
}

func TestSocketFolder(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"long path":        strings.Repeat("deep/", 25),
		"list in disguise": "a,b",
		"blanks":           "Application Support/polymq's",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(dataDir(t), path)
			copyUsed(t, dir)
			s := start(t, Options{DataDir: dir})
			t.Cleanup(func() { os.RemoveAll(s.cluster.socket) })
			execute(t, s.URL(), "SELECT 1")
			if info, err := os.Stat(s.cluster.socket); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("socket folder: got %v, %v, want mode 0700", info, err)
			}
		})
	}
}

func TestSocketFolderOfAStranger(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(dataDir(t), strings.Repeat("deep/", 25))
	if err := makePath(dir); err != nil {
		t.Fatal(err)
	}
	me := account{uid: os.Geteuid(), gid: os.Getegid()}
	expected, err := socketDir(dir, me)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(expected) })
	if _, err := socketDir(dir, account{name: "someone else", uid: me.uid + 1, gid: me.gid}); err == nil {
		t.Error("accepted a socket folder that belongs to another user")
	}
	if err := os.Chmod(expected, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := socketDir(dir, me); err == nil {
		t.Error("accepted a socket folder that others can enter")
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	s := start(t, Options{DataDir: usedDir(t)})
	select {
	case <-s.Done():
		t.Fatal("done before Stop")
	default:
	}
	stop(t, s)
	stop(t, s)
	<-s.Done()
	if s.Err() != nil {
		t.Errorf("got error %v after Stop", s.Err())
	}
	if err := connect(t, s.URL()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want no socket", err)
	}
}

func TestStopWithoutPatience(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, Options{DataDir: dir})
	execute(t, s.URL(), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)")
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(impatient); err != nil {
		t.Fatal(err)
	}
	s = start(t, Options{DataDir: dir})
	if got := query[int](t, s.URL(), "SELECT n FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
}

func TestStartBrokenOff(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // within initdb
	defer cancel()
	if _, err := Start(soon, Options{DataDir: dir}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want that its time was over", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "pgdata")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for the data directory, want none", err)
	}
	start(t, Options{DataDir: dir})
}

func TestStartInAForeignFolder(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	if err := makePath(filepath.Join(dir, "pgdata")); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(dir, "pgdata", "letters.txt")
	if err := os.WriteFile(precious, []byte("dear"), 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(dir, "pgdata"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Start(t.Context(), Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "neither empty nor a data directory") {
		t.Errorf("got error %v, want a refusal", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestEphemeral(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Ephemeral: true})
	execute(t, s.URL(), "CREATE TABLE short_lived (n int)")
	if got := query[string](t, s.URL(), "SHOW fsync"); got != "off" {
		t.Errorf("fsync is %s, want off", got)
	}
	stop(t, s)
	if _, err := os.Stat(s.options.DataDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for the folder, want none", err)
	}
}

// dataDir makes a folder that PostgreSQL's user can enter also when the tests run as root.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "polymq-embedded-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// scratch is a folder for what several tests use; TestMain makes and removes it.
var scratch string

// used is a folder with a data directory that had its first start, made once since that takes the most time.
var used = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "used")
	s, err := Start(context.Background(), Options{DataDir: dir})
	if err != nil {
		return "", err
	}
	return dir, s.Stop(context.Background())
})

// usedDir gives a copy of it.
func usedDir(t *testing.T) string {
	t.Helper()
	dir := dataDir(t)
	copyUsed(t, dir)
	return dir
}

func copyUsed(t *testing.T, dir string) {
	t.Helper()
	original, err := used()
	if err == nil {
		err = makePath(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("cp", "-a", filepath.Join(original, "pgdata"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// start starts a server and stops it at the end of the test.
func start(t *testing.T, options Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if left, err := s.cluster.processes(); err != nil || len(left) > 0 {
			t.Errorf("still running: %v, %v", left, err)
			s.cluster.stop(context.Background(), syscall.SIGKILL)
		}
	})
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) error {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	return conn.Close(t.Context())
}

func execute(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func query[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// freeAddress gives an address below those that the system gives to whoever asks for any, as other tests do: it stays free.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12_000+rand.IntN(20_000)))
		if err == nil {
			defer listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func tcpURL(address, password string) string {
	return (&url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Host: address, Path: database, RawQuery: "sslmode=disable"}).String()
}

// eventually polls until done, for what another process does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 2 min", what)
		}
		pause(t.Context(), 5*time.Millisecond)
	}
}
