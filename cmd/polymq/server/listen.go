package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// listen takes all addresses, or none.
func listen(addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			closeAll(listeners)
			return nil, explainListen(address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// closeAll closes listeners; those that the HTTP server has closed already do not mind.
func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// explainListen says what to do about an address that cannot be taken.
func explainListen(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use%s: stop that program, or choose another address with --listen", address, byWhom(address))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not be listened on, choose a port above 1023 with --listen: %w", address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine, choose another with --listen: %w", address, err)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// byWhom names the program that listens on an address, " by polymq (pid 12)", where that can be found out.
func byWhom(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	if name, pid := listenerOf(port); pid != 0 {
		return fmt.Sprintf(" by %s (pid %d)", name, pid)
	}
	return ""
}

// reachable gives host:port as a client on this machine writes it.
func reachable(address net.Addr) string {
	at, err := netip.ParseAddrPort(address.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return address.String()
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port()).String()
}

// warnIfExposed tells of an address that others can reach while anybody may do anything. Inside a
// container every address is such a one, and the container's ports decide.
func (s *Server) warnIfExposed() {
	if s.config.Auth != "off" || inContainer() {
		return
	}
	for _, l := range s.listeners {
		if isExposed(l.Addr()) {
			s.log.Warn().Stringer("address", l.Addr()).Msg("whoever can reach this address can read and change all queues: auth is off")
		}
	}
}

// isExposed reports whether other machines may reach an address.
func isExposed(address net.Addr) bool {
	at, err := netip.ParseAddrPort(address.String())
	return err == nil && !at.Addr().Unmap().IsLoopback()
}

func inContainer() bool {
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" || os.Getenv("container") != "" {
		return true
	}
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}
