package mns

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" // what MNS signs with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// maxSkew is how far a request's Date may lie from the server's.
const maxSkew = 15 * time.Minute

// What is said of requests that are not, or not rightly, signed (specs/mns.md 1.6, 6.2). The codes for
// session tokens are not known of the service.
var (
	errNoAuthorization  = wireError{http.StatusBadRequest, "MissingAuthorizationHeader", "the request has no Authorization header"}
	errBadAuthorization = wireError{http.StatusBadRequest, "InvalidAuthorizationHeader", "the Authorization header is not of the form \"MNS KeyId:Signature\", or that of version 4"}
	errNoDate           = wireError{http.StatusBadRequest, "MissingDateHeader", "the request has neither a Date nor an x-mns-date header"}
	errBadDate          = wireError{http.StatusBadRequest, "InvalidDateHeader", "the date of the request is not in the form of RFC 1123, in GMT"}
	errTimeExpired      = wireError{http.StatusRequestTimeout, "TimeExpired", "the date of the request is more than 15 minutes from the server's time"}
	errUnknownKey       = wireError{http.StatusForbidden, "InvalidAccessKeyId", "the access key does not exist, or its security token is not the one that came with it"}
	errWrongSignature   = wireError{http.StatusForbidden, "SignatureDoesNotMatch", "the signature of the request is not the one that the access key's secret gives"}
	errOtherRegion      = wireError{http.StatusForbidden, "SignatureDoesNotMatch", "the signature is for another region than the host's"}
	errOtherAccount     = wireError{http.StatusForbidden, "AccessDenied", "the access key is not one of the account that the host names"}
	errTokenExpired     = wireError{http.StatusForbidden, "AccessDenied", "the security token has expired"}
)

// authenticate completes the caller: with its access key and that key's account. Where requests must be
// signed, it does so only if this one is, and rightly.
func (s *Server) authenticate(r *http.Request, c *call) error {
	if !s.callers.Verify {
		return s.callers.Recognize(r.Context(), &c.Caller)
	}
	sig, err := readSignature(r, time.Now())
	if err != nil {
		return err
	}
	key, err := s.callers.FindKey(r.Context(), sig.keyID)
	switch {
	case err != nil:
		return err
	case key == nil || key.Disabled || key.Secret == "":
		return errUnknownKey
	case !sig.verify(r, key.Secret, &s.derived):
		return errWrongSignature
	case !sig.isFor(caller.RegionOfHost(r.Host)):
		return errOtherRegion
	case !key.TokenMatches(r.Header.Get("Security-Token")):
		return errUnknownKey
	case key.Expired:
		return errTokenExpired
	case c.HostAccount != "" && c.HostAccount != key.Account:
		return errOtherAccount
	}
	c.AccessKeyID, c.Verified = key.ID, true
	c.Is(key)
	return nil
}

// signature is what a request says of its signature.
type signature struct {
	keyID string
	mac   []byte
	date  string    // Date or x-mns-date as it came
	time  time.Time // that date

	scheme      *scheme4 // nil: version 2
	day, region string   // of version 4's scope
}

// scheme4 is one of the two dialects of version 4.
type scheme4 struct{ algorithm, keyPrefix, end string }

var schemes4 = []scheme4{
	{"MNS4-HMAC-SHA256", "aliyun_v4", "aliyun_v4_request"},
	{"APSARA-MNS4-HMAC-SHA256", "apsara_v4", "apsara_v4_request"}, // of dedicated clouds
}

// readSignature reads the headers that a signature stands in, and looks at its date.
func readSignature(r *http.Request, now time.Time) (*signature, error) {
	values := r.Header["Authorization"]
	switch len(values) {
	case 0:
		return nil, errNoAuthorization
	case 1:
	default:
		return nil, errBadAuthorization
	}
	s := &signature{}
	algorithm, rest, _ := strings.Cut(values[0], " ")
	if !s.read2(algorithm, rest) && !s.read4(algorithm, rest) {
		return nil, errBadAuthorization
	}
	if s.date = cmp.Or(r.Header.Get("X-Mns-Date"), r.Header.Get("Date")); s.date == "" {
		return nil, errNoDate
	}
	var err error
	if s.time, err = http.ParseTime(s.date); err != nil {
		return nil, errBadDate
	}
	if s.time.Before(now.Add(-maxSkew)) || s.time.After(now.Add(maxSkew)) {
		return nil, errTimeExpired
	}
	return s, nil
}

// isFor says that the signature is good in a region, "" for a host that names none; only version 4 has one.
func (s *signature) isFor(region string) bool {
	return s.scheme == nil || region == "" || s.region == region
}

// read2 reads "MNS KeyId:Signature".
func (s *signature) read2(algorithm, rest string) bool {
	keyID, mac, ok := strings.Cut(strings.TrimSpace(rest), ":")
	var err error
	s.mac, err = base64.StdEncoding.DecodeString(mac)
	s.keyID = keyID
	return algorithm == "MNS" && ok && err == nil && keyID != "" && len(s.mac) == sha1.Size
}

// read4 reads "MNS4-HMAC-SHA256 Credential=KeyId/day/region/mns/aliyun_v4_request,Signature=…".
func (s *signature) read4(algorithm, rest string) bool {
	i := slices.IndexFunc(schemes4, func(scheme scheme4) bool { return scheme.algorithm == algorithm })
	credential, mac, ok := strings.Cut(rest, ",")
	credential, hasCredential := strings.CutPrefix(strings.TrimSpace(credential), "Credential=")
	mac, hasMAC := strings.CutPrefix(strings.TrimSpace(mac), "Signature=")
	scope := strings.Split(credential, "/")
	if i < 0 || !ok || !hasCredential || !hasMAC || len(scope) != 5 {
		return false
	}
	s.scheme = &schemes4[i]
	s.keyID, s.day, s.region = scope[0], scope[1], scope[2]
	var err error
	s.mac, err = hex.DecodeString(mac)
	return err == nil && len(s.mac) == sha256.Size && s.keyID != "" && scope[3] == "mns" && scope[4] == s.scheme.end
}

// verify compares the signature with the one that the secret gives.
func (s *signature) verify(r *http.Request, secret core.Secret, derived *derivedKeys) bool {
	if s.scheme != nil {
		from := derivation{s.scheme, secret, s.day, s.region}
		key, known := derived.of(from)
		good := s.verify4(r, key)
		if good && !known {
			derived.keep(from, key)
		}
		return good
	}
	headers := signedHeaders(r.Header, false)
	for _, target := range targets2(r) {
		for _, list := range []string{headers, squeeze(headers)} { // C# takes runs of blanks for one
			text := r.Method + "\n" + r.Header.Get("Content-Md5") + "\n" + r.Header.Get("Content-Type") + "\n" + s.date + "\n" + list + target
			if hmac.Equal(hmac1([]byte(secret), text), s.mac) {
				return true
			}
		}
	}
	return false
}

// targets2 gives the forms of a request's target that a client may have signed: as it is on the request
// line, without what an HTTP proxy needs, with one slash in front, with its query decoded, and with all of
// it decoded, as by clients that sign a name and leave its escapes to their HTTP library.
func targets2(r *http.Request) []string {
	raw := r.RequestURI
	if _, rest, absolute := strings.Cut(raw, "://"); absolute && !strings.HasPrefix(raw, "/") {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			raw = rest[i:]
		} else {
			raw = "/"
		}
	}
	targets := []string{raw}
	if strings.HasPrefix(raw, "//") {
		targets = append(targets, "/"+strings.TrimLeft(raw, "/"))
	}
	if !strings.Contains(raw, "%") {
		return targets
	}
	for _, target := range slices.Clone(targets) {
		if path, query, ok := strings.Cut(target, "?"); ok {
			targets = append(targets, path+"?"+orRaw(url.PathUnescape, query))
		}
		targets = append(targets, orRaw(url.PathUnescape, target))
	}
	return targets
}

// signedHeaders gives the headers that are signed, a line for each: those of MNS's own and, in version 4,
// those that describe the body.
func signedHeaders(header http.Header, version4 bool) string {
	var lines []string
	for key, values := range header {
		name := strings.ToLower(key)
		if strings.HasPrefix(name, "x-mns-") || version4 && (name == "content-type" || name == "content-md5") {
			lines = append(lines, name+":"+strings.TrimSpace(strings.Join(values, ","))+"\n")
		}
	}
	slices.SortFunc(lines, func(a, b string) int {
		nameA, _, _ := strings.Cut(a, ":")
		nameB, _, _ := strings.Cut(b, ":")
		return strings.Compare(nameA, nameB)
	})
	return strings.Join(lines, "")
}

// squeeze makes one blank of several.
func squeeze(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

// derivedKeys remembers the keys that version 4 makes of secrets, each good for a day: making one costs half of a
// verification.
type derivedKeys struct {
	mu   sync.Mutex
	keys map[derivation][]byte
}

// derivation is what such a key is made of.
type derivation struct {
	scheme      *scheme4
	secret      core.Secret
	day, region string
}

// maxDerived bounds how many are remembered. Beyond it they are made anew.
const maxDerived = 10_000

// of gives the key of a signature, and says whether it was known.
func (d *derivedKeys) of(from derivation) (key []byte, known bool) {
	d.mu.Lock()
	key, known = d.keys[from]
	d.mu.Unlock()
	if known {
		return key, true
	}
	key = []byte(from.scheme.keyPrefix + string(from.secret))
	for _, step := range []string{from.day, from.region, "mns", from.scheme.end} {
		key = hmac256(key, step)
	}
	return key, false
}

// keep remembers the key of a signature that was good; others would fill the memory.
func (d *derivedKeys) keep(from derivation, key []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys == nil || len(d.keys) >= maxDerived {
		d.keys = map[derivation][]byte{}
	}
	d.keys[from] = key
}

// verify4 computes version 4. The time that was signed is not sent: it is the Date, or up to two seconds
// from it, as the client looked at its clock twice.
func (s *signature) verify4(r *http.Request, key []byte) bool {
	if s.signs4(key, canonical4(r, url.PathUnescape)) {
		return true
	}
	escaped := strings.Contains(r.RequestURI, "%")
	return escaped && s.signs4(key, canonical4(r, func(text string) (string, error) { return text, nil })) // Java escapes what is escaped
}

// signs4 says that the signature is the one of a canonical request, at the time of the request or about it.
func (s *signature) signs4(key []byte, canonical string) bool {
	for _, seconds := range []int{0, 1, -1, 2, -2} {
		stamp := s.time.Add(time.Duration(seconds) * time.Second).UTC().Format("20060102T150405Z")
		if stamp[:8] != s.day {
			continue
		}
		text := s.scheme.algorithm + "\n" + stamp + "\n" + s.day + "/" + s.region + "/mns/" + s.scheme.end + "\n" + canonical
		if hmac.Equal(hmac256(key, text), s.mac) {
			return true
		}
	}
	return false
}

func hmac1(key []byte, text string) []byte {
	mac := hmac.New(sha1.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hmac256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// canonical4 gives the request in the form that version 4 signs. plain undoes the escapes of the wire.
func canonical4(r *http.Request, plain func(string) (string, error)) string {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for i, segment := range segments {
		segments[i] = escape4(orRaw(plain, segment))
	}
	path := cmp.Or(strings.Join(segments, "/"), "/")
	type pair struct{ key, value string }
	var pairs []pair
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{escape4(strings.ToLower(strings.TrimSpace(orRaw(plain, key)))), escape4(strings.TrimSpace(orRaw(plain, value)))})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	var query strings.Builder
	for i, p := range pairs {
		if i > 0 {
			query.WriteByte('&')
		}
		query.WriteString(p.key)
		if p.value != "" {
			query.WriteString("=" + p.value)
		}
	}
	return r.Method + "\n" + path + "\n" + query.String() + "\n" + signedHeaders(r.Header, true) + "\n"
}

// orRaw gives the text as it is where its escapes are broken.
func orRaw(plain func(string) (string, error), text string) string {
	if decoded, err := plain(text); err == nil {
		return decoded
	}
	return text
}

// escape4 escapes all but letters, digits and -_.~.
func escape4(text string) string {
	plain := !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.~", r)
	})
	if plain {
		return text
	}
	return unreserved4.Replace(url.QueryEscape(text))
}

// unreserved4 makes of what a query escapes what version 4 does.
var unreserved4 = strings.NewReplacer("+", "%20", "%7E", "~")
