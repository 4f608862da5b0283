package embedded

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestAccount(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, Options{DataDir: dir})
	owner, exists := ownerOf(s.cluster.data)
	if !exists || owner.uid == 0 {
		t.Fatalf("the data directory belongs to %v, want an unprivileged user", owner)
	}
	if os.Geteuid() != 0 && owner.uid != os.Geteuid() {
		t.Errorf("the data directory belongs to %v, want this process's user", owner)
	}
	var server syscall.Stat_t
	pid, _ := s.cluster.status()
	if err := syscall.Stat(filepath.Join("/proc", strconv.Itoa(pid)), &server); err == nil && int(server.Uid) != owner.uid {
		t.Errorf("PostgreSQL runs as uid %d, want %d", server.Uid, owner.uid)
	}
}

func TestOwnerStays(t *testing.T) {
	t.Parallel()
	daemon, err := user.Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(daemon.Uid)
	pgdata := t.TempDir()
	if os.Geteuid() != 0 {
		if got, err := accountFor(pgdata); err != nil || got.uid != os.Geteuid() || got.switched {
			t.Errorf("got %v, %v, want this process's user", got, err)
		}
		if _, err := accountFor("/"); err == nil {
			t.Error("accepted a data directory of another user")
		}
		return
	}
	if _, err := accountFor(pgdata); err == nil || !strings.Contains(err.Error(), "belongs to root") {
		t.Errorf("got error %v for root's data directory", err)
	}
	if err := os.Chown(pgdata, uid, uid); err != nil {
		t.Fatal(err)
	}
	if got, err := accountFor(pgdata); err != nil || got.uid != uid || got.gid != uid || !got.switched {
		t.Errorf("got %v, %v, want uid %d", got, err, uid)
	}
	s := start(t, Options{DataDir: ownedDir(t, uid)})
	if owner, _ := ownerOf(s.cluster.socket); owner.uid != uid {
		t.Errorf("PostgreSQL runs as %v, want uid %d", owner, uid)
	}
	_, err = Start(t.Context(), Options{DataDir: ownedDir(t, 54321)})
	expectWords(t, err, "54321", "user database")
}

// ownedDir makes a folder whose (empty) data directory already belongs to a user.
func ownedDir(t *testing.T, uid int) string {
	t.Helper()
	dir := dataDir(t)
	pgdata := filepath.Join(dir, "pgdata")
	if err := os.Mkdir(pgdata, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(pgdata, uid, uid); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUnreachableFolder(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(dataDir(t), "private")
	if err := os.MkdirAll(filepath.Join(closed, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		_, err := Start(t.Context(), Options{DataDir: filepath.Join(closed, "data")})
		expectWords(t, err, "root", closed+" keeps it out", "/var/lib/polymq")
		programs := fakePrograms(t, filepath.Join(closed, "bin"), "17.1")
		_, err = Start(t.Context(), Options{DataDir: dataDir(t), BinDir: programs})
		expectWords(t, err, "cannot reach "+filepath.Join(programs, "postgres"), closed+" keeps it out")
		return
	}
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{DataDir: filepath.Join(closed, "data")})
	expectWords(t, err, closed, "permission denied")
}

// The other half of the tests' life: what they do as root, an ordinary user can do too.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // then all the other tests show it
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	dir := sharedFolder(t)
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "polymq")
	if err := copyProgram(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	programs := programsOf(t, dir)
	for _, role := range []string{"server", "user"} {
		cmd := exec.Command(program)
		cmd.Dir = "/"
		cmd.Env = []string{"PATH=" + programs.dir + ":" + os.Getenv("PATH")} // where they were fetched, that was into the cache of root
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
		p := join(t, cmd, role, dir)
		execute(t, p.url, "CREATE TABLE mine (n int)")
		if err := p.leave(); err != nil {
			t.Error(err)
		}
	}
}

func copyProgram(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}
