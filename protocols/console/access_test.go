package console_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// userKey makes a user and gives it an access key.
func userKey(t *testing.T, broker *core.Broker, name string, access core.Access, bodies bool) core.Key {
	t.Helper()
	user := core.Identity{IdentityName: core.IdentityName{Account: pgtest.Account, Kind: core.User, Name: name}, Access: access, Bodies: bodies}
	if _, err := broker.CreateIdentity(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	key, err := broker.CreateKey(t.Context(), core.NewKey{Account: pgtest.Account, User: name})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// loggedIn gives the site to somebody who is logged in with the key.
func (s *site) loggedIn(key core.Key) *site {
	s.Helper()
	visitor := s.visitor()
	if got := visitor.logIn(key.ID, string(key.Secret), base+"/"); got.StatusCode != http.StatusSeeOther {
		s.Fatalf("the login of %s: got %s", key.User, got.Status)
	}
	visitor.token = ""
	return visitor
}

// status gives the status of a page.
func (s *site) status(path string) int {
	s.Helper()
	return s.do(s.request(http.MethodGet, path, "")).StatusCode
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{Verify: true})
	pages := s.populate()
	const ok, no = http.StatusOK, http.StatusForbidden
	tests := map[string]struct {
		key                                   core.Key
		look, bodies, send, keys, clock, cost int
		newQueue                              bool
	}{
		"a viewer":                     {userKey(t, broker, "vera", core.Viewer, false), ok, no, no, no, no, no, false},
		"a viewer who sees bodies":     {userKey(t, broker, "bob", core.Viewer, true), ok, ok, no, no, no, no, false},
		"an operator":                  {userKey(t, broker, "olga", core.Operator, false), ok, ok, ok, no, no, no, true},
		"an admin of the account":      {userKey(t, broker, "ann", core.Admin, false), ok, ok, ok, ok, ok, no, true},
		"the account's own key":        {accountKey(t, broker, false), ok, ok, ok, ok, ok, no, true},
		"an administrator of them all": {accountKey(t, broker, true), ok, ok, ok, ok, ok, http.StatusSeeOther, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := s.loggedIn(tt.key)
			v.T = t
			for path, want := range map[string]int{"/queues": tt.look, "/queues/orders": tt.look, "/outbox": tt.bodies, "/queues/orders/search?text=needle": tt.bodies, "/keys": tt.keys, "/audit": tt.keys, "/clock": tt.clock} {
				if got := v.status(base + path); got != want {
					t.Errorf("%s: got %d, want %d", path, got, want)
				}
			}
			for _, path := range pages {
				text := v.do(v.request(http.MethodGet, base+path, "")).text
				wellFormed(t, path, text)
				if tt.bodies == no && (strings.Contains(text, "&#34;order&#34;: 1") || strings.Contains(text, "an order") || strings.Contains(text, "alert(1)")) {
					t.Errorf("%s shows a body:\n%s", path, text)
				}
				if tt.send == no && !strings.HasSuffix(path, "/tester") && !strings.Contains(path, "/tester?") && strings.Contains(text, `method="post" hx-post`) && !strings.Contains(text, "<fieldset disabled>") {
					t.Errorf("%s has a form that changes something:\n%s", path, text)
				}
			}
			if got := strings.Contains(v.get(base+"/queues"), "New queue"); got != tt.newQueue {
				t.Errorf("the button for a new queue is there: %v", got)
			}
			if got := v.post(base+"/queues/orders/send", "body", "more").StatusCode; got != tt.send {
				t.Errorf("a send: got %d, want %d", got, tt.send)
			}
			if got := v.post(base+"/costs", "sqs", "1", "sqs_fifo", "1", "sns", "1", "mns", "1", "mns_fifo", "1", "currency", "USD").StatusCode; got != tt.cost {
				t.Errorf("prices: got %d, want %d", got, tt.cost)
			}
			if got := v.post(base+"/keys", "admin", "on").StatusCode; (got == ok) != (tt.cost != no) {
				t.Errorf("a key for all accounts: got %d", got)
			}
			other := strings.Replace(base, pgtest.Account, "111122223333", 1)
			if got := v.status(other + "/queues"); (got == ok) != (tt.cost != no) {
				t.Errorf("another account's page: got %d", got)
			}
			if got := v.post(other+"/queues", "name", "mine").StatusCode; (got == http.StatusSeeOther) != (tt.cost != no) {
				t.Errorf("a queue in another account: got %d", got)
			}
		})
	}
}

// accountKey makes a key of the account itself.
func accountKey(t *testing.T, broker *core.Broker, admin bool) core.Key {
	t.Helper()
	key, err := broker.CreateKey(t.Context(), core.NewKey{Account: pgtest.Account, Admin: admin})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Who loses its access is out at once, and who has none is not let in.
func TestAccessThatIsTakenAway(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{Verify: true})
	nobody := userKey(t, broker, "nora", core.NoAccess, false)
	if got := s.visitor().logIn(nobody.ID, string(nobody.Secret), ""); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("without access: got %s", got.Status)
	}
	v := s.loggedIn(userKey(t, broker, "olga", core.Operator, false))
	v.wants(v.get(base+"/queues"), "New queue", "olga")
	none := core.NoAccess
	if _, err := broker.AlterIdentity(t.Context(), core.IdentityName{Account: pgtest.Account, Kind: core.User, Name: "olga"}, core.IdentityChange{Access: &none}); err != nil {
		t.Fatal(err)
	}
	if got := v.status(base + "/queues"); got != http.StatusSeeOther {
		t.Errorf("after the access was taken away: got %d", got)
	}
}

func TestSignedOnByAProxy(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	userKey(t, broker, "vera", core.Viewer, false)
	userKey(t, broker, "nora", core.NoAccess, false)
	trusted := &caller.Options{Verify: true, SignOnHeader: "X-User", SignOnAccount: pgtest.Account, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	s := newSite(t, broker, trusted)
	v := s.visitor()
	text := v.get(base+"/queues", "X-User", "vera")
	v.wants(text, "vera", "No queues yet")
	if strings.Contains(text, "New queue</button>") || strings.Contains(text, "/console/logout") {
		t.Errorf("a viewer who is signed on sees\n%s", text)
	}
	for name, header := range map[string][]string{"nobody": nil, "a user without access": {"X-User", "nora"}, "a user that is none": {"X-User", "eve"}} {
		if got := s.visitor().do(s.request(http.MethodGet, base+"/queues", "", header...)); got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	v.wants(s.visitor().get("/console/login", "X-User", "nora"), "You are signed on as nora")
	direct := newSite(t, broker, &caller.Options{Verify: true, SignOnHeader: "X-User", SignOnAccount: pgtest.Account})
	if got := direct.do(direct.request(http.MethodGet, base+"/queues", "", "X-User", "vera")); got.StatusCode != http.StatusSeeOther {
		t.Errorf("from who is no trusted proxy: got %s", got.Status)
	}
}

func TestErrorsInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	missing := s.do(s.request(http.MethodGet, base+"/queues/nothing", "", "Accept-Language", "zh"))
	s.wants(missing.text, "队列 &#34;nothing&#34; 不存在")
	s.wants(s.do(s.request(http.MethodGet, base+"/trace?id=nothing", "", "Accept-Language", "zh")).text, "不是消息 ID")
	s.wants(s.do(s.request(http.MethodGet, base+"/queues/nothing", "", "Accept-Language", "en")).text, "nothing")
	pgtest.Queue(t, s.broker, "orders")
	s.done("/console/preferences", "language", "zh", "back", base+"/queues")
	told := s.post(base+"/queues/orders/send", "body", "").text
	s.wants(told, "消息需要消息体。")
	if strings.Contains(told, "有一个值超出允许的范围") {
		t.Errorf("what is Chinese already is explained:\n%s", told)
	}
}

// Who administers one account takes no key from who administers them all, and sees no counts of others.
func TestAdministratorsOfOneAccount(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{Verify: true})
	ann, all := userKey(t, broker, "ann", core.Admin, false), accountKey(t, broker, true)
	v := s.loggedIn(ann)
	if got := v.post(base+"/keys/"+all.ID+"/disable", "disabled", "on").StatusCode; got != http.StatusNotFound {
		t.Errorf("the key of another administrator: got %d", got)
	}
	if got := v.post(base+"/keys/"+all.ID+"/delete", "confirm", all.ID).StatusCode; got != http.StatusNotFound {
		t.Errorf("the key of another administrator: got %d", got)
	}
	for _, page := range []string{"/", "/busiest"} {
		if text := v.get(base + page); strings.Contains(text, "tiles") {
			t.Errorf("%s shows what all accounts do:\n%s", page, text)
		}
	}
	if got := v.status(base + "/live"); got != http.StatusForbidden {
		t.Errorf("the charts: got %d", got)
	}
	s.wants(s.loggedIn(all).get(base+"/"), `id="tiles"`)
}
