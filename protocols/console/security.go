package console

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"strings"
)

// contentPolicy lets pages load what this server serves, and nothing else: no script and no style within a page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect sets the headers that every answer of the console has.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// tokenField is the form's field, and tokenHeader the header, with the session's token.
const (
	tokenField  = "token"
	tokenHeader = "X-Console-Token" // #nosec G101 -- a name, no token
)

// checkOrigin refuses what was not sent by a page of the console: the browser must say that it comes from the
// same origin, and the form must have the session's token, which no other site can read.
func (s *Server) checkOrigin(x *exchange) error {
	if !s.sameOrigin(x) {
		return errForeign
	}
	given := x.r.Header.Get(tokenHeader)
	if given == "" {
		if err := x.r.ParseForm(); err != nil {
			return err
		}
		given = x.r.PostForm.Get(tokenField)
	}
	if x.session.token == "" || !hmac.Equal([]byte(given), []byte(x.session.token)) {
		return errStale
	}
	return nil
}

// sameOrigin says that a browser sent the request from a page of this server.
func (s *Server) sameOrigin(x *exchange) bool {
	if site := x.r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(x.r.Header.Get("Origin"))
	if err != nil || origin.Host == "" { // every browser names the origin of a POST
		return false
	}
	if strings.EqualFold(origin.Host, x.r.Host) {
		return true
	}
	for _, host := range s.callers.OtherHosts(x.r) {
		if strings.EqualFold(origin.Host, host) {
			return true
		}
	}
	return false
}
