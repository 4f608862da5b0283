package sns

import (
	"crypto/sha1" // #nosec G505 -- signature version 1 is of SHA-1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/polymq/polymq/protocols/signing"
)

// signer signs messages with the one key of all servers on a database.
type signer struct {
	key *signing.Signer

	mu     sync.Mutex
	recent map[[sha256.Size]byte]func() (signed, error) // what was signed lately, or is being: many subscribers get the same
}

// signed is a signature, and the path of the certificate that it is verified with.
type signed struct {
	signature   string
	certificate string
}

// maxRecent bounds how many signatures are remembered.
const maxRecent = 4096

// The path under which the certificate is served has its digest in between.
const (
	pathPrefix = "/SimpleNotificationService-"
	pathSuffix = ".pem"
)

// certificate gives the certificate, and the path under which it is served.
func (s *signer) certificate() (pem []byte, path string, err error) {
	if pem, err = s.key.Certificate(); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(pem)
	return pem, pathPrefix + hex.EncodeToString(sum[:16]) + pathSuffix, nil
}

// sign signs a text with the digest of a version, once for all that ask for it at the same time.
func (s *signer) sign(version, text string) (signed, error) {
	key := sha256.Sum256([]byte(version + "\n" + text))
	s.mu.Lock()
	once, ok := s.recent[key]
	if !ok {
		if s.recent == nil || len(s.recent) >= maxRecent {
			s.recent = map[[sha256.Size]byte]func() (signed, error){}
		}
		once = sync.OnceValues(func() (signed, error) { return s.signAnew(version, text) })
		s.recent[key] = once
	}
	s.mu.Unlock()
	done, err := once()
	if err != nil { // the next one tries again
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.recent, key)
	}
	return done, err
}

func (s *signer) signAnew(version, text string) (signed, error) {
	_, path, err := s.certificate()
	if err != nil {
		return signed{}, fmt.Errorf("sign a message: %w", err)
	}
	var signature []byte
	if version == "2" {
		signature, err = s.key.SignSHA256(sha256.Sum256([]byte(text)))
	} else {
		signature, err = s.key.SignSHA1(sha1.Sum([]byte(text))) // #nosec G401
	}
	if err != nil {
		return signed{}, fmt.Errorf("sign a message: %w", err)
	}
	return signed{base64.StdEncoding.EncodeToString(signature), path}, nil
}

// IsCertificate says that a request asks for the certificate.
func IsCertificate(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.HasPrefix(r.URL.Path, pathPrefix) && strings.HasSuffix(r.URL.Path, pathSuffix)
}

// serveCertificate answers with the certificate that signatures are verified with.
func (s *Server) serveCertificate(w http.ResponseWriter, r *http.Request) {
	pem, path, err := s.signer.certificate()
	switch {
	case err != nil:
		http.Error(w, "the certificate cannot be read now", http.StatusServiceUnavailable)
		return
	case r.URL.Path != path:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Length", strconv.Itoa(len(pem)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(pem) // nobody is left to tell
}
