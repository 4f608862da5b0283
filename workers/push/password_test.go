package push

import (
	"crypto/md5" // what Digest is made of
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

// digestOf is what RFC 2617 makes of its parts.
func digestOf(parts ...string) string {
	sum := md5.Sum([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(sum[:])
}

var digestParameter = regexp.MustCompile(`(\w+)="?([^",]+)"?`)

// Endpoints whose URL names a user get its password, in the way that they ask for.
func TestPasswords(t *testing.T) {
	t.Parallel()
	const user, password, realm, nonce = "o rder", "p@ss:word", "here", "dcd98b7102dd2f0e8b11d0f600bfb0c093"
	basic := func(r *http.Request) bool {
		u, p, ok := r.BasicAuth()
		return ok && u == user && p == password
	}
	digest := func(r *http.Request) bool {
		given := map[string]string{}
		for _, m := range digestParameter.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
			given[m[1]] = m[2]
		}
		want := digestOf(digestOf(user, realm, password), nonce, given["nc"], given["cnonce"], "auth", digestOf(r.Method, r.URL.RequestURI()))
		return strings.HasPrefix(r.Header.Get("Authorization"), "Digest ") && given["response"] == want
	}
	tests := map[string]struct {
		challenge string
		allows    func(*http.Request) bool
		userinfo  string
		want      int
		requests  int
	}{
		"basic":                  {"", basic, "o%20rder:p%40ss%3Aword@", 200, 1},
		"basic, asked for":       {`Basic realm="here"`, basic, "o%20rder:p%40ss%3Aword@", 200, 1},
		"digest":                 {`Digest realm="here", qop="auth", nonce="` + nonce + `"`, digest, "o%20rder:p%40ss%3Aword@", 200, 2},
		"digest, wrong password": {`Digest realm="here", qop="auth", nonce="` + nonce + `"`, digest, "o%20rder:other@", 401, 2},
		"basic, wrong password":  {`Basic realm="here"`, basic, "o%20rder:other@", 401, 1},
		"no user":                {`Digest realm="here", qop="auth", nonce="` + nonce + `"`, digest, "", 401, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				if body, err := io.ReadAll(r.Body); err != nil || string(body) != "hello" {
					t.Errorf("request %d brought %q, %v", requests, body, err)
				}
				if !tt.allows(r) {
					if tt.challenge != "" {
						w.Header().Set("WWW-Authenticate", tt.challenge)
					}
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			t.Cleanup(endpoint.Close)
			c := newClient(t, Options{Open: true})
			answer := c.Do(t.Context(), core.Push{
				Way: core.ByHTTP, Method: http.MethodPost, URL: strings.Replace(endpoint.URL, "://", "://"+tt.userinfo, 1) + "/hook?a=b", Body: []byte("hello"),
			})
			if answer.Status != tt.want || requests != tt.requests {
				t.Errorf("answered %+v after %d requests, want %d after %d", answer, requests, tt.want, tt.requests)
			}
		})
	}
}

// A push that is signed in its own way is not told the user of the URL.
func TestPasswordsGiveWayToSignatures(t *testing.T) {
	t.Parallel()
	var got string
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	t.Cleanup(endpoint.Close)
	newClient(t, Options{Open: true}).Do(t.Context(), core.Push{
		Way: core.ByHTTP, Method: http.MethodPost, URL: strings.Replace(endpoint.URL, "://", "://a:b@", 1), Header: map[string][]string{"Authorization": {"signature"}},
	})
	if got != "signature" {
		t.Errorf("the endpoint got Authorization %q", got)
	}
}
