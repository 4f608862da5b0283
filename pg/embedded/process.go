package embedded

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
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

// processes lists what runs on this machine, from /proc where there is one.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil || commandLine(os.Getpid()) == "" {
		return processesFromPS()
	}
	var found []process
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if command := commandLine(pid); command != "" {
				found = append(found, process{pid, command})
			}
		}
	}
	return found, nil
}

// commandLine reads a process's command line. One that has ended has none, also while it waits to be reaped.
func commandLine(pid int) string {
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))
}

// endTime bounds the wait for processes that are ending; it takes milliseconds.
const endTime = 2 * time.Second

// awaitEnded waits for the processes of any PostgreSQL that are ending just now. They have no title any more that would
// tell whose they are, and may yet hold the memory that they shared, by which the next postmaster would take them for running.
func awaitEnded() {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	entries, _ := os.ReadDir("/proc") // where there is none, nothing is known of them
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			for isEnding(pid) {
				if !pause(ctx, time.Millisecond) {
					return
				}
			}
		}
	}
}

// isEnding tells a process of any PostgreSQL that has lost its command line with its memory, and has not ended.
func isEnding(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || commandLine(pid) != "" {
		return false
	}
	_, rest, _ := strings.Cut(string(text), "(")
	name, state, _ := strings.Cut(rest, ") ")
	return (name == "postgres" || name == "postmaster") && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X") // ended
}

func processesFromPS() ([]process, error) {
	output, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []process
	for line := range strings.Lines(string(output)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pid, err := strconv.Atoi(number); err == nil && !strings.HasPrefix(command, "(") { // "(name)": ended, to be reaped
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
	defer awaitEnded()
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
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // fails for what has ended by now
		case p.isPostmaster() || signal == syscall.SIGKILL:
			_ = syscall.Kill(p.pid, signal) // the postmaster tells the others
		}
	}
}

// awaitGone waits until no process of the cluster is left. It looks at one after the other, for listing all
// processes of a machine takes milliseconds.
func (c *cluster) awaitGone(ctx context.Context) bool {
	for {
		running, err := c.processes()
		if err == nil && len(running) == 0 {
			return true
		}
		for alive := true; alive; alive = err == nil && commandLine(running[0].pid) == running[0].command {
			if !pause(ctx, 5*time.Millisecond) {
				return false
			}
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
