package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// Cookies, and how long they last.
const (
	sessionCookie  = "polymq_session"
	languageCookie = "polymq_language"
	themeCookie    = "polymq_theme"
	noticeCookie   = "polymq_notice"

	sessionLife    = 12 * time.Hour
	preferenceLife = 400 * 24 * time.Hour
	noticeLife     = 30 * time.Second
	maxCookie      = 1024 // bytes of a session's cookie
)

// session is a visit of somebody. Without verification it has no key, and only keeps other sites out.
type session struct {
	key      *core.Key    // of who is logged in, or signed on by a proxy
	grants   *core.Grants // what the visitor may do; nil: nobody who may use the console
	signedOn string       // user whom a proxy has signed on; "": the key was logged in with
	nonce    string
	token    string // that forms carry
}

// sealed is what a session's cookie says.
type sealed struct {
	Key     string `json:"k,omitempty"`
	Expires int64  `json:"e"` // by this server's clock: sessions are no stored time
	Nonce   string `json:"n"`
}

// sessionOf gives the session of a request, and who the visitor is; one without a key is begun where there is none.
func (s *Server) sessionOf(x *exchange) (session, error) {
	found, err := s.kept(x)
	if err == nil && found.nonce == "" {
		found, err = s.startSession(x, nil)
	}
	switch {
	case err != nil:
	case !s.callers.Verify:
		found.grants = everything
	case found.key == nil:
		err = s.signOn(x, &found)
	}
	return found, err
}

// kept gives the session that the request's cookie tells of, an empty one where it tells of none.
func (s *Server) kept(x *exchange) (session, error) {
	secret, err := s.sharedSecret(x)
	if err != nil {
		return session{}, err
	}
	cookie, err := x.r.Cookie(sessionCookie)
	if err != nil {
		return session{}, nil //nolint:nilerr // there is none
	}
	return s.unseal(x, secret, cookie.Value)
}

// signOn lets in whom a trusted proxy has signed on, as far as that user may use the console.
func (s *Server) signOn(x *exchange, found *session) error {
	key := s.callers.SignedOn(x.r)
	if key == nil {
		return nil
	}
	grants, err := s.broker.Grants(x.r.Context(), key)
	found.signedOn = key.User
	if err == nil && grants.Access != core.NoAccess {
		found.key, found.grants = key, grants
	}
	return err
}

// startSession begins a session and puts it into a cookie.
func (s *Server) startSession(x *exchange, key *core.Key) (session, error) {
	secret, err := s.sharedSecret(x)
	if err != nil {
		return session{}, err
	}
	content := sealed{Expires: time.Now().Add(sessionLife).Unix(), Nonce: rand.Text()}
	if key != nil {
		content.Key = key.ID
	}
	text, err := json.Marshal(content)
	if err != nil {
		return session{}, err
	}
	payload := base64.RawURLEncoding.EncodeToString(text)
	http.SetCookie(x.w, x.cookie(sessionCookie, payload+"."+seal(secret, payload, key), sessionLife))
	return session{key: key, nonce: content.Nonce, token: tokenOf(secret, content.Nonce)}, nil
}

// unseal reads a session's cookie. What is forged, has expired, or is of a key that may not use the console any
// more is no session.
func (s *Server) unseal(x *exchange, secret []byte, cookie string) (session, error) {
	payload, mac, _ := strings.Cut(cookie, ".")
	var content sealed
	text, broken := base64.RawURLEncoding.DecodeString(payload)
	if broken != nil || len(cookie) > maxCookie || json.Unmarshal(text, &content) != nil || content.Nonce == "" {
		return session{}, nil //nolint:nilerr // what is no session is no failure
	}
	var key *core.Key
	var grants *core.Grants
	var err error
	if content.Key != "" {
		if key, grants, err = s.opener(x, content.Key); key == nil {
			return session{}, err
		}
	}
	if !hmac.Equal([]byte(mac), []byte(seal(secret, payload, key))) || time.Now().Unix() >= content.Expires {
		return session{}, nil
	}
	return session{key: key, grants: grants, nonce: content.Nonce, token: tokenOf(secret, content.Nonce)}, nil
}

// opener gives the key of that id and what it is granted, nil where it does not open the console.
func (s *Server) opener(x *exchange, id string) (*core.Key, *core.Grants, error) {
	key, err := s.callers.FindKey(x.r.Context(), id)
	if err != nil || key == nil || key.Disabled || key.Expired || key.Temporary() || key.Secret == "" {
		return nil, nil, err
	}
	grants, err := s.broker.Grants(x.r.Context(), key)
	if err != nil || grants.Access == core.NoAccess {
		return nil, nil, err
	}
	return key, grants, nil
}

// seal vouches for a session. The key's secret is part of it: a key that is made anew opens no old sessions.
func seal(secret []byte, payload string, key *core.Key) string {
	keySecret := ""
	if key != nil {
		keySecret = string(key.Secret)
	}
	return sign(secret, "session", payload, keySecret)
}

func tokenOf(secret []byte, nonce string) string { return sign(secret, "token", nonce) }

// sign gives a MAC over the parts.
func sign(secret []byte, parts ...string) string {
	mac := hmac.New(sha256.New, secret)
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part)) // so that no part runs into the next
		mac.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sharedSecret gives the secret that vouches for sessions, the same on all servers.
func (s *Server) sharedSecret(x *exchange) ([]byte, error) {
	s.secretMu.Lock()
	defer s.secretMu.Unlock()
	if s.secret != nil {
		return s.secret, nil
	}
	random := make([]byte, sha256.Size)
	_, _ = rand.Read(random) // never fails
	secret, err := s.broker.SharedSecret(x.r.Context(), "console_sessions", random)
	if err == nil {
		s.secret = secret
	}
	return secret, err
}

// cookie makes a cookie that scripts do not see and other sites' pages do not send; a life below zero removes it.
func (x *exchange) cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{ // #nosec G124 -- Secure wherever the visitor came by https
		Name: name, Value: value, Path: prefix, MaxAge: int(life / time.Second), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(x.caller.BaseURL, "https://"),
	}
}
