package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

const tlsMasterKey core.Secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func TestTLSSettings(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, "")
	tests := map[string]struct {
		config Config
		want   string
	}{
		"off":            {Config{}, ""},
		"auto":           {Config{TLS: "auto"}, ""},
		"files":          {Config{TLSCert: file, TLSKey: file}, ""},
		"no such file":   {Config{TLSCert: file, TLSKey: file + "x"}, "tls-key: "},
		"half a pair":    {Config{TLSCert: "c"}, "tls-key"},
		"the other half": {Config{TLSKey: "k"}, "tls-key"},
		"both":           {Config{TLS: "auto", TLSCert: "c", TLSKey: "k"}, "only one"},
		"something else": {Config{TLS: "on"}, "off or auto"},
	}
	for name, tt := range tests {
		err := tt.config.Check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	for name, config := range map[string]Config{
		"master key": {DatabaseURL: pgtest.DatabaseURL(t), TLS: "auto", Listen: []string{"127.0.0.1:0"}},
		"tls-cert":   {DatabaseURL: pgtest.DatabaseURL(t), TLSCert: "/none", TLSKey: "/none", Listen: []string{"127.0.0.1:0"}},
	} {
		config.LogOutput = io.Discard
		if srv, err := Start(t.Context(), config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("started %v with %v, want a word about the %s", srv, err, name)
		}
	}
}

// The authority is one for the servers of a database, and its key is not readable there.
func TestTheAuthorityIsTheDatabases(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	config := Config{DatabaseURL: url, TLS: "auto", MasterKey: tlsMasterKey}
	first, second := start(t, config), start(t, config)
	if string(first.authority) == "" || string(first.authority) != string(second.authority) {
		t.Error("two servers of a database have authorities of their own")
	}
	keyless := start(t, Config{DatabaseURL: url})
	if secret, err := keyless.Broker().FindSecret(t.Context(), "tls_authority"); err == nil {
		t.Errorf("without the master key the authority's key is read as %d bytes", len(secret))
	}
}

func TestTLSByFiles(t *testing.T) {
	t.Parallel()
	made := start(t, Config{DatabaseURL: pgtest.DatabaseURL(t), TLS: "auto", MasterKey: tlsMasterKey})
	pair, err := made.Broker().FindSecret(t.Context(), "tls_authority")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	at := strings.Index(string(pair), "-----BEGIN CERTIFICATE")
	for path, text := range map[string][]byte{cert: pair[at:], key: pair[:at]} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srv := start(t, Config{DatabaseURL: pgtest.DatabaseURL(t), TLSCert: cert, TLSKey: key})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pair[at:])
	conn, err := tls.Dial("tcp", strings.TrimPrefix(srv.URL(), "https://"), &tls.Config{
		MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // verified below: it is no server's certificate
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool})
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	resp, err := httpClient.Get(strings.Replace(srv.URL(), "https", "http", 1) + "/api/v1/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("whose certificate is the operator's own answers %d to the authority's", resp.StatusCode)
	}
}

// A running server takes new files into use, and keeps the old ones while the new cannot be used.
func TestTLSFilesAreReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	replace := func() *x509.Certificate {
		t.Helper()
		made := start(t, Config{DatabaseURL: pgtest.DatabaseURL(t), TLS: "auto", MasterKey: tlsMasterKey})
		pair, err := made.Broker().FindSecret(t.Context(), "tls_authority")
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Index(string(pair), "-----BEGIN CERTIFICATE")
		for path, text := range map[string][]byte{cert: pair[at:], key: pair[:at]} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		block, _ := pem.Decode(pair[at:])
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	first := replace()
	srv := start(t, Config{DatabaseURL: pgtest.DatabaseURL(t), TLSCert: cert, TLSKey: key})
	shown := func() *x509.Certificate {
		t.Helper()
		conn, err := tls.Dial("tcp", strings.TrimPrefix(srv.URL(), "https://"), &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}) // which one it is, is the question
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0]
	}
	if !shown().Equal(first) {
		t.Error("another certificate than the file's is in use")
	}
	second := replace()
	deadline := time.Now().Add(30 * time.Second)
	for !shown().Equal(second) {
		if time.Now().After(deadline) {
			t.Fatal("the new certificate was not taken into use")
		}
	}
	if err := os.WriteFile(cert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !shown().Equal(second) {
			t.Error("a broken file has put out the one before")
		}
	}
}
