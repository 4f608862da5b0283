package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// DefaultDataDir gives the folder that is used when none is named: below the user's data directory, or
// /var/lib/polymq for root, whose own home PostgreSQL's user could not enter.
func DefaultDataDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/polymq", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "polymq"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the data, --data-dir names one: %w", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "polymq"), nil
	}
	return filepath.Join(home, ".local", "share", "polymq"), nil
}

// defaultCacheDir gives the folder for fetched programs: in the user's cache, or beside the data for a user without one.
func defaultCacheDir(dataDir string) string {
	if os.Geteuid() == 0 {
		return "/var/cache/polymq"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(dataDir, "cache")
	}
	return filepath.Join(dir, "polymq")
}

// makePath makes a folder and those above it that are missing. All may enter, whatever the umask: what is
// private inside has its own mode.
func makePath(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(path); parent != path {
		if err := makePath(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o755); errors.Is(err, fs.ErrExist) {
		return nil // another process made it meanwhile; if it is no folder, its use will tell
	} else if err != nil {
		return err
	}
	return os.Chmod(path, 0o755)
}

// lock takes a lock that lasts as long as the file is open, at most until the process ends, and writes the
// process id into the file. Held by another process, it fails with a heldError, which names that process.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = tryLock(file)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(path)
		file.Close()
		return nil, heldError{pid: strings.TrimSpace(string(holder))}
	}
	if err == nil {
		err = errors.Join(file.Truncate(0), writeAt(file, fmt.Sprintln(os.Getpid())))
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return file, nil
}

// A process that is just being started holds a copy of every open file until it runs its program, and with
// it a lock that its parent has given up. lockPatience is longer than that takes.
const (
	lockPatience = 500 * time.Millisecond
	lockPause    = 5 * time.Millisecond
)

// tryLock takes the lock, waiting no longer than for a process that is just being started.
func tryLock(file *os.File) error {
	for start := time.Now(); ; time.Sleep(lockPause) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Since(start) > lockPatience {
			return err
		}
	}
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

type heldError struct{ pid string }

func (e heldError) Error() string { return "held by process " + e.pid }

// lockWait takes a lock as soon as it is free.
func lockWait(ctx context.Context, path string) (*os.File, error) {
	for {
		file, err := lock(path)
		if held := (heldError{}); !errors.As(err, &held) {
			return file, err
		}
		if !pause(ctx, 10*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// password gives the role's password for the network, which is made once and kept beside the data.
func password(dataDir string) (string, error) {
	path := filepath.Join(dataDir, "password")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(file, rand.Text())
		err = errors.Join(err, file.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make a password: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if word := strings.TrimSpace(string(text)); word != "" {
		return word, nil
	}
	return "", fmt.Errorf("the password in %s is empty: write one into it, or remove the file", path)
}
