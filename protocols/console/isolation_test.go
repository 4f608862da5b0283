package console_test

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
)

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
	other.token = tokenInPage.FindStringSubmatch(other.get("/console/" + ann.Account + "/" + pgtest.Region + "/queues"))[1]
	named := map[string]string{"queue": "orders", "topic": "alerts", "alert": "deep", "user": "ada", "group": "crew", "role": "courier", "policy": "senders", "name": "ada"}
	there := func(wildcard string) string { return cmp.Or(named[wildcard], "nothing") }
	nothing := func(string) string { return "nothing" }
	kept := func() string {
		return owner.get(base+"/queues/orders") + owner.get(base+"/topics/alerts") + owner.get(base+"/users/ada") + owner.get(base+"/keys")
	}
	numbers := regexp.MustCompile(`[0-9]+`)
	before, pages := numbers.ReplaceAllString(kept(), "0"), console.Pages()
	for _, page := range pages {
		ask := func(account string, name func(wildcard string) string) answer {
			path := page.At(account, pgtest.Region, name)
			if page.Method == http.MethodPost {
				return other.post(path, "name", "orders", "confirm", "orders", "body", "x", "disabled", "on", "by", "1")
			}
			return other.do(other.request(http.MethodGet, path, ""))
		}
		theirs, none := ask(pgtest.Account, there), ask(pgtest.Account, nothing)
		if theirs.StatusCode != http.StatusForbidden || none.StatusCode != http.StatusForbidden {
			t.Errorf("%v of the owner's account: got %s, and of nothing %s", page, theirs.Status, none.Status)
		}
		if own := ask(ann.Account, there); own.StatusCode >= http.StatusInternalServerError || strings.Contains(own.text, "an order") || strings.Contains(own.text, "needle") || strings.Contains(own.text, "+15550100") {
			t.Errorf("%v in the own account: got %s\n%s", page, own.Status, own.text)
		}
		for _, secret := range []string{"needle", "an order", "+15550100", "SEC&lt;1&gt;", "all&lt;/b&gt;"} {
			if strings.Contains(theirs.text, secret) {
				t.Errorf("%v shows %s", page, secret)
			}
		}
	}
	if after := numbers.ReplaceAllString(kept(), "0"); len(pages) < 60 || after != before {
		t.Errorf("after %d pages the owner's are\n%s\nbefore they were\n%s", len(pages), after, before)
	}
}
