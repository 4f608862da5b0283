package aws

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// signature is what a request says of its signature of version 4.
type signature struct {
	keyID, date, region, service, terminator string   // of the scope
	headers                                  string   // names of those that are signed: "host;x-amz-date"
	mac                                      [32]byte // the signature itself
	stamp                                    string   // the time as it was signed, 20060102T150405Z
	time                                     time.Time
	token                                    string // of a session
	presigned                                bool   // it stands in the URL
	expires                                  time.Duration
	content                                  string // X-Amz-Content-Sha256 of a presigned URL
}

const (
	algorithm   = "AWS4-HMAC-SHA256"
	scopeEnd    = "aws4_request"
	stampLayout = "20060102T150405Z"
	maxExpires  = 7 * 24 * time.Hour
)

// readSignature reads the Authorization header, or the parameters of a presigned URL.
func readSignature(r *http.Request) (*signature, error) {
	s := &signature{}
	values := r.Header["Authorization"]
	switch {
	case len(values) > 1:
		return nil, incomplete("There is more than one Authorization header.")
	case len(values) == 1 && strings.HasPrefix(values[0], "AWS"):
		return s, s.readHeader(r, values[0])
	case len(values) == 0 && strings.Contains(r.URL.RawQuery, "X-Amz-"):
		return s, s.readQuery(r)
	}
	return nil, ErrNotSigned
}

// readHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func (s *signature) readHeader(r *http.Request, authorization string) error {
	scheme, rest, _ := strings.Cut(authorization, " ")
	if scheme != algorithm {
		if !strings.HasPrefix(scheme, "AWS4-") {
			return errOldSignature
		}
		return incomplete("Unsupported AWS 'algorithm': '%.40s'.", scheme)
	}
	var credential, mac string
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return incomplete("'%.40s' not a valid key=value pair (missing equal-sign) in Authorization header.", name)
		}
		var field *string
		switch name {
		case "Credential":
			field = &credential
		case "SignedHeaders":
			field = &s.headers
		case "Signature":
			field = &mac
		default:
			continue
		}
		if *field != "" {
			return incomplete("The Authorization header has more than one '%s' parameter.", name)
		}
		*field = value
	}
	if err := requireParts("Authorization header requires '%s' parameter. ", credential, "Credential", mac, "Signature", s.headers, "SignedHeaders"); err != nil {
		return err
	}
	s.token = r.Header.Get("X-Amz-Security-Token")
	if err := s.readTime(r.Header); err != nil {
		return err
	}
	return s.finish(r, credential, mac)
}

// readTime reads X-Amz-Date or, in its place, Date.
func (s *signature) readTime(header http.Header) error {
	if stamp := header.Get("X-Amz-Date"); stamp != "" {
		return s.setStamp(stamp)
	}
	date := header.Get("Date")
	if date == "" {
		return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if at, err := http.ParseTime(date); err == nil {
		date = at.UTC().Format(stampLayout)
	}
	return s.setStamp(date)
}

func (s *signature) setStamp(stamp string) (err error) {
	s.stamp = stamp
	if s.time, err = time.Parse(stampLayout, stamp); err != nil || len(stamp) != len(stampLayout) {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%.40s'. See http://en.wikipedia.org/wiki/ISO_8601", stamp)
	}
	return nil
}

// readQuery reads the parameters of a presigned URL.
func (s *signature) readQuery(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return incomplete("The query string cannot be read.")
	}
	for name, values := range query {
		if strings.HasPrefix(name, "X-Amz-") && len(values) > 1 {
			return incomplete("The query string has more than one '%.40s'.", name)
		}
	}
	s.presigned = true
	s.headers, s.token, s.content = query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Security-Token"), query.Get("X-Amz-Content-Sha256")
	scheme, credential, mac, stamp := query.Get("X-Amz-Algorithm"), query.Get("X-Amz-Credential"), query.Get("X-Amz-Signature"), query.Get("X-Amz-Date")
	if err := requireParts("AWS query-string parameters must include '%s'. ", scheme, "X-Amz-Algorithm", credential, "X-Amz-Credential",
		mac, "X-Amz-Signature", s.headers, "X-Amz-SignedHeaders", stamp, "X-Amz-Date"); err != nil {
		return err
	}
	if scheme != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '%.40s'.", scheme)
	}
	if err := s.setStamp(stamp); err != nil {
		return err
	}
	if life, given := query["X-Amz-Expires"]; given {
		seconds, err := strconv.ParseUint(life[0], 10, 31)
		if s.expires = time.Duration(seconds) * time.Second; err != nil || s.expires <= 0 || s.expires > maxExpires {
			return incomplete("X-Amz-Expires must be 1 to %d seconds.", maxExpires/time.Second)
		}
	}
	return s.finish(r, credential, mac)
}

// requireParts says which of the values, each followed by its name, are missing.
func requireParts(format string, valuesAndNames ...string) error {
	var missing strings.Builder
	for i := 0; i < len(valuesAndNames); i += 2 {
		if valuesAndNames[i] == "" {
			missing.WriteString(strings.Replace(format, "%s", valuesAndNames[i+1], 1)) //nolint:gosec // they come in pairs
		}
	}
	if missing.Len() > 0 {
		return incomplete("%s", missing.String())
	}
	return nil
}

// finish takes the credential and the signature apart and looks at what is signed.
func (s *signature) finish(r *http.Request, credential, mac string) error {
	parts := [5]string{}
	n := 0
	for part := range strings.SplitSeq(credential, "/") {
		if n < len(parts) {
			parts[n] = part
		}
		n++
	}
	if n != len(parts) {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%.128s'", credential)
	}
	s.keyID, s.date, s.region, s.service, s.terminator = parts[0], parts[1], parts[2], parts[3], parts[4]
	if len(s.date) != len("20060102") {
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%.40s' != '%s', from '%s'.", s.date, s.stamp[:8], s.stamp)
	}
	if len(mac) != hex.EncodedLen(len(s.mac)) {
		return errWrongSignature
	}
	if _, err := hex.Decode(s.mac[:], []byte(mac)); err != nil {
		return errWrongSignature
	}
	return s.checkHeaders(r.Header)
}

// decisive are the headers that say what a request does; a signature that leaves them out would
// not protect it.
var decisive = []struct{ name, key string }{
	{"x-amz-content-sha256", "X-Amz-Content-Sha256"}, {"x-amz-security-token", "X-Amz-Security-Token"}, {"x-amz-target", "X-Amz-Target"},
}

// checkHeaders says whether the names of the signed headers are such that signing them means
// something: in order, so that none comes twice, and with those that matter.
func (s *signature) checkHeaders(header http.Header) error {
	last, hasHost := "", false
	for name := range strings.SplitSeq(s.headers, ";") {
		if name <= last {
			return incomplete("The signed headers must be in alphabetical order, each once.")
		}
		last, hasHost = name, hasHost || name == "host"
	}
	if !hasHost {
		return mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for _, h := range decisive {
		if len(header[h.key]) > 0 && !s.signs(h.name) {
			return mismatch("'%s' must be a 'SignedHeader' in the AWS Authorization.", h.name)
		}
	}
	return nil
}

func (s *signature) signs(header string) bool {
	for name := range strings.SplitSeq(s.headers, ";") {
		if name == header {
			return true
		}
	}
	return false
}

var canonicalRequests = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// compute gives the signature that the request should have.
func (s *signature) compute(key []byte, r *http.Request, host, path, payload string) [32]byte {
	buf := canonicalRequests.Get().(*bytes.Buffer)
	defer canonicalRequests.Put(buf)
	buf.Reset()
	s.writeCanonical(buf, r, host, path, payload)
	digest := sha256.Sum256(buf.Bytes())

	buf.Reset()
	for _, part := range []string{algorithm, "\n", s.stamp, "\n", s.date, "/", s.region, "/", s.service, "/", scopeEnd, "\n"} {
		buf.WriteString(part)
	}
	buf.Write(hex.AppendEncode(buf.AvailableBuffer(), digest[:]))
	return authenticate(key, buf.Bytes())
}

// writeCanonical writes the request in the form whose digest is signed.
func (s *signature) writeCanonical(buf *bytes.Buffer, r *http.Request, host, path, payload string) {
	buf.WriteString(r.Method)
	buf.WriteByte('\n')
	writeEscaped(buf, path, '/') // which was escaped once: all services but S3 sign it escaped twice
	buf.WriteByte('\n')
	writeCanonicalQuery(buf, r.URL.RawQuery)
	buf.WriteByte('\n')
	for name := range strings.SplitSeq(s.headers, ";") {
		buf.WriteString(name)
		buf.WriteByte(':')
		writeCanonicalHeader(buf, r, name, host)
		buf.WriteByte('\n')
	}
	buf.WriteByte('\n')
	buf.WriteString(s.headers)
	buf.WriteByte('\n')
	buf.WriteString(payload)
}

// writeCanonicalHeader writes a header's values, runs of blanks as one. net/http keeps some headers
// elsewhere. One that is missing has no value, and so no signature that fits.
func writeCanonicalHeader(buf *bytes.Buffer, r *http.Request, name, host string) {
	values := r.Header[headerKey(name)]
	switch {
	case name == "host":
		buf.WriteString(host)
		return
	case name == "content-length" && len(values) == 0 && r.ContentLength >= 0:
		buf.Write(strconv.AppendInt(buf.AvailableBuffer(), r.ContentLength, 10))
		return
	case name == "transfer-encoding":
		values = r.TransferEncoding
	}
	for i, value := range values {
		if i > 0 {
			buf.WriteByte(',')
		}
		value = strings.TrimSpace(value)
		if !strings.Contains(value, "  ") {
			buf.WriteString(value)
			continue
		}
		for at := range len(value) {
			if value[at] != ' ' || value[at-1] != ' ' { // the first one is no blank
				buf.WriteByte(value[at])
			}
		}
	}
}

// headerKeys are the keys of headers that SDKs sign, which would have to be made anew each time.
var headerKeys = map[string]string{ //nolint:gosec // names of headers
	"amz-sdk-invocation-id": "Amz-Sdk-Invocation-Id",
	"amz-sdk-request":       "Amz-Sdk-Request",
	"content-length":        "Content-Length",
	"content-type":          "Content-Type",
	"x-amz-content-sha256":  "X-Amz-Content-Sha256",
	"x-amz-date":            "X-Amz-Date",
	"x-amz-security-token":  "X-Amz-Security-Token",
	"x-amz-target":          "X-Amz-Target",
	"x-amzn-query-mode":     "X-Amzn-Query-Mode",
}

func headerKey(name string) string {
	if key, ok := headerKeys[name]; ok {
		return key
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// writeCanonicalQuery writes the parameters sorted and escaped in one way, without the signature.
func writeCanonicalQuery(buf *bytes.Buffer, raw string) {
	if raw == "" {
		return
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name == "X-Amz-Signature" || part == "" {
			continue
		}
		pairs = append(pairs, pair{reescape(name), reescape(value)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	for i, p := range pairs {
		if i > 0 {
			buf.WriteByte('&')
		}
		buf.WriteString(p.name)
		buf.WriteByte('=')
		buf.WriteString(p.value)
	}
}

// reescape gives a part of a query as signatures have it. What is escaped wrongly stays as it is.
func reescape(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		plain = text
	}
	var buf bytes.Buffer
	writeEscaped(&buf, plain, 0)
	return buf.String()
}

// writeEscaped escapes all but letters, digits, -._~ and one byte more.
func writeEscaped(buf *bytes.Buffer, text string, also byte) {
	const digits = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' || c == also && also != 0 {
			buf.WriteByte(c)
		} else {
			buf.WriteByte('%')
			buf.WriteByte(digits[c>>4])
			buf.WriteByte(digits[c&15])
		}
	}
}

// signingKeys keeps the keys that were derived from secrets, which takes four times as long as a
// signature. Each is good for a day, a region and a service.
type signingKeys struct {
	mu      sync.RWMutex
	derived map[signingScope][32]byte
}

type signingScope struct {
	secret                core.Secret
	date, region, service string
}

// maxSigningKeys bounds the cache; when it is full it starts anew.
const maxSigningKeys = 4096

func (k *signingKeys) get(secret core.Secret, s *signature) (key [32]byte, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok = k.derived[signingScope{secret, s.date, s.region, s.service}]
	return key, ok
}

func (k *signingKeys) put(secret core.Secret, s *signature, key [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.derived == nil || len(k.derived) >= maxSigningKeys {
		k.derived = map[signingScope][32]byte{}
	}
	k.derived[signingScope{secret, strings.Clone(s.date), strings.Clone(s.region), strings.Clone(s.service)}] = key
}

// deriveKey gives the key that signs a day's requests to a region's service.
func deriveKey(secret core.Secret, s *signature) [32]byte {
	key := authenticate([]byte("AWS4"+string(secret)), []byte(s.date))
	for _, step := range []string{s.region, s.service, scopeEnd} {
		key = authenticate(key[:], []byte(step))
	}
	return key
}

func authenticate(key, data []byte) (mac [32]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	h.Sum(mac[:0])
	return mac
}
