package api_test

import (
	"net/http"
	"testing"
)

func TestFIFOQueue(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	created := c.call(http.StatusCreated, http.MethodPost, "/queues", `{"name": "orders.fifo", "fifo": true, "deduplication_scope": "group"}`)
	if created["fifo"] != true || created["deduplication_scope"] != "group" {
		t.Errorf("created %v", created)
	}
	c.call(http.StatusOK, http.MethodPost, "/queues", `{"name": "orders.fifo", "fifo": true}`)
	altered := c.call(http.StatusOK, http.MethodPatch, "/queues/orders.fifo", `{"deduplication_scope": "queue"}`)
	if altered["deduplication_scope"] != "queue" {
		t.Errorf("altered %v", altered)
	}
	sent := c.send("orders.fifo", `{"body": "a", "group_id": "g", "deduplication_id": "d"}`, `{"body": "b", "group_id": "h"}`, `{"body": "c", "group_id": "h", "deduplication_id": "d"}`)
	if sent[0]["duplicate"] != nil || sent[2]["duplicate"] != true || sent[2]["id"] != sent[0]["id"] || sent[2]["sequence"] != sent[0]["sequence"] {
		t.Errorf("sent %v", sent)
	}
	if first, second := sent[0]["sequence"].(string), sent[1]["sequence"].(string); len(first) != 20 || first >= second {
		t.Errorf("sequences %s, %s", first, second)
	}
	receive := func() []any {
		return c.call(http.StatusOK, http.MethodPost, "/queues/orders.fifo/messages:receive", `{"limit": 10, "wait_seconds": 0, "attempt_id": "1"}`)["messages"].([]any)
	}
	for range 2 { // the second attempt repeats the first
		got := receive()
		if len(got) != 2 {
			t.Fatalf("received %v", got)
		}
		if m := got[0].(object); m["body"] != "a" || m["group_id"] != "g" || m["deduplication_id"] != "d" || m["sequence"] != sent[0]["sequence"] || m["receive_count"] != 1.0 {
			t.Errorf("received %v", m)
		}
	}
}

func TestFIFOQueueChecks(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("standard")
	c.call(http.StatusUnprocessableEntity, http.MethodPatch, "/queues/standard", `{"deduplication_scope": "group"}`)
	c.call(http.StatusOK, http.MethodPatch, "/queues/standard", `{"deduplication_scope": "queue"}`)
	c.call(http.StatusNotFound, http.MethodPatch, "/queues/missing", `{"deduplication_scope": "group"}`)
	c.call(http.StatusCreated, http.MethodPost, "/queues", `{"name": "f.fifo", "fifo": true}`)
	tests := map[string]struct {
		path, body string
		want       int
	}{
		"a standard queue of that ending":        {"/queues", `{"name": "s.fifo"}`, http.StatusUnprocessableEntity},
		"another ending":                         {"/queues", `{"name": "s.lifo", "fifo": true}`, http.StatusUnprocessableEntity},
		"nothing before the ending":              {"/queues", `{"name": ".fifo", "fifo": true}`, http.StatusUnprocessableEntity},
		"a FIFO queue without the ending":        {"/queues", `{"name": "plain", "fifo": true}`, http.StatusCreated},
		"a standard queue as FIFO":               {"/queues", `{"name": "standard", "fifo": true}`, http.StatusConflict},
		"another scope":                          {"/queues", `{"name": "f.fifo", "fifo": true, "deduplication_scope": "group"}`, http.StatusConflict},
		"an unknown scope":                       {"/queues", `{"name": "g.fifo", "fifo": true, "deduplication_scope": "message"}`, http.StatusUnprocessableEntity},
		"a scope of a standard queue":            {"/queues", `{"name": "plain2", "deduplication_scope": "group"}`, http.StatusUnprocessableEntity},
		"the scope that it has anyway":           {"/queues", `{"name": "plain3", "deduplication_scope": "queue"}`, http.StatusCreated},
		"a message without a group":              {"/queues/f.fifo/messages", `{"messages": [{"body": "a"}]}`, http.StatusUnprocessableEntity},
		"a deduplication id with a space":        {"/queues/f.fifo/messages", `{"messages": [{"body": "a", "group_id": "g", "deduplication_id": "a b"}]}`, http.StatusUnprocessableEntity},
		"a deduplication id of a standard queue": {"/queues/standard/messages", `{"messages": [{"body": "a", "deduplication_id": "d"}]}`, http.StatusUnprocessableEntity},
		"an attempt id with a space":             {"/queues/f.fifo/messages:receive", `{"attempt_id": "a b"}`, http.StatusUnprocessableEntity},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { c.call(tt.want, http.MethodPost, tt.path, tt.body) })
	}
}
