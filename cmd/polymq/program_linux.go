package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseProgram takes the pages of the program's own file out of the process; what is used again comes back from the system's memory for
// files. Parts that were written to, as a debugger does for its breakpoints, are left alone: they would lose what was written.
func releaseProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the program's file: %w", err)
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("read where the program is mapped: %w", err)
	}
	defer func() { _ = smaps.Close() }()
	mappings, err := readMappings(smaps, program)
	for _, m := range mappings {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED); errno != 0 {
			err = errors.Join(err, fmt.Errorf("release pages of the program: %w", errno))
		}
	}
	return err
}

// mapping is a range of addresses at which a part of a file can be read.
type mapping struct{ start, end uintptr }

// readMappings finds in /proc/PID/smaps where file is mapped for reading alone and has no page that was written to.
func readMappings(smaps io.Reader, file string) (found []mapping, err error) {
	var m *mapping // nil in those that are not wanted
	for lines := bufio.NewScanner(smaps); lines.Scan(); err = lines.Err() {
		var start, end uintptr
		var access string
		line := lines.Text()
		if _, notHeader := fmt.Sscanf(line, "%x-%x %s", &start, &end, &access); notHeader == nil {
			m = nil
			if strings.HasSuffix(line, " "+file) && strings.HasPrefix(access, "r") && access[1] == '-' {
				m = &mapping{start, end}
			}
		} else if name, size, _ := strings.Cut(line, ":"); m != nil && name == "Anonymous" && strings.TrimSpace(size) == "0 kB" {
			found = append(found, *m)
		}
	}
	return found, err
}
