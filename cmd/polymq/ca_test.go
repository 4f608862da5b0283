package main

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestCACommand(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), TLS: "auto", MasterKey: testMasterKey})
	for _, endpoint := range []string{srv.URL(), strings.Replace(srv.URL(), "https://", "http://", 1), strings.TrimPrefix(srv.URL(), "https://")} {
		out, err := polymq([]string{"POLYMQ_ENDPOINT=" + endpoint}, "ca")
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode([]byte(out))
		if block == nil || len(rest) > 0 {
			t.Fatalf("printed %q", out)
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err != nil || !certificate.IsCA {
			t.Errorf("it is no authority's certificate, %v", err)
		}
	}
	if _, err := polymq([]string{"POLYMQ_ENDPOINT=http://127.0.0.1:1"}, "ca"); client.ExitCode(err) != client.ExitUnavailable {
		t.Errorf("of no server: %v, exit code %d", err, client.ExitCode(err))
	}
	plain := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t)})
	if out, err := polymq([]string{"POLYMQ_ENDPOINT=" + plain.URL()}, "ca"); err == nil || !strings.Contains(err.Error(), "--tls auto") {
		t.Errorf("of a server without TLS: %q and %v", out, err)
	}
}
