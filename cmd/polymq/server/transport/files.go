package transport

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// rereadEvery is how long after a look at the files a handshake looks again.
const rereadEvery = time.Second

// Files are a certificate and its key in files, which may be replaced while the server runs.
type Files struct {
	cert, key string
	now       func() time.Time
	failed    func(error) // is told of new files that cannot be used

	mu       sync.Mutex
	certPEM  []byte
	keyPEM   []byte
	pair     *tls.Certificate
	lookedAt time.Time
	told     bool // of the failure of the files as they are
}

// OpenFiles reads a certificate and its key, both in PEM. failed is told, once, of files that replace them and
// cannot be used; the last good pair stays in use then.
func OpenFiles(cert, key string, failed func(error)) (*Files, error) {
	f := &Files{cert: cert, key: key, now: time.Now, failed: failed}
	if err := f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// Config gives TLS's configuration.
func (f *Files) Config() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current(), nil })
}

// current gives the pair, after a look at the files where the last one is some time ago.
func (f *Files) current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now().Sub(f.lookedAt) < rereadEvery {
		return f.pair
	}
	if err := f.read(); err != nil {
		if !f.told {
			f.told = true
			f.failed(err)
		}
	}
	return f.pair
}

// read reads the files and takes them into use where they differ.
func (f *Files) read() error {
	f.lookedAt = f.now()
	certPEM, err := os.ReadFile(f.cert)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(f.key)
	if err != nil {
		return fmt.Errorf("read the certificate's key: %w", err)
	}
	if f.pair != nil && bytes.Equal(certPEM, f.certPEM) && bytes.Equal(keyPEM, f.keyPEM) {
		f.told = false
		return nil
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("use the certificate %s with the key %s: %w", f.cert, f.key, err)
	}
	f.certPEM, f.keyPEM, f.pair, f.told = certPEM, keyPEM, &pair, false
	return nil
}

// config is what all ways of TLS have in common.
func config(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: certificate}
}
