package embedded

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestShared(t *testing.T) {
	t.Parallel()
	folder := sharedFolder(t)
	var first, second *player
	var both sync.WaitGroup
	both.Go(func() { first = join(t, exec.Command(os.Args[0]), "user", folder) })
	both.Go(func() { second = join(t, exec.Command(os.Args[0]), "user", folder) })
	both.Wait()
	if first.url != second.url {
		t.Fatalf("got %s and %s, want one server", first.url, second.url)
	}
	execute(t, first.url, "CREATE TABLE seen (n int)", "CREATE DATABASE other", "CREATE ROLE someone LOGIN")
	execute(t, second.url, "SELECT n FROM seen")
	if got := query[string](t, first.url, "SELECT current_setting('fsync') || ' ' || current_setting('max_connections')"); got != "off 1000" {
		t.Errorf("fsync and max_connections are %s, want off 1000", got)
	}

	running := postmasterOf(t, folder)
	first.kill() // it started the server, which stays
	if err := connect(t, second.url); err != nil {
		t.Errorf("after the first user was killed: %v", err)
	}
	third := join(t, exec.Command(os.Args[0]), "user", folder)
	second.kill()
	eventually(t, "two idle seconds", func() bool { // twice of what would stop an unused server
		return query[bool](t, third.url, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory_lock_shared%' AND state_change < now() - interval '2 seconds')")
	})
	if now := postmasterOf(t, folder); now != running {
		t.Errorf("the server is process %d, was %d", now, running)
	}
	if err := third.leave(); err != nil {
		t.Error(err)
	}
	eventually(t, "the server's end after that of its users", func() bool { return syscall.Kill(running, 0) != nil })

	url, release, err := shared{folder: folder, idle: time.Second}.use(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if query[bool](t, url, "SELECT to_regclass('seen') IS NOT NULL") {
		t.Error("a new server has the data of the old one")
	}
	running = postmasterOf(t, folder)
	release()
	eventually(t, "the server's end after its release", func() bool { return syscall.Kill(running, 0) != nil })
}

// Users that come and go while the server decides to stop never see it stop.
func TestSharedWhileStopping(t *testing.T) {
	t.Parallel()
	restless := shared{folder: sharedFolder(t), idle: 100 * time.Millisecond}
	servers := map[int]bool{}
	for deadline := time.Now().Add(4 * time.Minute); len(servers) < 3; {
		if time.Now().After(deadline) {
			t.Fatalf("seen %d servers, want it to stop now and then", len(servers))
		}
		url, release, err := restless.use(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			execute(t, url, "SELECT 1")
		}
		servers[postmasterOf(t, restless.folder)] = true
		release()
		pause(t.Context(), 200*time.Millisecond+rand.N(400*time.Millisecond))
	}
}

func TestSharedAfterACrash(t *testing.T) {
	t.Parallel()
	s := shared{folder: sharedFolder(t), idle: time.Minute} // longer than until it is killed
	_, release, err := s.use(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	release()
	if err := syscall.Kill(postmasterOf(t, s.folder), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	url, release, err := s.use(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	execute(t, url, "SELECT 1")
	release()
}

func TestSharedFolderOfAStranger(t *testing.T) {
	t.Parallel()
	s := shared{folder: sharedFolder(t), idle: time.Second}
	options, err := s.options()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(options.DataDir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.use(t.Context()); err == nil {
		t.Error("accepted a folder that others can write to")
	}
}

// sharedFolder makes a folder for shared servers and ends what the test leaves running there.
func sharedFolder(t *testing.T) string {
	t.Helper()
	folder := dataDir(t)
	t.Cleanup(func() {
		if pid := lockedBy(folder); pid != 0 {
			syscall.Kill(pid, syscall.SIGQUIT)
			eventually(t, "the server's end", func() bool { return syscall.Kill(pid, 0) != nil })
		}
	})
	return folder
}

func postmasterOf(t *testing.T, folder string) int {
	t.Helper()
	pid := lockedBy(folder)
	if pid == 0 {
		t.Fatalf("no server in %s", folder)
	}
	return pid
}

func lockedBy(folder string) int {
	found, _ := filepath.Glob(filepath.Join(folder, "*", "pgdata"))
	for _, data := range found {
		if pid, _ := (&cluster{data: data}).status(); pid != 0 {
			return pid
		}
	}
	return 0
}
