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
	certificate, key := ours.sign(t)
	postgres := startPostgres(t) // which only then has a folder
	postgres.stop(t)
	postgres.write(t, "server.crt", certificate)
	postgres.write(t, "server.key", key)
	postgres.write(t, "user.conf", "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n")
	postgres.start(t)
	verified := func(a *authority) string {
		return strings.Replace(postgres.url, "sslmode=disable", "sslmode=verify-full&sslrootcert="+a.file, 1)
	}
	srv := serve(t, "--database-url", verified(ours))
	createQueue(t, srv.url, "orders")
	load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
	load.run(t)
	load.settle(t, newAPI(srv.url, "orders"))

	conn, err := pgx.Connect(t.Context(), verified(ours))
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

	output, err := exec.CommandContext(t.Context(), binary, "serve", "--listen", "127.0.0.1:0", "--database-url", verified(other)).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "certificate") {
		t.Errorf("with another authority: %v, %s", err, output)
	}
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
	postgres := startPostgres(t)
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(postgres.password)
	url := strings.Replace(postgres.url, ":"+postgres.password+"@", "@", 1)
	srv := serve(t, "--database-url", url, "--database-password-file", file)
	createQueue(t, srv.url, "orders")
	load := startLoad(t, newLedger(), clients(srv.url, "orders")...)
	load.run(t)

	conn, err := pgx.Connect(t.Context(), postgres.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	const changed = "another one"
	if _, err := conn.Exec(t.Context(), fmt.Sprintf(`ALTER ROLE CURRENT_USER PASSWORD '%s'`, changed)); err != nil {
		t.Fatal(err)
	}
	write(changed)
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	mustSucceedSoon(t, load, time.Now())
	mustBeRetryable(t, load.failed())
	load.run(t)
	load.settle(t, newAPI(srv.url, "orders"))
}
