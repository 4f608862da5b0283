package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

func TestUserFromEndToEnd(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{Access: caller.NewAccess(broker, true)})
	made := s.post(base+"/users", "name", "ada", "access", "viewer", "key", "on").text
	key, err := broker.Key(t.Context(), regexp.MustCompile(`AKIA[A-Z0-9]+`).FindString(made))
	if err != nil || key.User != "ada" || !strings.Contains(html.UnescapeString(made), string(key.Secret)) {
		t.Fatalf("made %+v and %v", key, err)
	}
	if strings.Contains(html.UnescapeString(s.get(base+"/users/ada")), string(key.Secret)) {
		t.Error("the page shows the secret again")
	}
	s.done(base+"/groups", "name", "crew")
	s.done(base+"/groups/crew/join", "user", "ada")
	s.wants(s.get(base+"/groups/crew"), "/users/ada")
	s.wants(s.get(base+"/users/ada"), "/groups/crew", key.ID)

	s.done(base+"/policies", "name", "senders", "text", allowSend)
	s.done(base+"/groups/crew/attach", "policy", "senders")
	explain := func(action string) string {
		query := url.Values{"principal": {"arn:aws:iam::" + pgtest.Account + ":user/ada"}, "action": {action}, "resource": {"arn:aws:sqs:us-east-1:" + pgtest.Account + ":orders"}}
		return s.get(base + "/explain?" + query.Encode())
	}
	s.wants(explain("sqs:SendMessage"), ">allowed<", "policy/senders", "number 1", "<code>Send</code>")
	s.wants(explain("sqs:DeleteQueue"), "since nothing allows it", "is not authorized to perform: sqs:DeleteQueue")
	s.done(base+"/users/ada/inline", "name", "not", "cloud", "aws", "text", strings.Replace(allowSend, "Allow", "Deny", 1))
	s.wants(explain("sqs:SendMessage"), "denied by a statement")
	s.done(base+"/users/ada/inline/delete", "name", "not")
	s.done(base+"/groups/crew/detach", "policy", "arn:aws:iam::"+pgtest.Account+":policy/senders")
	s.wants(explain("sqs:SendMessage"), "since nothing allows it")

	s.done(base+"/users/ada/settings", "access", "operator", "description", "Countess", "boundary", "AmazonSQSReadOnlyAccess")
	user, err := broker.Identity(t.Context(), core.IdentityName{Account: pgtest.Account, Kind: core.User, Name: "ada"})
	if err != nil || user.Access != core.Operator || user.Description != "Countess" || !strings.HasSuffix(user.Boundary, "AmazonSQSReadOnlyAccess") {
		t.Errorf("altered to %+v, %v", user, err)
	}
	if got := s.post(base+"/users/ada/delete", "confirm", "ad"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("deleted without the name: got %s", got.Status)
	}
	s.done(base+"/users/ada/delete", "confirm", "ada")
	if got := s.status(base + "/users/ada"); got != http.StatusNotFound {
		t.Errorf("after it was deleted: got %d", got)
	}
	if _, err := broker.Key(t.Context(), key.ID); core.CodeOf(err) != core.KeyNotFound {
		t.Errorf("its key: %v", err)
	}
}

func TestPoliciesAreChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	for name, fields := range map[string][]string{
		"no policy":        {"name", "p", "text", "{}"},
		"another language": {"name", "p", "cloud", "ram", "text", allowSend},
		"no name":          {"text", allowSend},
	} {
		if got := s.post(base+"/policies", fields...); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `role="alert"`) {
			t.Errorf("%s: got %s\n%s", name, got.Status, got.text)
		}
	}
	s.done(base+"/policies", "name", "p", "text", allowSend)
	if got := s.post(base+"/policies/p/text", "text", `{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}`); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a text that is none: got %s", got.Status)
	}
	s.done(base+"/policies/p/text", "text", strings.Replace(allowSend, "SendMessage", "ReceiveMessage", 1))
	s.wants(s.get(base+"/policies/p"), "version 2", "ReceiveMessage")
	s.done(base+"/policies/p/version", "version", "1")
	policy, err := s.broker.Policy(t.Context(), core.PolicyName{Account: pgtest.Account, Cloud: core.AWS, Name: "p"})
	if err != nil || policy.Default != 1 || len(policy.Versions) != 2 {
		t.Errorf("got %+v, %v", policy, err)
	}
	if got := s.post(base+"/policies/AdministratorAccess/text?built_in=1", "text", allowSend); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a built-in policy: got %s", got.Status)
	}
	s.done(base+"/policies/p/delete", "confirm", "p")
	s.done(base+"/roles", "name", "courier", "cloud", "aws", "trust", `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}`)
	if got := s.post(base+"/roles/courier/settings", "session", "2", "trust", "none"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a trust policy that is none: got %s", got.Status)
	}
}

// Nobody takes away the ground that he stands on.
func TestOwnUserIsSpared(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	ann := newSite(t, broker, &caller.Options{Verify: true}).loggedIn(userKey(t, broker, "ann", core.Admin, false))
	for path, fields := range map[string][]string{"/users/ann/settings": {"access", "viewer"}, "/users/ann/delete": {"confirm", "ann"}} {
		if got := ann.post(base+path, fields...); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %s", path, got.Status)
		}
	}
	ann.done(base+"/users/ann/settings", "access", "admin", "description", "still here")
}

func TestFaultRules(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	orders := pgtest.Queue(t, s.broker, "orders")
	s.done(base+"/faults", "name", "busy", "effect", "error", "code", "Throttled", "pattern", "orders", "operation", "send", "percent", "100", "most", "1", "length", "60")
	if got := s.post(base+"/queues/orders/send", "body", "first"); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the call that is hit: got %s", got.Status)
	}
	if got := s.post(base+"/queues/orders/send", "body", "second"); got.StatusCode != http.StatusOK {
		t.Errorf("the call after it: got %s", got.Status)
	}
	s.wants(s.get(base+"/faults"), "busy", "Throttled", "1 / 1")
	for name, fields := range map[string][]string{
		"no effect":         {"name", "a", "effect", "smoke"},
		"no delay":          {"name", "a", "effect", "latency"},
		"a share of nobody": {"name", "a", "effect", "duplicate", "percent", "0"},
		"more than all":     {"name", "a", "effect", "duplicate", "percent", "101"},
		"no number":         {"name", "a", "effect", "duplicate", "percent", "NaN"},
		"another operation": {"name", "a", "effect", "duplicate", "operation", "fly"},
	} {
		if got := s.post(base+"/faults", fields...); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	s.done(base+"/faults", "name", "late", "effect", "latency", "min", "0.5", "max", "2")
	found, err := s.broker.Faults(t.Context(), orders.Account)
	if err != nil || len(found) != 2 || found[1].Min != 500*time.Millisecond || found[1].Max != 2*time.Second {
		t.Errorf("%+v, %v", found, err)
	}
	s.done(base+"/faults/delete", "name", "busy")
	s.done(base+"/faults/delete", "name", "late")
	if found, err := s.broker.Faults(t.Context(), orders.Account); err != nil || len(found) != 0 {
		t.Errorf("deleted: %+v, %v", found, err)
	}
}

// Where there can be no access keys, a user that was to have one is not made either.
func TestUserWithoutItsKeyIsNotMade(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t) // without a master key
	s := newSite(t, core.NewBroker(store), &caller.Options{})
	if got := s.post(base+"/users", "name", "ada", "key", "on"); got.StatusCode < 400 || got.StatusCode == http.StatusInternalServerError {
		t.Errorf("with a key: got %s", got.Status)
	}
	s.done(base+"/users", "name", "ada")
}
