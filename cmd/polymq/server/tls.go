package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/polymq/polymq/cmd/polymq/server/transport"
)

// secure prepares TLS, where it is asked for.
func (s *Server) secure(ctx context.Context) error {
	switch {
	case s.config.TLSCert != "":
		files, err := transport.OpenFiles(s.config.TLSCert, s.config.TLSKey, func(err error) {
			s.log.Error().Err(err).Msg("the new TLS certificate cannot be used, the one before stays in use")
		})
		if err != nil {
			return fmt.Errorf("tls-cert: %w", err)
		}
		s.tls = files.Config()
	case s.config.TLS == "auto":
		if s.database.Options.MasterKey == nil {
			return errors.New("tls auto needs a master key, under which the key of its certificate authority is encrypted in your database: " +
				"put one into a file (openssl rand -hex 32) that all servers get as master-key-file")
		}
		authority, err := transport.OpenAuthority(ctx, s.broker, s.config.names())
		if err != nil {
			return err
		}
		s.tls, s.authority = authority.Config(), authority.Certificate()
	}
	return nil
}

// names gives the hosts and addresses under which clients reach the server, as far as it can know them.
func (c Config) names() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, strings.ToLower(host))
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		names = append(names, strings.ToLower(u.Hostname()))
	}
	for _, address := range c.Listen {
		host, _, err := net.SplitHostPort(address)
		if ip, ipErr := netip.ParseAddr(host); err == nil && host != "" && (ipErr != nil || !ip.IsUnspecified()) {
			names = append(names, strings.ToLower(host))
		}
	}
	return names
}

// checkTLS finds faults of the settings of TLS.
func (c Config) checkTLS(fault func(name, format string, args ...any)) {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		fault("tls-cert", "and tls-key are given both or not at all")
	case c.TLSCert != "" && c.TLS == "auto":
		fault("tls", "auto makes certificates, and tls-cert is given as well: only one of them can be")
	}
}

// handle takes a listener's connections: encrypted ones too, where TLS is on.
func (s *Server) handle(l net.Listener) []net.Listener {
	if s.tls == nil {
		return []net.Listener{l}
	}
	plain, encrypted := transport.Split(l)
	return []net.Listener{plain, tls.NewListener(encrypted, s.tls)}
}
