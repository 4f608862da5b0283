package console_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// pageOf finds the pages and changes that the package mounts, so that a new one is walked as well.
var pageOf = regexp.MustCompile(`\bs\.(get|post|data)\("([^"]+)",`)

// TestIsolationOfPages walks every page and every change as another account's administrator, whose own account has
// nothing: what the owner has is denied as what nobody has, nothing of it is shown, and nothing happens to it.
func TestIsolationOfPages(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	s := newSite(t, broker, &caller.Options{Verify: true})
	s.populate()
	ann := core.IdentityName{Account: "111122223333", Kind: core.User, Name: "ann"}
	if _, err := broker.CreateIdentity(t.Context(), core.Identity{IdentityName: ann, Access: core.Admin, Bodies: true}); err != nil {
		t.Fatal(err)
	}
	key, err := broker.CreateKey(t.Context(), core.NewKey{Account: ann.Account, User: ann.Name})
	if err != nil {
		t.Fatal(err)
	}
	owner, other := s.loggedIn(accountKey(t, broker, false)), s.loggedIn(key)
	own := strings.Replace(base, pgtest.Account, ann.Account, 1)
	other.token = tokenInPage.FindStringSubmatch(other.get(own + "/queues"))[1]
	named := map[string]string{"queue": "orders", "topic": "alerts", "alert": "deep", "user": "ada", "group": "crew", "role": "courier", "policy": "senders", "name": "ada"}
	fill := func(path string, none bool) string {
		path = strings.ReplaceAll(path, "{$}", "")
		return "/" + regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(path, func(part string) string {
			if name := named[strings.Trim(part, "{}")]; name != "" && !none {
				return name
			}
			return "nothing"
		})
	}
	kept := func() string {
		return owner.get(base+"/queues/orders") + owner.get(base+"/topics/alerts") + owner.get(base+"/users/ada") + owner.get(base+"/keys")
	}
	numbers := regexp.MustCompile(`[0-9]+`)
	before, walked := numbers.ReplaceAllString(kept(), "0"), 0
	for method, path := range routesInSource(t) {
		ask := func(path string) answer {
			if method.change {
				return other.post(path, "name", "orders", "confirm", "orders", "body", "x", "disabled", "on", "by", "1")
			}
			return other.do(other.request(http.MethodGet, path, ""))
		}
		walked++
		there, none := ask(base+fill(path, false)), ask(base+fill(path, true))
		if there.StatusCode != http.StatusForbidden || none.StatusCode != http.StatusForbidden {
			t.Errorf("%v %s of the owner's account: got %s, and of nothing %s", method, path, there.Status, none.Status)
		}
		if at := ask(own + fill(path, false)); at.StatusCode >= http.StatusInternalServerError || strings.Contains(at.text, "an order") || strings.Contains(at.text, "needle") || strings.Contains(at.text, "+15550100") {
			t.Errorf("%v %s in the own account: got %s\n%s", method, path, at.Status, at.text)
		}
		for _, secret := range []string{"needle", "an order", "+15550100", "SEC&lt;1&gt;", "all&lt;/b&gt;"} {
			if strings.Contains(there.text, secret) {
				t.Errorf("%v %s shows %s", method, path, secret)
			}
		}
	}
	if after := numbers.ReplaceAllString(kept(), "0"); walked < 60 || after != before {
		t.Errorf("after %d pages the owner's are\n%s\nbefore they were\n%s", walked, after, before)
	}
}

// mounted is how a page is mounted: a change, or only to look at, and its place in the source.
type mounted struct {
	change bool
	at     string
}

func routesInSource(t *testing.T) map[mounted]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	routes := map[mounted]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range pageOf.FindAllStringSubmatch(string(text), -1) {
			routes[mounted{found[1] != "get", found[1] + " " + found[2]}] = found[2]
		}
	}
	return routes
}
