package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/protocols/api"
)

func TestWaitForMessage(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.send("orders", `{"body": "paid", "attributes": {"region": {"type": "String", "value": "eu-west"}}}`)
	id := c.receive("orders")[0]["id"].(string) // in flight, and found all the same
	for _, match := range []string{"", "aid", "eu-w", id} {
		if got := c.call(200, "GET", "/queues/orders/messages:wait?timeout=0&match="+match, ""); got["body"] != "paid" || got["receipt_handle"] != nil {
			t.Errorf("match %q: got %v", match, got)
		}
	}
	if problem := c.call(404, "GET", "/queues/orders/messages:wait?timeout=0.01&match=late", ""); problem["code"] != "MessageNotFound" {
		t.Errorf("got %v", problem)
	}
	answered := make(chan string)
	go func() {
		w := c.serve(httptest.NewRequest("GET", "/api/v1/queues/orders/messages:wait?timeout=60&match=late", nil))
		answered <- w.Body.String()
	}()
	c.send("orders", `{"body": "too late", "delay_seconds": 600}`) // delayed, and found all the same
	if got := <-answered; !strings.Contains(got, `"too late"`) {
		t.Errorf("got %s", got)
	}
	c.call(404, "GET", "/queues/parcels/messages:wait", "")
	c.call(422, "GET", "/queues/orders/messages:wait?timeout=101", "")
}

func TestResetAccount(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const other = "?account=111122223333"
	c.queue("orders")
	c.call(201, "POST", "/queues"+other, `{"name": "orders"}`)
	c.call(201, "POST", "/queues?region=eu-west-1", `{"name": "orders"}`)
	c.send("orders", `{"body": "1"}`)
	before := c.now()
	c.call(200, "POST", "/clock", `{"advance_seconds": 86400}`)

	c.call(204, "POST", "/reset", "")
	for _, scope := range []string{"", "?region=eu-west-1"} {
		if got := objects(c.call(200, "GET", "/queues"+scope, "")["queues"]); len(got) != 0 {
			t.Errorf("%q: got %v", scope, got)
		}
	}
	if got := objects(c.call(200, "GET", "/queues"+other, "")["queues"]); len(got) != 1 {
		t.Errorf("another account has %v", got)
	}
	if now := c.now(); now.Sub(before) > time.Hour {
		t.Errorf("the clock is at %v, was at %v before it was moved by a day", now, before)
	}
	c.queue("orders")
	if got := c.receive("orders"); len(got) != 0 {
		t.Errorf("got %v in a queue that was made anew", got)
	}
	c.call(422, "POST", "/reset?account=1", "")
}

// now gives the account's time.
func (c *client) now() time.Time {
	c.t.Helper()
	now, err := time.Parse(time.RFC3339Nano, c.call(200, "POST", "/clock", `{"advance_seconds": 0}`)["now"].(string))
	if err != nil {
		c.t.Fatal(err)
	}
	return now
}

func TestTestModeOnly(t *testing.T) {
	t.Parallel()
	c := newClientOf(t, newClient(t).broker, api.Options{})
	for path, method := range map[string]string{"/reset": "POST", "/queues/orders/messages:wait": "GET"} {
		if problem := c.call(403, method, path, ""); problem["code"] != "AccessDenied" {
			t.Errorf("%s: got %v", path, problem)
		}
	}
}
