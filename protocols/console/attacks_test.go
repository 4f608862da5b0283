package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

func TestEveryAnswerIsProtected(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	for _, path := range append(s.populate(), "/nothing") {
		got := s.do(s.request(http.MethodGet, base+path, ""))
		policy := got.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: got %v", path, got.Header)
		}
		if control := got.Header.Get("Cache-Control"); control != "no-store" {
			t.Errorf("%s may be cached: %q", path, control)
		}
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.get(base + "/queues")
	token := tokenInPage.FindStringSubmatch(s.get(base + "/queues"))[1]
	stranger := s.visitor()
	foreign := tokenInPage.FindStringSubmatch(stranger.get(base + "/queues"))[1]
	host := strings.TrimPrefix(s.url, "http://")
	tests := map[string]struct {
		token  string
		header []string
		good   bool
	}{
		"the console's own page":          {token, []string{"Sec-Fetch-Site", "same-origin"}, true},
		"an old browser's own page":       {token, []string{"Origin", s.url}, true},
		"behind a proxy with TLS":         {token, []string{"Origin", "https://" + host}, true},
		"another site":                    {token, []string{"Sec-Fetch-Site", "cross-site", "Origin", s.url}, false},
		"another port, or a subdomain":    {token, []string{"Sec-Fetch-Site", "same-site", "Origin", s.url}, false},
		"no page at all":                  {token, []string{"Sec-Fetch-Site", "none"}, false},
		"another site's origin":           {token, []string{"Origin", "http://evil.example"}, false},
		"an origin that hides":            {token, []string{"Origin", "null"}, false},
		"an origin that begins as ours":   {token, []string{"Origin", s.url + ".evil.example"}, false},
		"an origin that names us as user": {token, []string{"Origin", "http://" + host + "@evil.example"}, false},
		"nothing said":                    {token, nil, false},
		"no token":                        {"", []string{"Sec-Fetch-Site", "same-origin"}, false},
		"another visitor's token":         {foreign, []string{"Sec-Fetch-Site", "same-origin"}, false},
		"half a token":                    {token[:len(token)/2], []string{"Sec-Fetch-Site", "same-origin"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			queue := "q-" + regexp.MustCompile(`[^a-z]+`).ReplaceAllString(name, "-")
			form := url.Values{"name": {queue}, "token": {tt.token}}.Encode()
			got := s.do(s.request(http.MethodPost, base+"/queues", form, append(tt.header, "Content-Type", "application/x-www-form-urlencoded")...))
			_, err := s.broker.DescribeQueue(t.Context(), pgtest.Name(queue))
			if made := err == nil; made != tt.good || (got.StatusCode == http.StatusForbidden) == tt.good {
				t.Errorf("got %s, and made: %v", got.Status, made)
			}
		})
	}
	// By a header, as htmx sends it; and a GET changes nothing.
	got := s.do(s.request(http.MethodPost, base+"/queues", "name=by-header", "X-Console-Token", token, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded"))
	if got.StatusCode != http.StatusSeeOther {
		t.Errorf("by a header: got %s", got.Status)
	}
	for _, path := range []string{"/queues/by-header/delete", "/queues/by-header/purge", "/clock/reset"} {
		if got := s.do(s.request(http.MethodGet, base+path+"?confirm=by-header&token="+token, "")); got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: got %s", path, got.Status)
		}
	}
}

func TestATooLargeFormIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	pgtest.Queue(t, s.broker, "orders")
	if got := s.post(base+"/queues/orders/send", "body", strings.Repeat("a", 9<<20)); got.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s", got.Status)
	}
	if got := s.post(base+"/queues/orders/send", "body", strings.Repeat("a", 2<<20)); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("more than the queue takes: got %s", got.Status)
	}
}

// logIn posts the login's form.
func (s *site) logIn(id, secret, next string) answer {
	s.Helper()
	page := s.get("/console/login")
	s.token = tokenInPage.FindStringSubmatch(page)[1]
	return s.post("/console/login", "id", id, "secret", secret, "next", next)
}

func TestLogin(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	admin, err := broker.CreateKey(t.Context(), core.NewKey{Account: "111122223333", Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := broker.CreateKey(t.Context(), core.NewKey{Account: "111122223333", User: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, broker, &caller.Options{Verify: true})
	for _, path := range []string{base + "/", base + "/queues", base + "/live", base + "/keys"} {
		got := s.do(s.request(http.MethodGet, path, ""))
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/console/login?next=") {
			t.Errorf("%s without a session: got %s to %s", path, got.Status, got.Header.Get("Location"))
		}
	}
	wellFormed(t, "login", s.get("/console/login"))
	for name, try := range map[string][2]string{
		"a wrong secret":      {admin.ID, "wrong"},
		"no secret":           {admin.ID, ""},
		"nobody's key":        {"AKIANOBODY", string(admin.Secret)},
		"an ordinary user's":  {plain.ID, string(plain.Secret)},
		"what is no key's id": {"' OR 1=1", "x"},
	} {
		got := s.logIn(try[0], try[1], "")
		if got.StatusCode != http.StatusUnauthorized || strings.Contains(got.text, `class="menu"`) {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	got := s.logIn(admin.ID, string(admin.Secret), base+"/queues")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != base+"/queues" {
		t.Fatalf("got %s to %s", got.Status, got.Header.Get("Location"))
	}
	cookie := got.Header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=43200"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie %q lacks %s", cookie, part)
		}
	}
	s.wants(s.get(base+"/queues"), "New queue", admin.ID)
	if strings.Contains(s.get(base+"/keys"), string(admin.Secret)) {
		t.Error("the page shows the secret")
	}
	if first := s.do(s.request(http.MethodGet, "/console/", "")); first.Header.Get("Location") != "/console/111122223333/us-east-1/" {
		t.Errorf("an administrator is led to %s", first.Header.Get("Location"))
	}
	s.token = ""
	if refused := s.post(strings.Replace(base, pgtest.Account, "111122223333", 1)+"/keys/"+admin.ID+"/disable", "disabled", "on"); refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("disabled the own key: got %s", refused.Status)
	}

	t.Run("another server knows the session", func(t *testing.T) {
		other := newSite(t, broker, &caller.Options{Verify: true})
		at, _ := url.Parse(s.url + "/console")
		there, _ := url.Parse(other.url + "/console")
		other.client.Jar.SetCookies(there, s.client.Jar.Cookies(at))
		other.wants(other.get(base+"/queues"), "New queue")
	})
	t.Run("a session that was tampered with", func(t *testing.T) {
		at, _ := url.Parse(s.url + "/console")
		session := ""
		for _, c := range s.client.Jar.Cookies(at) {
			if c.Name == "polymq_session" {
				session = c.Value
			}
		}
		payload, mac, _ := strings.Cut(session, ".")
		for name, forged := range map[string]string{
			"another seal": payload + "." + strings.Repeat("A", len(mac)), "no seal": payload, "no payload": "." + mac,
			"another payload": payload[:len(payload)-4] + "AAAA." + mac, "nonsense": "%%%", "long": strings.Repeat("A", 4000) + "." + mac,
		} {
			visitor := s.visitor()
			visitor.client.Jar.SetCookies(at, []*http.Cookie{{Name: "polymq_session", Value: forged, Path: "/console"}})
			if got := visitor.do(visitor.request(http.MethodGet, base+"/queues", "")); got.StatusCode != http.StatusSeeOther {
				t.Errorf("%s: got %s", name, got.Status)
			}
		}
	})
	t.Run("a key that is disabled ends its sessions", func(t *testing.T) {
		if _, err := broker.DisableKey(t.Context(), admin.ID, true); err != nil {
			t.Fatal(err)
		}
		if got := s.do(s.request(http.MethodGet, base+"/queues", "")); got.StatusCode != http.StatusSeeOther {
			t.Errorf("got %s", got.Status)
		}
	})
}

func TestLoginIsSlowedDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{Verify: true})
	for range 1000 { // far more than go in the time that they take
		if s.logIn("AKIANOBODY", "guess", "").StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("all guesses in a row were answered")
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	admin, err := broker.CreateKey(t.Context(), core.NewKey{Account: pgtest.Account, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, broker, &caller.Options{Verify: true})
	for _, next := range []string{"https://evil.example/", "//evil.example/", "/console//evil.example", `/console/\evil.example`, "/api/v1/keys", "javascript:alert(1)", "/console/\r\nX: y",
		"/console/../?Action=DeleteQueue", "/console/%2e%2e/?Action=DeleteQueue", "/console/.%2E/", "/console/x/../../", "/console/\t/evil.example", "/consoles/"} {
		got := s.visitor().logIn(admin.ID, string(admin.Secret), next)
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/console/" {
			t.Errorf("%q: led to %q", next, got.Header.Get("Location"))
		}
	}
}

func TestTestModeOnly(t *testing.T) {
	t.Parallel()
	s := newPlainSite(t)
	for _, path := range []string{"/clock", "/clock/advance", "/clock/reset", "/faults", "/faults/delete"} {
		var got answer
		if path == "/clock" || path == "/faults" {
			got = s.do(s.request(http.MethodGet, base+path, ""))
		} else {
			got = s.post(base+path, "by", "1", "confirm", pgtest.Account)
		}
		if got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got %s", path, got.Status)
		}
	}
	if strings.Contains(s.get(base+"/queues"), "Clock and reset") {
		t.Error("the menu has the clock")
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done("/console/preferences", "language", "zh", "back", base+"/queues")
	s.done("/console/preferences", "theme", "dark", "back", "https://evil.example")
	s.wants(s.get(base+"/queues", "Accept-Language", "en"), "新建队列", `data-theme="dark"`)
	s.done("/console/preferences", "theme", "<script>", "back", base+"/queues")
	for back, want := range map[string]string{base + "/queues?prefix=a": base + "/queues?prefix=a", "https://evil.example": "/console/", "//evil.example": "/console/", "/console/../?Action=ListQueues": "/console/"} {
		if got := s.post("/console/preferences", "theme", "dark", "back", back); got.Header.Get("Location") != want {
			t.Errorf("%q led to %q", back, got.Header.Get("Location"))
		}
	}
	s.wants(s.get(base+"/queues"), `data-theme="dark"`)
}

func TestChangesAreAudited(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{Auditor: broker.Audit})
	s.done(base+"/queues", "name", "orders")
	s.post(base+"/queues/orders/send", "body", "confidential")
	s.post(base+"/queues", "name", "no/name")
	s.done(base+"/queues/orders/delete", "confirm", "orders")
	if err := broker.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := broker.ListAudit(t.Context(), core.ListAuditInput{Account: pgtest.Account, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range found.Events {
		got = append(got, e.Source+" "+e.Action+" "+e.ErrorCode)
	}
	if text := strings.Join(got, "; "); text != "console DeleteQueue ; console CreateQueue InvalidArgument; console CreateQueue " {
		t.Errorf("audited %q", text)
	}
	page := s.get(base + "/audit")
	s.wants(page, "DeleteQueue", "orders")
	wellFormed(t, "audit", page)
	if token := s.token; strings.Contains(strings.ReplaceAll(page, `value="`+token, ""), `token&#34;:`) || strings.Contains(page, "confidential") {
		t.Errorf("the audit log shows what it should not:\n%s", page)
	}
	if strings.Contains(s.get(base+"/audit?action=DeleteQueue"), "CreateQueue</b>") {
		t.Error("the filter lets other actions through")
	}
}
