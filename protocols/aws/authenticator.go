package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// Authenticator tells who sends the requests of one of AWS's services.
type Authenticator struct {
	service string // in the scopes of credentials: "sqs"
	callers *caller.Options
	keys    signingKeys
	now     func() time.Time
}

// NewAuthenticator makes an Authenticator of a service.
func NewAuthenticator(service string, callers *caller.Options) *Authenticator {
	return &Authenticator{service: service, callers: callers, now: time.Now}
}

// maxSkew is how far a request's time may lie from the server's.
const maxSkew = 15 * time.Minute

// Authenticate completes the caller that Identify found: with its access key and that key's account.
// Where requests must be signed, it does so only if this one is, and rightly. body is what ReadBody
// gave. *AuthError for what the client did wrong; Throttled for an account that asks too often.
func (a *Authenticator) Authenticate(r *http.Request, body []byte, c *caller.Caller) error {
	if err := a.identify(r, body, c); err != nil {
		return err
	}
	return a.callers.Admit(c)
}

func (a *Authenticator) identify(r *http.Request, body []byte, c *caller.Caller) error {
	if !a.callers.Verify {
		return a.callers.Recognize(r.Context(), c)
	}
	s, err := readSignature(r)
	if err != nil {
		return unsigned(c, err)
	}
	if err := a.checkScope(s, r); err != nil {
		return err
	}
	if err := s.checkTime(a.now()); err != nil {
		return err
	}
	key, err := a.callers.FindKey(r.Context(), s.keyID)
	if err != nil {
		return err
	}
	if key == nil || key.Disabled || key.Secret == "" {
		return errUnknownKey
	}
	payload, err := s.payload(r, body)
	if err != nil {
		return err
	}
	if !a.verify(r, s, key.Secret, payload) {
		return errWrongSignature
	}
	switch {
	case !key.TokenMatches(s.token):
		return errUnknownKey
	case key.Expired:
		return errExpiredToken
	}
	c.AccessKeyID, c.Verified = key.ID, true
	if !a.callers.OneRegion {
		c.Region = s.region // as it is signed, whatever else the header says
	}
	c.Is(key)
	return nil
}

// unsigned says what is the matter with a request without a signature of version 4.
func unsigned(c *caller.Caller, err error) error {
	if errors.Is(err, ErrNotSigned) && c.AccessKeyID != "" {
		return errOldSignature
	}
	return err
}

// checkScope says whether the signature is meant for this service and for the region of the host.
func (a *Authenticator) checkScope(s *signature, r *http.Request) error {
	switch hostRegion := caller.RegionOfHost(r.Host); {
	case !caller.IsRegion(s.region), hostRegion != "" && hostRegion != s.region && a.service != "sts": // STS has a global endpoint
		return mismatch("Credential should be scoped to a valid region, not '%.64s'. ", s.region)
	case s.service != a.service:
		return mismatch("Credential should be scoped to correct service: '%s'. ", a.service)
	case s.terminator != scopeEnd:
		return mismatch("Credential should be scoped with a valid terminator: '%s', not '%.64s'.", scopeEnd, s.terminator)
	case s.date != s.stamp[:len(s.date)]:
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			s.date, s.stamp[:len(s.date)], s.stamp)
	}
	return nil
}

// checkTime says whether the signature is good at this moment.
func (s *signature) checkTime(now time.Time) error {
	life := maxSkew
	if s.presigned && s.expires > 0 {
		life = s.expires
	}
	format := func(t time.Time) string { return t.UTC().Format(stampLayout) }
	switch {
	case s.time.After(now.Add(maxSkew)):
		return mismatch("Signature not yet current: %s is still later than %s (%s + 15 min.)", s.stamp, format(now.Add(maxSkew)), format(now))
	case now.After(s.time.Add(life)) && s.presigned && s.expires > 0:
		return mismatch("Signature expired: %s is now earlier than %s (%s - %d min.)", s.stamp, format(now.Add(-life)), format(now), life/time.Minute)
	case now.After(s.time.Add(life)):
		return mismatch("Signature expired: %s is now earlier than %s (%s - 15 min.)", s.stamp, format(now.Add(-maxSkew)), format(now))
	}
	return nil
}

// Values of X-Amz-Content-Sha256 that are no digests.
const (
	unsignedPayload  = "UNSIGNED-PAYLOAD"
	streamingPayload = "STREAMING-"
)

// payload gives what stands for the body in the canonical request: its digest. A client may leave a
// body unsigned only if there is none, for whoever passes a request on could change it.
func (s *signature) payload(r *http.Request, body []byte) (string, error) {
	declared := r.Header.Get("X-Amz-Content-Sha256")
	if s.presigned {
		declared = s.content
	}
	switch {
	case strings.HasPrefix(declared, streamingPayload):
		return "", incomplete("A body in chunks of their own signatures (%.64s) is not supported by this service.", declared)
	case declared == unsignedPayload && len(body) > 0:
		return "", mismatch("The body of the request must be signed.")
	case declared == unsignedPayload:
		return unsignedPayload, nil
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") && len(body) > 0 {
		raw, err := io.ReadAll(r.Body) // in memory, since ReadBody
		if err != nil {
			return "", fmt.Errorf("read the encoded body again: %w", err)
		}
		body = raw
	}
	digest := emptyDigest
	if len(body) > 0 {
		sum := sha256.Sum256(body)
		digest = hex.EncodeToString(sum[:])
	}
	if declared != "" && declared != digest {
		return "", errWrongSignature
	}
	return digest, nil
}

const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// verify compares the signature with the one that the secret gives. Proxies that rewrite the host, and
// clients that sign a tidied path or leave an empty body unsigned, make for more than one way to
// compute it; the first is nearly always the right one.
func (a *Authenticator) verify(r *http.Request, s *signature, secret core.Secret, payload string) bool {
	key, cached := a.keys.get(secret, s)
	if !cached {
		key = deriveKey(secret, s)
	}
	good := func(host, path, payload string) bool {
		got := s.compute(key[:], r, host, path, payload)
		return hmac.Equal(got[:], s.mac[:])
	}
	wire := wirePath(r)
	if good(r.Host, wire, payload) || s.presigned && payload == emptyDigest && good(r.Host, wire, unsignedPayload) || a.verifyOtherwise(r, wire, payload, good) {
		if !cached { // only now, so that nobody without a secret can fill the cache
			a.keys.put(secret, s, key)
		}
		return true
	}
	return false
}

// verifyOtherwise tries what else a client may have signed.
func (a *Authenticator) verifyOtherwise(r *http.Request, wire, payload string, good func(host, path, payload string) bool) bool {
	tidy := wire
	if strings.Contains(wire, "//") || strings.Contains(wire, "/.") {
		if tidy = path.Clean(wire); strings.HasSuffix(wire, "/") && tidy != "/" {
			tidy += "/"
		}
		if good(r.Host, tidy, payload) {
			return true
		}
	}
	for _, host := range a.callers.OtherHosts(r) {
		if good(host, wire, payload) || tidy != wire && good(host, tidy, payload) {
			return true
		}
	}
	return false
}

// wirePath gives a request's path as it was on the wire.
func wirePath(r *http.Request) string {
	if p := r.URL.EscapedPath(); p != "" {
		return p
	}
	return "/"
}
