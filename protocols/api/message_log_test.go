package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

// kinds gives what happened, in order.
func kinds(answer object) []string {
	var all []string
	for _, e := range objects(answer["events"]) {
		all = append(all, e["kind"].(string))
	}
	return all
}

func TestMessageLog(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "orders", "logging": true}`)
	c.queue("quiet")
	c.send("quiet", `{"body": "1"}`)
	c.send("orders", `{"body": "1", "attributes": {"customer": {"type": "String", "value": "seven"}}}`, `{"body": "2"}`)
	got := c.receive("orders")
	id := got[0]["id"].(string)
	c.call(200, "POST", "/queues/orders/messages:visibility", `{"changes": [{"receipt_handle": "`+got[0]["receipt_handle"].(string)+`", "visibility_timeout_seconds": 0}]}`)
	again := c.receive("orders")[0]
	c.call(200, "POST", "/queues/orders/messages:delete", handle(again))
	c.call(200, "POST", "/queues/orders/messages:delete", handle(again)) // which is gone: no event

	life := c.call(200, "GET", "/messages/"+id+"/log", "")
	if got := kinds(life); !slices.Equal(got, []string{"sent", "received", "visibility-changed", "received", "deleted"}) {
		t.Fatalf("got %v", got)
	}
	events := objects(life["events"])
	if e := events[0]; e["protocol"] != "api" || e["action"] != "send-messages" || e["queue"] != "orders" || e["request_id"] == nil || e["visible_at"] == nil {
		t.Errorf("sent: %v", e)
	}
	if e := events[3]; e["receive_count"] != 2.0 || e["receipt_handle"] != again["receipt_handle"] {
		t.Errorf("received: %v", e)
	}
	if upper := strings.ToUpper(strings.ReplaceAll(id, "-", "")); len(objects(c.call(200, "GET", "/messages/"+upper+"/log", "")["events"])) != 5 {
		t.Errorf("not found as MNS shows the id")
	}
	if got := objects(c.call(200, "GET", "/queues/orders/log?attribute=customer=seven", "")["events"]); len(got) != 1 || got[0]["message_id"] != id {
		t.Errorf("by attribute: %v", got)
	}
	if got := objects(c.call(200, "GET", "/queues/quiet/log", "")["events"]); len(got) != 0 {
		t.Errorf("a queue without logging: %v", got)
	}
	page := c.call(200, "GET", "/queues/orders/log?limit=4", "")
	rest := c.call(200, "GET", "/queues/orders/log?limit=4&cursor="+page["next_cursor"].(string), "")
	if len(objects(page["events"])) != 4 || len(objects(rest["events"])) != 3 || rest["next_cursor"] != nil {
		t.Errorf("pages: %v, then %v", page, rest)
	}
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if got := objects(c.call(200, "GET", "/queues/orders/log?from="+later, "")["events"]); len(got) != 0 {
		t.Errorf("from later on: %v", got)
	}
	c.call(200, "GET", "/messages/"+id+"/log?account=111122223333", "")
	c.call(422, "GET", "/messages/nonsense/log", "")
	c.call(422, "GET", "/queues/orders/log?attribute=x", "")
}

func TestMessageLogOfExpiry(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "orders", "logging": true, "retention_seconds": 60}`)
	c.send("orders", `{"body": "1"}`)
	c.call(200, "POST", "/clock", `{"advance_seconds": 60}`)
	answer := c.call(200, "GET", "/queues/orders/log", "")
	if got := kinds(answer); !slices.Equal(got, []string{"sent", "expired"}) {
		t.Fatalf("got %v", got)
	}
	events := objects(answer["events"])
	sent, _ := time.Parse(time.RFC3339Nano, events[0]["at"].(string))
	expired, _ := time.Parse(time.RFC3339Nano, events[1]["at"].(string))
	if gap := expired.Sub(sent); gap < 60*time.Second {
		t.Errorf("expired %v after it was sent", gap)
	}
}

func TestMessageLogOfPublishedAndDeadMessages(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	c.queue("dead")
	c.call(201, "POST", "/queues", `{"name": "orders", "logging": true, "dead_letter": {"queue": "dead", "max_receives": 1}}`)
	c.call(201, "POST", "/topics/alerts/subscriptions", `{"queue": "orders"}`)
	c.call(201, "POST", "/topics/alerts/messages", `{"messages": [{"body": "x"}]}`)
	c.call(200, "POST", "/queues/orders/messages:receive", `{"visibility_timeout_seconds": 0}`)
	if got := c.receive("orders"); len(got) != 0 {
		t.Errorf("a dead letter was handed out: %v", got)
	}
	answer := c.call(200, "GET", "/queues/orders/log", "")
	if got := kinds(answer); !slices.Equal(got, []string{"sent", "received", "moved"}) {
		t.Fatalf("got %v", got)
	}
	events := objects(answer["events"])
	if events[0]["detail"] != "by topic alerts" || events[2]["detail"] != "to dead-letter queue dead" {
		t.Errorf("got %v and %v", events[0], events[2])
	}
}

func TestMessageLogDays(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(201, "POST", "/queues", `{"name": "orders", "logging": true}`)
	c.send("orders", `{"body": "1"}`)
	if err := c.broker.FlushLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	store := c.store.(*pg.Store)
	for range 2 { // again: what is there stays
		if err := store.TurnLog(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got := objects(c.call(200, "GET", "/queues/orders/log", "")["events"]); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if err := store.TurnLog(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got := objects(c.call(200, "GET", "/queues/orders/log", "")["events"]); len(got) != 0 {
		t.Errorf("kept: %v", got)
	}
}

func TestMessageLogIsBounded(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.queue("orders")
	c.broker.LogAllMessages(true)
	name := core.QueueName{Account: "000000000000", Region: "us-east-1", Name: "orders"}
	messages := make([]core.NewMessage, core.MaxBatch)
	for i := range messages {
		messages[i].Body = []byte("x")
	}
	for range core.MaxLogged/core.MaxBatch + 1 {
		if _, err := c.broker.SendMessages(t.Context(), core.SendInput{Queue: name, Messages: messages}); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.broker.LogDropped(); got != core.MaxBatch {
		t.Errorf("%d events were dropped, want %d", got, core.MaxBatch)
	}
	if err := c.broker.FlushLog(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A reset empties the log of its account too, also of what was not written yet, and of no other's; it begins anew with the queues.
func TestMessageLogAfterReset(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.broker.LogAllMessages(true)
	const other = "?account=111122223333"
	c.call(204, "POST", "/reset", "") // of nothing: the first entry is told of
	c.queue("orders")
	sent := c.send("orders", `{"body": "1"}`)
	c.call(201, "POST", "/queues"+other, `{"name": "orders"}`)
	c.call(201, "POST", "/queues/orders/messages"+other, `{"messages": [{"body": "1"}]}`)
	life := "/messages/" + sent[0]["id"].(string) + "/log"
	if got := kinds(c.call(200, "GET", life, "")); !slices.Equal(got, []string{"sent"}) {
		t.Errorf("before the reset: %v", got)
	}
	c.receive("orders") // which waits to be written
	c.call(204, "POST", "/reset", "")
	for _, path := range []string{life, "/queues/orders/log"} {
		if got := kinds(c.call(200, "GET", path, "")); len(got) != 0 {
			t.Errorf("%s after the reset: %v", path, got)
		}
	}
	if got := kinds(c.call(200, "GET", "/queues/orders/log"+other, "")); !slices.Equal(got, []string{"sent"}) {
		t.Errorf("another account: %v", got)
	}
	c.queue("orders")
	c.send("orders", `{"body": "2"}`)
	if got := kinds(c.call(200, "GET", "/queues/orders/log", "")); !slices.Equal(got, []string{"sent"}) {
		t.Errorf("in the queue that was made anew: %v", got)
	}
}
