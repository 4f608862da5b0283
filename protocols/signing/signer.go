package signing

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

const (
	secretName  = "push_signing"
	keyBits     = 2048
	loadTimeout = 10 * time.Second
	commonName  = "sns.amazonaws.com"        // which validators of SNS messages look for; nobody looks in MNS's
	lifetime    = 100 * 365 * 24 * time.Hour // of the certificate
)

// Signer signs with the key of all servers. It loads or makes it when it is first asked to.
type Signer struct {
	broker *core.Broker
	room   chan struct{} // a place for each signature that is being made

	mu          sync.Mutex
	key         *rsa.PrivateKey // nil: not loaded yet
	certificate []byte          // PEM
}

// New makes a Signer. It makes as many signatures at once as there are processors: thousands begun together would all be
// late, and the pushes that they are for with them.
func New(broker *core.Broker) *Signer {
	return &Signer{broker: broker, room: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// SignSHA1 gives the RSA PKCS#1 v1.5 signature of a SHA-1 digest.
func (s *Signer) SignSHA1(digest [20]byte) ([]byte, error) { return s.sign(crypto.SHA1, digest[:]) }

// SignSHA256 gives the RSA PKCS#1 v1.5 signature of a SHA-256 digest.
func (s *Signer) SignSHA256(digest [32]byte) ([]byte, error) { return s.sign(crypto.SHA256, digest[:]) }

func (s *Signer) sign(hash crypto.Hash, digest []byte) ([]byte, error) {
	key, _, err := s.load()
	if err != nil {
		return nil, err
	}
	s.room <- struct{}{}
	defer func() { <-s.room }()
	return rsa.SignPKCS1v15(nil, key, hash, digest)
}

// Certificate gives the key's certificate as PEM.
func (s *Signer) Certificate() ([]byte, error) {
	_, certificate, err := s.load()
	return certificate, err
}

// load gives the key and its certificate. A failure is forgotten, so that the next call tries again.
func (s *Signer) load() (*rsa.PrivateKey, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, s.certificate, nil
	}
	pair, err := s.shared(nil)
	if err == nil && pair == nil {
		if pair, err = makePair(); err == nil { // which takes seconds where the processor is busy
			pair, err = s.shared(pair)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("load the key that signs pushes: %w", err)
	}
	if s.key, s.certificate, err = readPair(pair); err != nil {
		return nil, nil, fmt.Errorf("read the key that signs pushes: %w", err)
	}
	return s.key, s.certificate, nil
}

// shared gives the pair of all servers, which is the given one where there was none; nil if there is none.
func (s *Signer) shared(pair []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	if pair == nil {
		return s.broker.FindSecret(ctx, secretName)
	}
	return s.broker.SharedSecret(ctx, secretName, pair)
}

// makePair makes a key and its certificate, both in PEM, the certificate last.
func makePair() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{Organization: []string{"polymq"}, CommonName: commonName},
		NotBefore:    now.Add(-24 * time.Hour), // for receivers whose clocks are behind
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pair := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return append(pair, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...), nil
}

func readPair(pair []byte) (*rsa.PrivateKey, []byte, error) {
	block, certificate := pem.Decode(pair)
	if block == nil || len(certificate) == 0 {
		return nil, nil, errors.New("it is not in PEM")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return key, certificate, err
}
