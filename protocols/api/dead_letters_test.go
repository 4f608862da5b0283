package api_test

import (
	"fmt"
	"testing"
	"time"
)

// withDeadLetters makes the queues orders and dead, with a policy of one receive.
func withDeadLetters(t *testing.T) *client {
	t.Helper()
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "dead"}`)
	c.call(201, "POST", "/queues", `{"name": "orders", "dead_letter": {"queue": "dead", "max_receives": 1}}`)
	return c
}

// bury has a message of orders moved to dead.
func (c *client) bury(body string) {
	c.t.Helper()
	c.send("orders", `{"body": "`+body+`"}`)
	for range 2 {
		c.call(200, "POST", "/queues/orders/messages:receive", `{"visibility_timeout_seconds": 0}`)
	}
}

func TestDeadLetterPolicy(t *testing.T) {
	t.Parallel()
	c := withDeadLetters(t)
	c.call(201, "POST", "/queues", `{"name": "closed", "dead_letter_sources": {"allow": "none"}}`)
	c.call(201, "POST", "/queues", `{"name": "picky", "dead_letter_sources": {"allow": "listed", "queues": ["orders", "a"]}}`)
	policy := func() string {
		got := c.call(200, "GET", "/queues/orders", "")
		return fmt.Sprint(got["dead_letter"])
	}
	tests := map[string]struct {
		change string
		want   int
		policy string
	}{
		"another":            {`{"dead_letter": {"queue": "picky", "max_receives": 1000}}`, 200, "map[max_receives:1000 queue:picky]"},
		"removed":            {`{"dead_letter": {"queue": ""}}`, 200, "<nil>"},
		"not named":          {`{"delay_seconds": 0}`, 200, "map[max_receives:1 queue:dead]"},
		"closed":             {`{"dead_letter": {"queue": "closed", "max_receives": 1}}`, 422, "map[max_receives:1 queue:dead]"},
		"missing":            {`{"dead_letter": {"queue": "none", "max_receives": 1}}`, 422, "map[max_receives:1 queue:dead]"},
		"itself":             {`{"dead_letter": {"queue": "orders", "max_receives": 1}}`, 422, "map[max_receives:1 queue:dead]"},
		"never received":     {`{"dead_letter": {"queue": "dead", "max_receives": 0}}`, 422, "map[max_receives:1 queue:dead]"},
		"without receives":   {`{"dead_letter": {"queue": "dead"}}`, 422, "map[max_receives:1 queue:dead]"},
		"received too often": {`{"dead_letter": {"queue": "dead", "max_receives": 1001}}`, 422, "map[max_receives:1 queue:dead]"},
		"too many sources": {`{"dead_letter_sources": {"allow": "listed", "queues": ["1","2","3","4","5","6","7","8","9","10","11"]}}`, 422,
			"map[max_receives:1 queue:dead]"},
	}
	for name, tt := range tests {
		c.call(200, "PATCH", "/queues/orders", `{"dead_letter": {"queue": "dead", "max_receives": 1}}`)
		c.call(tt.want, "PATCH", "/queues/orders", tt.change)
		if got := policy(); got != tt.policy {
			t.Errorf("%s: the policy is %s, want %s", name, got, tt.policy)
		}
	}
	for name, want := range map[string]string{"dead": "<nil>", "closed": "map[allow:none]", "picky": "map[allow:listed queues:[a orders]]"} {
		if got := fmt.Sprint(c.call(200, "GET", "/queues/"+name, "")["dead_letter_sources"]); got != want {
			t.Errorf("%s takes dead letters of %s, want %s", name, got, want)
		}
	}
	c.call(200, "PATCH", "/queues/closed", `{"dead_letter_sources": {"allow": "any"}}`)
	c.call(200, "PATCH", "/queues/orders", `{"dead_letter": {"queue": "closed", "max_receives": 1}}`)
}

func TestListSources(t *testing.T) {
	t.Parallel()
	c := withDeadLetters(t)
	c.call(201, "POST", "/queues", `{"name": "more", "dead_letter": {"queue": "dead", "max_receives": 1}}`)
	page := c.call(200, "GET", "/queues/dead/sources?limit=1", "")
	if got := page["queues"].([]any); len(got) != 1 || got[0].(object)["name"] != "more" || page["next_cursor"] == nil {
		t.Errorf("first page %v", page)
	}
	page = c.call(200, "GET", fmt.Sprintf("/queues/dead/sources?limit=1&cursor=%v", page["next_cursor"]), "")
	if got := page["queues"].([]any); len(got) != 1 || got[0].(object)["name"] != "orders" || page["next_cursor"] != nil {
		t.Errorf("second page %v", page)
	}
	c.call(404, "GET", "/queues/none/sources", "")
}

func TestMoves(t *testing.T) {
	t.Parallel()
	c := withDeadLetters(t)
	c.bury("a")
	for _, bad := range []string{`{"rate": 0}`, `{"rate": 501}`, `{"destination": "none"}`, `{"destination": "dead"}`} {
		c.call(422, "POST", "/queues/dead/moves", bad)
	}
	c.call(422, "POST", "/queues/orders/moves", `{}`)
	c.call(404, "POST", "/queues/none/moves", `{}`)
	task := c.call(201, "POST", "/queues/dead/moves", `{"rate": 500}`)
	if task["status"] != "RUNNING" || task["to_move"] != 1.0 || task["rate"] != 500.0 || task["source"] != "dead" {
		t.Errorf("started %v", task)
	}
	end := time.Now().Add(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for task["status"] == "RUNNING" {
		if time.Now().After(end) {
			t.Fatalf("the task does not end: %v", task)
		}
		<-tick.C
		task = c.call(200, "GET", "/queues/dead/moves?limit=1", "")["moves"].([]any)[0].(object)
	}
	if task["status"] != "COMPLETED" || task["moved"] != 1.0 || task["ended_at"] == nil {
		t.Errorf("ended %v", task)
	}
	if got := c.call(200, "POST", "/queues/orders/messages:receive", `{}`)["messages"].([]any); len(got) != 1 {
		t.Errorf("received %v from the source, want the message that was moved back", got)
	}
	c.call(409, "DELETE", fmt.Sprintf("/queues/dead/moves/%v", task["id"]), "")
	c.call(404, "DELETE", "/queues/dead/moves/x", "")
	c.call(422, "GET", "/queues/dead/moves?limit=11", "")
	for range 20 { // which takes longer to move than all that follows
		c.bury("b")
	}
	task = c.call(201, "POST", "/queues/dead/moves", `{"rate": 1}`)
	c.call(409, "POST", "/queues/dead/moves", `{}`)
	if task = c.call(200, "DELETE", fmt.Sprintf("/queues/dead/moves/%v", task["id"]), ""); task["status"] != "CANCELLING" {
		t.Errorf("cancelled %v", task)
	}
}
