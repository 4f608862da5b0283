package openapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a request's time may lie from the server's.
const maxSkew = 15 * time.Minute

const timeLayout = "2006-01-02T15:04:05Z"

// signature is what a request says of how it was signed.
type signature struct {
	keyID string
	token string
	stamp string
	nonce string
	given string
	text  string                           // to sign; clients read it in errors, behind the first colon
	mac   func(secret, text string) string // the signature of a text

	others []string // texts that the client may have signed instead: not knowing of a proxy, or of a parameter twice
}

// fits says that the signature is that of the request.
func (s *signature) fits(secret string) bool {
	for _, text := range append([]string{s.text}, s.others...) {
		if hmac.Equal([]byte(s.mac(secret, text)), []byte(s.given)) {
			return true
		}
	}
	return false
}

// authenticate makes sure that the caller is who it says it is, where that is asked for.
func (s *Server) authenticate(r *http.Request, body []byte, c *Call) error {
	if !s.callers.Verify {
		return s.callers.Recognize(r.Context(), &c.Caller)
	}
	sig, err := readSignature(r, body, s.callers.OtherHosts(r))
	if err != nil {
		return err
	}
	at, err := time.Parse(timeLayout, sig.stamp)
	if err != nil {
		return NewFault(http.StatusBadRequest, "InvalidTimeStamp.Format", "the time of the request must be of the form 2006-01-02T15:04:05Z")
	}
	if skew := s.now().Sub(at); skew > maxSkew || skew < -maxSkew {
		return NewFault(http.StatusBadRequest, "InvalidTimeStamp.Expired", "the time of the request is more than 15 minutes from the server's")
	}
	key, err := s.callers.FindKey(r.Context(), sig.keyID)
	switch {
	case err != nil:
		return err
	case key == nil || key.Secret == "":
		return NewFault(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "the access key does not exist")
	case key.Disabled:
		return NewFault(http.StatusBadRequest, "InvalidAccessKeyId.Inactive", "the access key is disabled")
	case !sig.fits(string(key.Secret)):
		return NewFault(http.StatusBadRequest, "SignatureDoesNotMatch", "the signature is not that of the request by the key's secret"+stringToSign+sig.text)
	case !key.TokenMatches(sig.token):
		return NewFault(http.StatusBadRequest, "InvalidSecurityToken.MismatchWithAccessKey", "the security token is not the access key's")
	case key.Expired:
		return NewFault(http.StatusBadRequest, "InvalidSecurityToken.Expired", "the security token has expired")
	}
	if err := s.useNonce(r.Context(), sig); err != nil {
		return err
	}
	c.AccessKeyID, c.Verified = key.ID, true
	c.Is(key)
	return nil
}

// stringToSign stands before what a request's signature covers, its parameters among them.
const stringToSign = ", server string to sign is:"

// maxNonceLength bounds nonces; clients use up to 36 characters.
const maxNonceLength = 256

// useNonce refuses a request that was seen before. One from the future could be sent again until twice the skew
// from now.
func (s *Server) useNonce(ctx context.Context, sig *signature) error {
	if sig.nonce == "" || len(sig.nonce) > maxNonceLength {
		return errIncomplete
	}
	first, err := s.nonces.UseNonce(ctx, sig.keyID, sig.nonce, 2*maxSkew)
	if err == nil && !first {
		err = NewFault(http.StatusBadRequest, "SignatureNonceUsed", "the signature's nonce was used before")
	}
	return err
}

// readSignature reads a signature of either kind. hosts are those that the client may have used besides the
// request's, where a proxy changes it.
func readSignature(r *http.Request, body []byte, hosts []string) (*signature, error) {
	switch authorization := r.Header["Authorization"]; len(authorization) {
	case 0:
	case 1:
		return readACS3(r, body, authorization[0], hosts)
	default:
		return nil, errIncomplete
	}
	return readRPC(r, body)
}

var errIncomplete = NewFault(http.StatusBadRequest, "IncompleteSignature", "the signature is not of a form that is understood")

// readACS3 reads an ACS3-HMAC-SHA256 signature (specs/mns-openapi.md 3.1).
func readACS3(r *http.Request, body []byte, authorization string, hosts []string) (*signature, error) {
	parameters, isACS3 := strings.CutPrefix(authorization, "ACS3-HMAC-SHA256 ")
	if !isACS3 {
		return nil, errIncomplete
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(parameters, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	for _, name := range []string{"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256", "x-acs-signature-nonce"} {
		if !slices.Contains(signed, name) {
			return nil, errIncomplete
		}
	}
	sum := sha256.Sum256(body)
	if digest := r.Header.Get("X-Acs-Content-Sha256"); digest != hex.EncodeToString(sum[:]) {
		return nil, NewFault(http.StatusBadRequest, "SignatureDoesNotMatch", "x-acs-content-sha256 is not that of the body")
	}
	toSign := func(host string) string {
		digest := sha256.Sum256([]byte(canonicalRequest(r, host, signed)))
		return "ACS3-HMAC-SHA256\n" + hex.EncodeToString(digest[:])
	}
	var others []string
	for _, host := range hosts {
		others = append(others, toSign(host))
	}
	return &signature{
		keyID: fields["Credential"], token: r.Header.Get("X-Acs-Security-Token"),
		stamp: r.Header.Get("X-Acs-Date"), nonce: r.Header.Get("X-Acs-Signature-Nonce"), given: fields["Signature"],
		text: toSign(r.Host), others: others,
		mac: func(secret, text string) string {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(text))
			return hex.EncodeToString(mac.Sum(nil))
		},
	}, nil
}

// canonicalRequest is what an ACS3 signature covers. Blanks come as + on the wire and are signed as %20.
func canonicalRequest(r *http.Request, host string, signed []string) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	lines := []string{r.Method, path, canonicalQuery(r.URL.Query())}
	for _, name := range signed {
		values := slices.Clone(r.Header.Values(name))
		if name == "host" {
			values = []string{host}
		}
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
		slices.Sort(values)
		lines = append(lines, name+":"+strings.Join(values, ","))
	}
	return strings.Join(append(lines, "", strings.Join(signed, ";"), r.Header.Get("X-Acs-Content-Sha256")), "\n")
}

// readRPC reads an HMAC-SHA1 signature among the parameters (specs/mns-openapi.md 3.2). It covers no
// headers, and so those that name the action and the version must name those of the parameters, as clients do.
func readRPC(r *http.Request, body []byte) (*signature, error) {
	all := r.URL.Query()
	if isForm(r.Header) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errIncomplete
		}
		for name, values := range form {
			all[name] = append(all[name], values...)
		}
	}
	for _, name := range []string{"AccessKeyId", "Signature", "SignatureMethod", "Timestamp", "SignatureNonce"} {
		if all.Get(name) == "" {
			return nil, Missing(name)
		}
	}
	if all.Get("SignatureMethod") != "HMAC-SHA1" {
		return nil, errIncomplete
	}
	for _, name := range []string{"Action", "Version"} {
		if named := r.Header.Get("X-Acs-" + name); named != "" && named != all.Get(name) {
			return nil, errIncomplete
		}
	}
	given := all.Get("Signature")
	all.Del("Signature")
	text := r.Method + "&%2F&" + encode(canonicalQuery(all))
	for name, values := range all { // of what stands in the query and, the same, in the form, cores sign one
		all[name] = slices.Compact(values)
	}
	return &signature{
		keyID: all.Get("AccessKeyId"), token: all.Get("SecurityToken"), stamp: all.Get("Timestamp"), nonce: all.Get("SignatureNonce"), given: given, text: text,
		others: []string{r.Method + "&%2F&" + encode(canonicalQuery(all))},
		mac: func(secret, text string) string {
			mac := hmac.New(sha1.New, []byte(secret+"&"))
			mac.Write([]byte(text))
			return base64.StdEncoding.EncodeToString(mac.Sum(nil))
		},
	}, nil
}

// canonicalQuery sorts parameters by name and encodes them by RFC 3986.
func canonicalQuery(values url.Values) string {
	var parts []string
	for name, list := range values {
		for _, value := range list {
			parts = append(parts, encode(name)+"="+encode(value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// encode writes all but unreserved characters as %XX.
func encode(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
