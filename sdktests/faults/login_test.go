package faults

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// polymq talks over TLS to the PostgreSQL that an authority of one's own vouches for, and to no other.
func TestDatabaseOverTLS(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	postgres := startTLS(t, ours)
	srv := serve(t, "--database-url", ours.verified(postgres))
	createQueue(t, srv.url, "orders")
	load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
	load.run(t)
	load.settle(t, newAPI(srv.url, "orders"))

	conn, err := pgx.Connect(t.Context(), ours.verified(postgres))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var plain, encrypted int
	err = conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE NOT s.ssl), count(*) FILTER (WHERE s.ssl)
		FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.client_addr IS NOT NULL AND a.pid <> pg_backend_pid()`).Scan(&plain, &encrypted)
	if err != nil || plain > 0 || encrypted < 2 {
		t.Errorf("%d sessions are plain, %d encrypted, %v", plain, encrypted, err)
	}

	output, err := exec.CommandContext(t.Context(), binary, "serve", "--listen", "127.0.0.1:0", "--database-url", other.verified(postgres)).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "certificate") {
		t.Errorf("with another authority: %v, %s", err, output)
	}
}

const tlsSettings = "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n"

// startTLS starts a PostgreSQL with a certificate that an authority signed.
func startTLS(t *testing.T, a *authority) *postgres {
	t.Helper()
	certificate, key := a.sign(t)
	p := startPostgres(t) // which only then has a folder
	p.stop(t)
	p.write(t, "server.crt", certificate)
	p.write(t, "server.key", key)
	p.write(t, "user.conf", tlsSettings)
	p.start(t)
	return p
}

// verified gives the URL of a PostgreSQL for who trusts no other authority.
func (a *authority) verified(p *postgres) string {
	return strings.Replace(p.url, "sslmode=disable", "sslmode=verify-full&sslrootcert="+a.file, 1)
}

// authority signs certificates.
type authority struct {
	file        string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{
		file: filepath.Join(t.TempDir(), "ca.pem"),
		certificate: &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		},
		key: newKey(t),
	}
	encoded, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, []byte(inPEM("CERTIFICATE", encoded)), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate for this machine, and its key.
func (a *authority) sign(t *testing.T) (certificate, key string) {
	t.Helper()
	private := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	encoded, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	encodedKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return inPEM("CERTIFICATE", encoded), inPEM("PRIVATE KEY", encodedKey)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func inPEM(kind string, encoded []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: encoded}))
}

// A password that is changed takes effect without a new start: connections that are made from then on use what the file says.
func TestDatabasePasswordChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		line func(password string) string
		args func(url, file string) []string
	}{
		"in a file of its own": {
			line: func(password string) string { return password },
			args: func(url, file string) []string {
				return []string{"--database-url", url, "--database-password-file", file}
			},
		},
		"in the URL's passfile": {
			line: func(password string) string { return "*:*:*:*:" + password },
			args: func(url, file string) []string { return []string{"--database-url", url + "&passfile=" + file} },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			postgres := startPostgres(t)
			file := filepath.Join(t.TempDir(), "password")
			write := func(password string) {
				t.Helper()
				if err := os.WriteFile(file, []byte(tt.line(password)+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(postgres.password)
			mustRideOut(t, tt.args(strings.Replace(postgres.url, ":"+postgres.password+"@", "@", 1), file), postgres.url, func(conn *pgx.Conn) {
				const changed = "another one"
				if _, err := conn.Exec(t.Context(), fmt.Sprintf(`ALTER ROLE CURRENT_USER PASSWORD '%s'`, changed)); err != nil {
					t.Fatal(err)
				}
				write(changed)
			})
		})
	}
}

// The same holds for the authority of the database's certificate.
func TestDatabaseAuthorityChanges(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	postgres := startTLS(t, ours)
	mustRideOut(t, []string{"--database-url", ours.verified(postgres)}, postgres.url, func(*pgx.Conn) {
		certificate, key := other.sign(t)
		postgres.write(t, "server.crt", certificate)
		postgres.write(t, "server.key", key)
		postgres.set(t, tlsSettings)
		renewed, err := os.ReadFile(other.file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ours.file, renewed, 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// mustRideOut starts a server under load, changes how its database is logged into, ends all its sessions, and fails unless
// requests soon succeed again.
func mustRideOut(t *testing.T, args []string, url string, change func(*pgx.Conn)) {
	t.Helper()
	srv := serve(t, args...)
	createQueue(t, srv.url, "orders")
	load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
	load.run(t)

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	change(conn)
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	mustSucceedSoon(t, load, time.Now())
	mustBeRetryable(t, load.failed())
	load.run(t)
	load.settle(t, newAPI(srv.url, "orders"))
}
