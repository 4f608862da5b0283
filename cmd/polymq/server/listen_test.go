package server

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestListenSaysWhoHasThePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = listen([]string{taken.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Fatalf("got %v, want what to do", err)
	}
	if want := fmt.Sprintf("(pid %d)", os.Getpid()); runtime.GOOS == "linux" && !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAddresses(t *testing.T) {
	tests := map[string]struct {
		exposed   bool
		reachable string
	}{
		"127.0.0.1:4566":   {false, "127.0.0.1:4566"},
		"127.0.0.2:4566":   {false, "127.0.0.2:4566"},
		"[::1]:4566":       {false, "[::1]:4566"},
		"0.0.0.0:4566":     {true, "127.0.0.1:4566"},
		"[::]:4566":        {true, "127.0.0.1:4566"},
		"192.168.1.7:4566": {true, "192.168.1.7:4566"},
	}
	for address, tt := range tests {
		t.Run(address, func(t *testing.T) {
			at, err := net.ResolveTCPAddr("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			if got := isExposed(at); got != tt.exposed {
				t.Errorf("exposed: got %v, want %v", got, tt.exposed)
			}
			if got := reachable(at); got != tt.reachable {
				t.Errorf("reachable: got %s, want %s", got, tt.reachable)
			}
		})
	}
}
