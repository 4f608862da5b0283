package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Secrets are kept for all servers of a database.
type Secrets interface {
	FindSecret(ctx context.Context, name string) ([]byte, error)
	SharedSecret(ctx context.Context, name string, value []byte) ([]byte, error)
}

const secretName = "tls_authority"

// Lives of certificates. The authority's outlives most databases; browsers take no server's certificate that is
// good for more than 398 days.
const (
	authorityLife = 20 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	clockSlack    = 24 * time.Hour // for clients whose clocks are behind
)

// maxLeaves bounds the certificates that are kept; clients choose the names.
const maxLeaves = 1000

// maxNameLength is DNS's.
const maxNameLength = 253

// Authority signs certificates for the names under which a server is reached.
type Authority struct {
	certificate *x509.Certificate
	pem         []byte
	key         *ecdsa.PrivateKey
	names       []string // that every certificate is good for, besides the one that was asked for
	now         func() time.Time

	mu      sync.Mutex
	leafKey *ecdsa.PrivateKey           // of this server's certificates; kept nowhere
	leaves  map[string]*tls.Certificate // by the name or address asked for
}

// OpenAuthority gives the authority of all servers of a database, made by the first of them. Every certificate
// is good for the names too, hosts or addresses.
func OpenAuthority(ctx context.Context, secrets Secrets, names []string) (*Authority, error) {
	pair, err := secrets.FindSecret(ctx, secretName)
	if err == nil && pair == nil {
		if pair, err = makeAuthority(time.Now()); err == nil {
			pair, err = secrets.SharedSecret(ctx, secretName, pair)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load the certificate authority: %w", err)
	}
	a := &Authority{names: names, now: time.Now, leaves: map[string]*tls.Certificate{}}
	if err := a.read(pair); err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	if a.leafKey, err = newKey(); err != nil {
		return nil, err
	}
	return a, nil
}

// Certificate gives the authority's certificate in PEM, for clients to trust.
func (a *Authority) Certificate() []byte { return a.pem }

// Config gives TLS's configuration.
func (a *Authority) Config() *tls.Config {
	return config(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.leaf(nameOf(hello)) })
}

// nameOf gives what the client calls the server: the name that it sends, else the address that it came to.
func nameOf(hello *tls.ClientHelloInfo) string {
	if name := strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")); isHost(name) {
		return name
	}
	if hello.Conn == nil {
		return ""
	}
	if at, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String()); err == nil {
		return at.Addr().Unmap().WithZone("").String()
	}
	return ""
}

// isHost says that a certificate can be made for the name.
func isHost(name string) bool {
	if name == "" || len(name) > maxNameLength {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return true
}

// leaf gives a certificate for a name, made now or before.
func (a *Authority) leaf(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf := a.leaves[name]; leaf != nil && a.now().Before(leaf.Leaf.NotAfter.Add(-renewBefore)) {
		return leaf, nil
	}
	leaf, err := a.sign(name)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for %q: %w", name, err)
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	a.leaves[name] = leaf
	return leaf, nil
}

func (a *Authority) sign(name string) (*tls.Certificate, error) {
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Organization: []string{"polymq"}},
		NotBefore:    now.Add(-clockSlack),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range append([]string{name}, a.names...) {
		if ip := net.ParseIP(host); ip != nil {
			if !slices.ContainsFunc(template.IPAddresses, ip.Equal) {
				template.IPAddresses = append(template.IPAddresses, ip)
			}
		} else if isHost(host) && !slices.Contains(template.DNSNames, host) {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &a.leafKey.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: a.leafKey, Leaf: parsed}, err
}

// makeAuthority makes a key and its certificate, both in PEM, the certificate last.
func makeAuthority(now time.Time) ([]byte, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{Organization: []string{"polymq"}, CommonName: "polymq " + now.UTC().Format(time.DateOnly)},
		NotBefore:             now.Add(-clockSlack),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...), nil
}

func (a *Authority) read(pair []byte) error {
	block, rest := pem.Decode(pair)
	certificate, _ := pem.Decode(rest)
	if block == nil || certificate == nil {
		return errors.New("it is not in PEM")
	}
	var err error
	if a.key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
		return err
	}
	a.pem = pem.EncodeToMemory(certificate)
	a.certificate, err = x509.ParseCertificate(certificate.Bytes)
	return err
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

// serial gives a number that no other certificate of the authority has.
func serial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	raw[0] &= 0x7f
	return new(big.Int).SetBytes(raw)
}
