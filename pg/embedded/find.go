package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrNoData says that a data directory holds no data yet.
var ErrNoData = errors.New("there is no data yet")

// Find looks at a data directory without changing anything: ErrNoData where a Start would begin anew. It gives
// the address of the server that another polymq runs on it, "" where none does.
func Find(options Options) (url string, err error) {
	if options, err = options.resolved(); err != nil {
		return "", err
	}
	data := filepath.Join(options.DataDir, "pgdata")
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: %w", options.DataDir, ErrNoData)
	} else if err != nil {
		return "", fmt.Errorf("look at the data directory %s: %w", options.DataDir, err)
	}
	if held, err := isHeld(filepath.Join(options.DataDir, "lock")); err != nil || !held {
		return "", err
	}
	return addressOf(filepath.Join(data, "postmaster.pid"))
}

// isHeld reports whether another process has the lock.
func isHeld(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// The lines of postmaster.pid that say where PostgreSQL listens.
const (
	linePort   = 3
	lineSocket = 4
)

// addressOf reads where a PostgreSQL listens from the file that it keeps.
func addressOf(pidFile string) (string, error) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return "", fmt.Errorf("another polymq uses the data directory, but its PostgreSQL is not up: %w", err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) <= lineSocket {
		return "", fmt.Errorf("%s does not say where PostgreSQL listens", pidFile)
	}
	c := cluster{socket: strings.TrimSpace(lines[lineSocket]), port: strings.TrimSpace(lines[linePort])}
	return c.url(role, database), nil
}
