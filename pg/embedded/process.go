package embedded

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process of the machine, with its command line as its title shows it.
type process struct {
	pid     int
	command string
}

// processes lists what runs on this machine, from /proc where there is one. A process that has ended and
// waits to be reaped has no command line and is left out.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil || !isProcess("/proc/self") {
		return processesFromPS()
	}
	var found []process
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			command, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
			if err == nil && len(command) > 0 {
				found = append(found, process{pid, string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))})
			}
		}
	}
	return found, nil
}

func isProcess(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "cmdline"))
	return err == nil
}

func processesFromPS() ([]process, error) {
	output, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []process
	for line := range strings.Lines(string(output)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pid, err := strconv.Atoi(number); err == nil && !strings.HasPrefix(command, "(") {
			found = append(found, process{pid, strings.TrimSpace(command)})
		}
	}
	return found, nil
}

// isPostmaster tells the main process of any PostgreSQL, which shows its program and arguments, from the
// others, which show a title like "postgres: NAME: checkpointer".
func (p process) isPostmaster() bool {
	return strings.Contains(p.command+" ", "/postgres ") || strings.Contains(p.command+" ", "/postmaster ")
}

// processes lists the processes of this cluster, also those that outlived their postmaster: PostgreSQL puts
// the cluster's name into the title of each.
func (c *cluster) processes() ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	name := c.name()
	var found []process
	for _, p := range all {
		if (p.isPostmaster() || strings.HasPrefix(p.command, "postgres:")) && strings.Contains(p.command, name) {
			found = append(found, p)
		}
	}
	return found, nil
}

// stop ends all processes of the cluster: by the given signal (SIGINT is PostgreSQL's fast shutdown, SIGQUIT
// its immediate one) for as long as ctx allows, and by rougher means after that. Orphans, whose postmaster
// is gone, have nothing left to finish and would only keep its shared memory from being freed.
func (c *cluster) stop(ctx context.Context, signal syscall.Signal) error {
	steps := []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{signal, 30 * time.Second}, {syscall.SIGQUIT, 6 * time.Second}, {syscall.SIGKILL, 10 * time.Second}}
	for _, step := range steps {
		running, err := c.processes()
		if err != nil {
			return err
		}
		if len(running) == 0 {
			return nil
		}
		signalAll(running, step.signal)
		bound, cancel := context.WithTimeout(ctx, step.wait)
		gone := c.awaitGone(bound)
		cancel()
		if gone {
			return nil
		}
		ctx = context.WithoutCancel(ctx) // it bounds the gentle part only
	}
	return fmt.Errorf("stop PostgreSQL in %s: its processes do not end", c.data)
}

func signalAll(running []process, signal syscall.Signal) {
	orphans := true
	for _, p := range running {
		orphans = orphans && !p.isPostmaster()
	}
	for _, p := range running {
		switch {
		case orphans:
			syscall.Kill(p.pid, syscall.SIGKILL)
		case p.isPostmaster() || signal == syscall.SIGKILL:
			syscall.Kill(p.pid, signal) // the postmaster tells the others
		}
	}
}

func (c *cluster) awaitGone(ctx context.Context) bool {
	for {
		if running, err := c.processes(); err == nil && len(running) == 0 {
			return true
		}
		if !pause(ctx, 5*time.Millisecond) {
			return false
		}
	}
}

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
