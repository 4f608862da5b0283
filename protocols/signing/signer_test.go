package signing_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/signing"
)

// What one server signs, the certificate that another one serves proves.
func TestSigner(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	served, err := signing.New(broker).Certificate()
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(served)
	if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		t.Fatalf("got %s", served)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signer := signing.New(broker)
	old, err := signer.SignSHA1(sha1.Sum([]byte("hello")))
	if err != nil {
		t.Fatal(err)
	}
	recent, err := signer.SignSHA256(sha256.Sum256([]byte("hello")))
	if err != nil {
		t.Fatal(err)
	}
	key := certificate.PublicKey.(*rsa.PublicKey)
	sha1Digest, sha256Digest := sha1.Sum([]byte("hello")), sha256.Sum256([]byte("hello"))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA1, sha1Digest[:], old); err != nil {
		t.Errorf("SHA-1: %v", err)
	}
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sha256Digest[:], recent); err != nil {
		t.Errorf("SHA-256: %v", err)
	}
}
