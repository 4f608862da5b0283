package embedded

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

const logLimit = 4 << 20 // bytes; one older file of that size is kept

// A logFile keeps what PostgreSQL writes to its standard error, within a bound, and remembers the last lines
// to explain an unexpected end.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
	size int64
	last []string
	full bool // a line spoke of a full disk
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	return l, nil
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	l.file, l.size = file, info.Size()
	return nil
}

// copy takes over lines until the other side of the pipe is closed. A full disk does not stop it, for
// PostgreSQL would then stand still.
func (l *logFile) copy(from io.Reader) {
	reader := bufio.NewReaderSize(from, 8<<10)
	for {
		line, err := reader.ReadSlice('\n')
		if len(line) > 0 {
			l.add(string(line))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (l *logFile) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last[max(0, len(l.last)-4):], strings.TrimSpace(line))
	l.full = l.full || strings.Contains(line, "No space left on device") || strings.Contains(line, "Disk quota exceeded")
	if l.file == nil {
		return // closed, or not opened again
	}
	if l.size > logLimit {
		l.file.Close()
		l.file = nil
		if os.Rename(l.path, l.path+".1") != nil || l.open() != nil {
			return
		}
	}
	n, _ := l.file.WriteString(line)
	l.size += int64(n)
}

// tail gives the last lines, and whether the disk was full, and forgets them.
func (l *logFile) tail() (lines string, diskFull bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, diskFull = strings.Join(l.last, "; "), l.full
	l.last, l.full = nil, false
	return lines, diskFull
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
