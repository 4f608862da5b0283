package sdktests

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/console"
)

// visitor is a browser that shows the console.
type visitor struct {
	t      *testing.T
	client *http.Client
	token  string // of its forms
	stuck  bool   // see stick
}

// visit gives a browser that trusts an authority, nil for none.
func visit(t *testing.T, authority []byte) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, client: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask does a request, of a form unless there is none, and gives the answer without its body, in which a token is looked for.
func (b *visitor) ask(method, address string, form url.Values, header ...string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if found := tokenOnPage.FindSubmatch(text); found != nil && !b.stuck {
		b.token = string(found[1])
	}
	return response
}

// stick has the browser keep the cookies and the token that it has, whatever it is told.
func (b *visitor) stick(address string) {
	b.t.Helper()
	at, err := url.Parse(address + "/console/")
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar, b.stuck = stuckJar(b.client.Jar.Cookies(at)), true
}

// stuckJar has the same cookies for ever, and for everybody.
type stuckJar []*http.Cookie

func (stuckJar) SetCookies(*url.URL, []*http.Cookie) {}

func (j stuckJar) Cookies(*url.URL) []*http.Cookie { return j }

var tokenOnPage = regexp.MustCompile(`name="token" value="([^"]+)"`)

// post sends a form of the page that was shown last.
func (b *visitor) post(address string, fields map[string]string, header ...string) *http.Response {
	b.t.Helper()
	form := url.Values{"token": {b.token}}
	for name, value := range fields {
		form.Set(name, value)
	}
	return b.ask(http.MethodPost, address, form, header...)
}

// logIn begins a session and gives the answer to the login.
func (b *visitor) logIn(address string, key core.Key, header ...string) *http.Response {
	b.t.Helper()
	b.ask(http.MethodGet, address+"/console/login", nil, header...)
	response := b.post(address+"/console/login", map[string]string{"id": key.ID, "secret": string(key.Secret)}, header...)
	if response.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("the login: %s", response.Status)
	}
	return response
}

// Cookies of the console are kept from scripts and from other sites, and go over TLS alone where the visitor came so:
// to the server itself, or to a proxy that the operator trusts.
func TestConsoleCookies(t *testing.T) {
	t.Parallel()
	root := core.Key{ID: rootKey, Secret: rootSecret}
	direct, authority := startTLS(t, "verify")
	proxied := startGuarded(t, server.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	plain := startGuarded(t, server.Config{})
	public := startGuarded(t, server.Config{PublicURL: "https://queues.example.com"})
	byHTTPS := []string{"X-Forwarded-Proto", "https"}
	tests := map[string]struct {
		url    string
		header []string
		secure bool
	}{
		"TLS":                           {direct.url, nil, true},
		"without TLS, on the same port": {plainly(direct.url), nil, false},
		"a proxy that ended TLS":        {proxied.url, byHTTPS, true},
		"a proxy without TLS":           {proxied.url, []string{"X-Forwarded-Proto", "http"}, false},
		"a proxy that does not say":     {proxied.url, nil, false},
		"who is no trusted proxy":       {plain.url, byHTTPS, false},
		"known to be reached by TLS":    {public.url, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := visit(t, authority)
			cookies := b.logIn(tt.url, root, tt.header...).Cookies()
			cookies = append(cookies, b.post(tt.url+"/console/preferences", map[string]string{"language": "zh", "theme": "dark"}, tt.header...).Cookies()...)
			seen := map[string]bool{}
			for _, c := range cookies {
				seen[c.Name] = true
				if c.Secure != tt.secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/console" || c.Domain != "" {
					t.Errorf("%s is set as %s, want Secure %v", c.Name, c, tt.secure)
				}
			}
			if !seen["polymq_session"] {
				t.Errorf("there is no session among %v", cookies)
			}
		})
	}
}

// TestConsoleSessionsEnd takes away what somebody's session in the console rests on, on one server: on each, no page is
// shown any more and nothing is changed, whatever page was open; and who may only look from then on changes nothing.
func TestConsoleSessionsEnd(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	first := startEnforcing(t, database)
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: database, LogLevel: "error", TestMode: true, Auth: "enforce", MasterKey: testMasterKey,
		SignOnHeader: "X-User", SignOnAccount: accountA, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	second := &verifying{polymq{srv.URL(), rootKey}, srv, new(syncBuffer)}
	broker, pages := first.server.Broker(), console.Pages()
	if len(pages) < 60 {
		t.Fatalf("there are only %d pages", len(pages))
	}
	owner := first.sqs(by(first.key(t, core.NewKey{Account: accountA})))
	createQueue(t, owner, "orders")
	none, viewer := core.NoAccess, core.Viewer
	losses := map[string]func(user core.IdentityName, key core.Key) error{
		"the key is deactivated": func(_ core.IdentityName, key core.Key) error {
			_, err := broker.DisableKey(t.Context(), key.ID, true)
			return err
		},
		"the key is deleted":  func(_ core.IdentityName, key core.Key) error { return broker.DeleteKey(t.Context(), key.ID) },
		"the user is deleted": func(user core.IdentityName, _ core.Key) error { return broker.DeleteIdentity(t.Context(), user, true) },
		"the user has no access": func(user core.IdentityName, _ core.Key) error {
			_, err := broker.AlterIdentity(t.Context(), user, core.IdentityChange{Access: &none})
			return err
		},
		"the user may look": func(user core.IdentityName, _ core.Key) error {
			_, err := broker.AlterIdentity(t.Context(), user, core.IdentityChange{Access: &viewer})
			return err
		},
	}
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			user := core.IdentityName{Account: accountA, Kind: core.User, Name: strings.ReplaceAll(name, " ", "-")}
			if _, err := broker.CreateIdentity(t.Context(), core.Identity{IdentityName: user, Access: core.Admin}); err != nil {
				t.Fatal(err)
			}
			key := first.key(t, core.NewKey{Account: accountA, User: user.Name})
			b, queues := visit(t, nil), "/console/"+accountA+"/us-east-1/queues"
			b.logIn(second.url, key)
			b.ask(http.MethodGet, second.url+queues, nil)
			b.stick(second.url)
			for _, page := range pages {
				for _, v := range []*verifying{first, second} {
					if page.Method == http.MethodPost {
						continue
					}
					if got := b.ask(http.MethodGet, v.url+ofOrders(page), nil); strings.HasPrefix(got.Header.Get("Location"), "/console/login") || got.StatusCode == http.StatusForbidden && page.Path != "live" {
						t.Errorf("%v, while nothing is lost: %s", page, got.Status)
					}
				}
			}
			signedOn := visit(t, nil)
			if got := signedOn.ask(http.MethodGet, second.url+queues, nil, "X-User", user.Name); got.StatusCode != http.StatusOK {
				t.Errorf("signed on by a proxy: %s", got.Status)
			}
			if err := lose(user, key); err != nil {
				t.Fatal(err)
			}
			for _, v := range []*verifying{first, second} {
				began := time.Now()
				eventually(t, func() bool {
					got := b.post(v.url+queues, map[string]string{"name": "no queue's name"}) // which nothing would come of
					return got.StatusCode == http.StatusForbidden || strings.HasPrefix(got.Header.Get("Location"), "/console/login")
				})
				t.Logf("%s knows it after %v", v.url, time.Since(began))
			}
			for _, v := range []*verifying{first, second} {
				if name == "the user may look" {
					b.mayLook(v.url, pages)
				} else {
					b.isOut(v.url, pages)
				}
			}
			if name == "the user is deleted" || name == "the user has no access" {
				eventually(t, func() bool {
					return signedOn.ask(http.MethodGet, second.url+queues, nil, "X-User", user.Name).StatusCode == http.StatusSeeOther
				})
			}
		})
	}
	list, err := owner.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(list.QueueUrls) != 1 || !strings.HasSuffix(list.QueueUrls[0], "/orders") {
		t.Fatalf("the queues are now %v, %v", list, err)
	}
	wantCounts(t, owner, list.QueueUrls[0], 0, 0, 0)
}

// anything has the fields of all changes.
var anything = map[string]string{"name": "stolen", "confirm": "orders", "body": "stolen", "access": "admin", "admin": "on", "disabled": "on", "by": "60", "user": "root"}

// ofOrders is where a page shows what accountA calls orders.
func ofOrders(page console.Page) string {
	return page.At(accountA, "us-east-1", func(string) string { return "orders" })
}

// isOut fails unless every page and every change leads to the login.
func (b *visitor) isOut(address string, pages []console.Page) {
	b.t.Helper()
	for _, page := range pages {
		var whole, part *http.Response
		if at := address + ofOrders(page); page.Method == http.MethodPost {
			whole, part = b.post(at, anything), b.post(at, anything, "Hx-Request", "true")
		} else {
			whole, part = b.ask(http.MethodGet, at, nil), b.ask(http.MethodGet, at, nil, "Hx-Request", "true")
		}
		if whole.StatusCode != http.StatusSeeOther && whole.StatusCode != http.StatusForbidden || whole.StatusCode == http.StatusSeeOther && !strings.HasPrefix(whole.Header.Get("Location"), "/console/login") {
			b.t.Errorf("%v: %s to %s", page, whole.Status, whole.Header.Get("Location"))
		}
		if part.Header.Get("Hx-Redirect") != "/console/login" && part.StatusCode != http.StatusForbidden {
			b.t.Errorf("%v, a part of it: %s", page, part.Status)
		}
	}
}

// mayLook fails unless every change is denied.
func (b *visitor) mayLook(address string, pages []console.Page) {
	b.t.Helper()
	for _, page := range pages {
		if page.Method == http.MethodGet || strings.HasSuffix(page.Path, "/tester") { // which tries a filter, and changes nothing
			continue
		}
		if got := b.post(address+ofOrders(page), anything); got.StatusCode != http.StatusForbidden {
			b.t.Errorf("%v: %s", page, got.Status)
		}
	}
	if got := b.ask(http.MethodGet, address+"/console/"+accountA+"/us-east-1/queues", nil); got.StatusCode != http.StatusOK {
		b.t.Errorf("the queues: %s", got.Status)
	}
	if got := b.ask(http.MethodGet, address+"/console/"+accountA+"/us-east-1/keys", nil); got.StatusCode != http.StatusForbidden {
		b.t.Errorf("the keys: %s", got.Status)
	}
}
