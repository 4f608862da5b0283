package push

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/polymq/polymq/core"
)

// metadata are the addresses at which clouds hand credentials to whoever asks.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),         // nearly all
	netip.MustParsePrefix("fe80::a9fe:a9fe/128"),    // OpenStack
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba
	netip.MustParsePrefix("fd00:100::100:200/128"),  // Alibaba
	netip.MustParsePrefix("fd00:ec2::254/128"),      // AWS
	netip.MustParsePrefix("fd00:ec2::23/128"),       // AWS, of pods
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure
	netip.MustParsePrefix("fd20:ce::254/128"),       // Google
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle
	netip.MustParsePrefix("192.0.0.192/32"),         // Oracle, at first
	netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),  // Akamai
	netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
}

// inside are addresses that are not public, besides those that netip knows to be private, of this machine or
// of this link.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/128"),
	netip.MustParsePrefix("fec0::/10"),
	localNAT64,
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// errForbidden says that an address must not be connected to.
var errForbidden = errors.New(core.ReasonForbidden)

// addresses says which addresses may be dialled.
type addresses struct {
	open  bool           // those that are not public as well
	allow []netip.Prefix // of those that are not public
}

// control is of net.Dialer: it sees the address of each connection before it is made.
func (a addresses) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is no address", errForbidden, address)
	}
	if !a.allowed(at.Addr()) {
		return errForbidden
	}
	return nil
}

func (a addresses) allowed(ip netip.Addr) bool {
	ip = carried(ip.WithZone("").Unmap())
	if within(metadata, ip) || slices.ContainsFunc(behindNAT64(ip), func(ip netip.Addr) bool { return within(metadata, ip) }) {
		return false
	}
	return a.open || !isInside(ip) || within(a.allow, ip)
}

// carried gives the IPv4 address that an IPv6 address leads to, or else the address itself.
func carried(ip netip.Addr) netip.Addr {
	raw := ip.As16()
	switch {
	case nat64.Contains(ip), translated.Contains(ip):
		return netip.AddrFrom4([4]byte(raw[12:16]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(raw[2:6]))
	case ip.Is6() && binary.BigEndian.Uint64(raw[0:8]) == 0 && binary.BigEndian.Uint32(raw[8:12]) == 0 && binary.BigEndian.Uint32(raw[12:16]) > 1:
		return netip.AddrFrom4([4]byte(raw[12:16])) // IPv4-compatible
	}
	return ip
}

// behindNAT64 gives the IPv4 addresses that one of localNAT64 may lead to. Where in it they stand depends on how long the prefix is
// that the network has taken of it, which only the network knows (RFC 6052, 2.2).
func behindNAT64(ip netip.Addr) []netip.Addr {
	if !localNAT64.Contains(ip) {
		return nil
	}
	raw := ip.As16()
	return []netip.Addr{
		netip.AddrFrom4([4]byte{raw[6], raw[7], raw[9], raw[10]}),
		netip.AddrFrom4([4]byte{raw[7], raw[9], raw[10], raw[11]}),
		netip.AddrFrom4([4]byte(raw[9:13])),
		netip.AddrFrom4([4]byte(raw[12:16])),
	}
}

func isInside(ip netip.Addr) bool {
	return !ip.IsGlobalUnicast() || ip.IsPrivate() || within(inside, ip)
}

func within(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
