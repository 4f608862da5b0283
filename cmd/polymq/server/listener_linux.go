package server

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listenerOf gives the name and pid of the process that listens on a TCP port, 0 where that
// cannot be seen: the process is another user's.
func listenerOf(port string) (name string, pid int) {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listeningSockets(table, port, sockets)
	}
	if len(sockets) == 0 {
		return "", 0
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return "", 0
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !sockets[target] {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		pid, err = strconv.Atoi(filepath.Base(process))
		comm, _ := os.ReadFile(filepath.Join(process, "comm"))
		if err == nil && len(comm) > 0 {
			return strings.TrimSpace(string(comm)), pid
		}
	}
	return "", 0
}

// listeningSockets adds what the links in /proc/PID/fd of the sockets that listen on port look like.
func listeningSockets(table, port string, sockets map[string]bool) {
	file, err := os.Open(table)
	if err != nil {
		return
	}
	defer file.Close()
	number, err := strconv.Atoi(port)
	if err != nil {
		return
	}
	local := fmt.Sprintf(":%04X", number)
	const listening = "0A" // the state
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && strings.HasSuffix(fields[1], local) && fields[3] == listening {
			sockets["socket:["+fields[9]+"]"] = true
		}
	}
}
