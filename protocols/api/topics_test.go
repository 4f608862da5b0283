package api_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

// envelope is a Pusher whose pushes nobody makes: the tests settle them by hand.
type envelope struct{}

func (envelope) CompileFilters(filters []core.Filter) (core.Matcher, error) {
	if strings.Contains(filters[0].Text, "invalid") {
		return nil, core.Errorf(core.InvalidArgument, "the filter is invalid")
	}
	return all(len(filters)), nil
}

type all int

func (a all) Match(*core.PublishedMessage) (matching []int) {
	for i := range int(a) {
		matching = append(matching, i)
	}
	return matching
}

func (envelope) Render(_ *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	return enveloped{m}, nil
}
func (envelope) Retries(*core.Topic, *core.Subscription) core.RetryPolicy {
	return core.RetryPolicy{{Retries: 1, Min: time.Minute, Max: time.Minute}}
}
func (envelope) Rate(_ *core.Topic, sub *core.Subscription) int { return sub.Rate }

func (envelope) Judge(*core.Subscription, core.PushAnswer) core.Verdict { return core.Retry }

type enveloped struct{ m *core.PublishedMessage }

func (e enveloped) QueueMessage(*core.Subscription) (core.NewMessage, error) {
	return core.NewMessage{Body: e.m.Body}, nil
}

func (e enveloped) Push(sub *core.Subscription) (core.Push, error) {
	return core.Push{Way: core.Kept, To: sub.Endpoint, Body: e.m.Body}, nil
}

func newTopicClient(t *testing.T) *client {
	t.Helper()
	c := newClient(t)
	c.broker.RegisterPusher("sns", envelope{})
	c.broker.RegisterPusher("mns", envelope{})
	c.call(201, "POST", "/topics", `{"name": "alerts"}`)
	return c
}

// attempt attempts everything that is due, and is answered as given.
func (c *client) attempt(answer core.PushAnswer) {
	c.t.Helper()
	ctx := context.Background()
	lanes, err := c.broker.DueLanes(ctx, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, lane := range lanes {
		deliveries, err := c.broker.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lane.Lane, Limit: 10}})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, d := range deliveries {
			o, err := c.broker.Attempt(ctx, d, func(context.Context, core.Push) core.PushAnswer { return answer })
			if err == nil {
				err = c.broker.Settle(ctx, []core.Outcome{o})
			}
			if err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	for body, want := range map[string]int{
		`{"name": "alerts"}`: 200, `{"name": "alerts", "max_message_bytes": 262144}`: 200, `{"name": "alerts", "max_message_bytes": 1024}`: 409,
		`{"name": "alerts", "fifo": true}`: 409, `{"name": "alerts", "tags": {"a": "b"}}`: 409, `{"name": ""}`: 422, `{}`: 422, `{"name": "a b"}`: 422,
		`{"name": "x", "retention_seconds": 59}`: 422, `{"name": "x", "retention_seconds": 60}`: 201, `{"name": "y.fifo", "fifo": true}`: 201,
	} {
		c.call(want, "POST", "/topics", body)
	}
	altered := c.call(200, "PATCH", "/topics/alerts", `{"max_message_bytes": 1024, "tags": {"a": "b"}}`)
	if altered["max_message_bytes"] != 1024.0 || altered["tags"].(object)["a"] != "b" {
		t.Errorf("altered %v", altered)
	}
	if got := values(objects(c.call(200, "GET", "/topics?limit=10", "")["topics"]), "name"); !slices.Equal(got, []string{"alerts", "x", "y.fifo"}) {
		t.Errorf("listed %q", got)
	}
	c.call(413, "POST", "/topics/alerts/messages", `{"messages": [{"body": "`+strings.Repeat("x", 1025)+`"}]}`)
	c.call(204, "DELETE", "/topics/alerts", "")
	for _, call := range []struct{ method, path, body string }{
		{"GET", "/topics/alerts", ""}, {"DELETE", "/topics/alerts", ""}, {"PATCH", "/topics/alerts", `{}`}, {"POST", "/topics/alerts/messages", `{"messages": [{"body": "x"}]}`},
		{"GET", "/topics/alerts/subscriptions", ""}, {"POST", "/topics/alerts/subscriptions", `{"phone": "+15551234567"}`},
	} {
		if problem := c.call(404, call.method, call.path, call.body); problem["code"] != "TopicNotFound" {
			t.Errorf("%s %s: %v", call.method, call.path, problem)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	c.queue("orders")
	c.queue("dead")
	made := c.call(201, "POST", "/topics/alerts/subscriptions", `{"queue": "orders", "raw": true, "dead_letter_queue": "dead", "retries": [{"retries": 2, "min_seconds": 0.5, "max_seconds": 3}]}`)
	if made["endpoint"] != "arn:aws:sqs:us-east-1:000000000000:orders" || made["protocol"] != "sqs" || made["state"] != "confirmed" ||
		made["dead_letter_queue"] != "000000000000/us-east-1/dead" || objects(made["retries"])[0]["backoff"] != "linear" {
		t.Errorf("made %v", made)
	}
	path := "/topics/alerts/subscriptions/" + made["name"].(string)
	if got := c.call(200, "GET", path, ""); fmt.Sprint(got) != fmt.Sprint(made) {
		t.Errorf("got %v, want %v", got, made)
	}
	if base, _ := made["protocol_attributes"].(map[string]any)["sns.Base"].(string); !strings.HasPrefix(base, "http://") {
		t.Errorf("links in what is pushed would begin with %q", base)
	}
	for body, want := range map[string]int{
		`{"queue": "orders", "raw": true, "dead_letter_queue": "dead"}`: 200, `{"queue": "orders"}`: 409, `{}`: 422, `{"queue": "a", "url": "http://b"}`: 422,
		`{"url": "ftp://a"}`: 422, `{"url": "a"}`: 422, `{"email": "a"}`: 422, `{"url": "http://a", "filter": "invalid"}`: 422,
		`{"name": "mns", "format": "mns", "queue": "orders"}`: 201, `{"email": "a@b.example"}`: 201, `{"format": "mns", "phone": "1"}`: 201,
		`{"phone": "1"}`: 422, `{"phone": "12a"}`: 422, `{"phone": "0123456"}`: 422, `{"phone": "+1--23"}`: 422, `{"url": "https://a/b"}`: 201,
		`{"url": "http://x", "retries": [{"retries": 1, "min_seconds": 5, "max_seconds": 1}]}`: 422, `{"url": "http://x", "rate": -1}`: 422,
	} {
		c.call(want, "POST", "/topics/alerts/subscriptions", body)
	}
	if got := c.call(200, "GET", "/topics/alerts/subscriptions/mns", "")["endpoint"]; got != "acs:mns:us-east-1:000000000000:queues/orders" {
		t.Errorf("of MNS: %v", got)
	}
	altered := c.call(200, "PATCH", path, `{"filter": "{}", "rate": 5, "dead_letter_queue": "", "retries": []}`)
	if altered["filter"] != "{}" || altered["rate"] != 5.0 || altered["dead_letter_queue"] != nil || altered["raw"] != true {
		t.Errorf("altered %v", altered)
	}
	if listed := objects(c.call(200, "GET", "/topics/alerts/subscriptions", "")["subscriptions"]); len(listed) != 5 {
		t.Errorf("%d are listed", len(listed))
	}
	if counts := c.call(200, "GET", "/topics/alerts", "")["counts"].(object); counts["confirmed"] != 5.0 {
		t.Errorf("counts %v", counts)
	}
	c.call(204, "DELETE", path, "")
	c.call(404, "DELETE", path, "")
	c.call(404, "GET", path, "")
	c.call(404, "PATCH", path, `{"rate": 1}`)
}

func TestPublishMessages(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	c.queue("orders")
	c.call(201, "POST", "/topics/alerts/subscriptions", `{"queue": "orders"}`)
	answer := c.call(201, "POST", "/topics/alerts/messages", `{"messages": [{"body": "one"}, {"body": "AP8=", "body_encoding": "base64"}]}`)
	if ids := values(objects(answer["messages"]), "id"); len(ids) != 2 || len(ids[0]) != 36 || ids[0] == ids[1] {
		t.Errorf("published %v", answer)
	}
	if got := values(c.receive("orders"), "body"); !slices.Equal(got, []string{"one", "AP8="}) {
		t.Errorf("received %q", got)
	}
	for body, want := range map[string]int{
		`{"messages": []}`: 422, `{"messages": [{"body": ""}]}`: 422, `{"messages": [{"body": "a", "deduplication_id": "b"}]}`: 422,
		`{"messages": [{"body": "a", "attributes": {"AWS.x": {"type": "String", "value": "b"}}}]}`: 422, `{"messages": [{"body": "%", "body_encoding": "base64"}]}`: 422,
	} {
		c.call(want, "POST", "/topics/alerts/messages", body)
	}
	c.call(201, "POST", "/topics", `{"name": "f.fifo", "fifo": true}`)
	c.call(422, "POST", "/topics/f.fifo/messages", `{"messages": [{"body": "a"}]}`)
	const one = `{"messages": [{"body": "a", "group_id": "g", "deduplication_id": "d"}]}`
	first := objects(c.call(201, "POST", "/topics/f.fifo/messages", one)["messages"])[0]
	second := objects(c.call(201, "POST", "/topics/f.fifo/messages", one)["messages"])[0]
	if first["id"] != second["id"] || first["sequence"] != second["sequence"] || second["duplicate"] != true || first["duplicate"] != nil {
		t.Errorf("published %v, then %v", first, second)
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	c.queue("dead")
	sub := c.call(201, "POST", "/topics/alerts/subscriptions", `{"url": "https://a.example/", "dead_letter_queue": "dead"}`)["name"].(string)
	deliveries := "/topics/alerts/subscriptions/" + sub + "/deliveries"
	id := objects(c.call(201, "POST", "/topics/alerts/messages", `{"messages": [{"body": "one", "subject": "s"}]}`)["messages"])[0]["id"].(string)
	c.attempt(core.PushAnswer{Status: 503, Excerpt: "busy", Latency: 1500 * time.Microsecond})
	outstanding := objects(c.call(200, "GET", deliveries, "")["deliveries"])
	if len(outstanding) != 1 || outstanding[0]["attempts"] != 1.0 || outstanding[0]["message"].(object)["id"] != id || outstanding[0]["message"].(object)["body"] != "one" {
		t.Errorf("outstanding %v", outstanding)
	}
	attempts := objects(c.call(200, "GET", "/attempts?topic=alerts&subscription="+sub, "")["attempts"])
	if len(attempts) != 1 || attempts[0]["result"] != "retry" || attempts[0]["status"] != 503.0 || attempts[0]["excerpt"] != "busy" || attempts[0]["milliseconds"] != 1.5 ||
		attempts[0]["next_attempt_at"] == nil || attempts[0]["message"] != id {
		t.Errorf("attempts %v", attempts)
	}
	c.attempt(core.PushAnswer{Kept: true}) // it is not due
	c.call(204, "POST", deliveries+"/"+id+"/retry", "")
	c.call(204, "POST", deliveries+"/"+id+"/dead-letter", "")
	if got := values(c.receive("dead"), "body"); !slices.Equal(got, []string{"one"}) {
		t.Errorf("dead letters %q", got)
	}
	c.call(404, "POST", deliveries+"/"+id+"/retry", "")
	c.call(404, "POST", deliveries+"/"+id+"/dead-letter", "")
	c.call(422, "POST", deliveries+"/nonsense/retry", "")
	if again := objects(c.call(200, "GET", "/attempts?topic=alerts&limit=1", "")["attempts"]); again[0]["dead_lettered"] != true {
		t.Errorf("attempt %v", again)
	}
	c.call(201, "POST", "/topics/alerts/messages", `{"messages": [{"body": "two"}]}`)
	c.attempt(core.PushAnswer{Kept: true, Reason: core.ReasonNoMailServer})
	kept := objects(c.call(200, "GET", "/outbox?topic=alerts", "")["messages"])
	if len(kept) != 1 || kept[0]["to"] != "https://a.example/" || kept[0]["body"] != "two" || kept[0]["subscription"] != sub {
		t.Errorf("outbox %v", kept)
	}
	if last := objects(c.call(200, "GET", "/attempts?topic=alerts&limit=1", "")["attempts"])[0]; last["result"] != "kept" || last["kept"] != true || last["reason"] != core.ReasonNoMailServer {
		t.Errorf("of what was kept it says %v", last)
	}
}

func TestOptedOutNumbers(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const numbers = "/opted-out-numbers"
	for _, number := range []string{"+15551234567", "15551234567", "+4930123456"} { // the first two are the same
		c.call(204, "PUT", numbers+"/"+number, "")
	}
	if got := c.call(200, "GET", numbers, "")["numbers"].([]any); !slices.Equal(got, []any{"+15551234567", "+4930123456"}) {
		t.Errorf("got %v", got)
	}
	page := c.call(200, "GET", numbers+"?limit=1", "")
	if next := c.call(200, "GET", numbers+"?limit=1&cursor="+url.QueryEscape(page["next_cursor"].(string)), ""); len(next["numbers"].([]any)) != 1 || next["next_cursor"] != nil {
		t.Errorf("got %v after %v", next, page)
	}
	for range 2 { // also one that is not out
		c.call(204, "DELETE", numbers+"/+15551234567", "")
	}
	if got := c.call(200, "GET", numbers, "")["numbers"].([]any); !slices.Equal(got, []any{"+4930123456"}) {
		t.Errorf("got %v", got)
	}
	c.call(422, "PUT", numbers+"/nobody", "")
}

// A queue that does not exist is not subscribed, nor made the one for dead letters.
func TestSubscriptionsOfQueuesThatExist(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	const subscriptions = "/topics/alerts/subscriptions"
	c.call(404, "POST", subscriptions, `{"queue": "nope"}`)
	c.call(404, "POST", subscriptions, `{"name": "hook", "url": "http://127.0.0.1:1/", "dead_letter_queue": "nope"}`)
	if got := objects(c.call(200, "GET", subscriptions, "")["subscriptions"]); len(got) != 0 {
		t.Errorf("subscribed all the same: %v", got)
	}
	c.call(201, "POST", subscriptions, `{"name": "hook", "url": "http://127.0.0.1:1/"}`)
	c.call(404, "PATCH", subscriptions+"/hook", `{"dead_letter_queue": "nope"}`)
	c.queue("dead")
	c.call(200, "PATCH", subscriptions+"/hook", `{"dead_letter_queue": "dead"}`)
	c.call(200, "PATCH", subscriptions+"/hook", `{"dead_letter_queue": ""}`)
}

// A topic has no subscription that it cannot deliver to: a FIFO topic only queues, one of large messages few and none that is pushed to.
func TestSubscriptionsOfFIFOAndLargeTopics(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	c.queue("orders")
	c.call(201, "POST", "/topics", `{"name": "large", "max_message_bytes": 262145}`)
	c.call(201, "POST", "/topics", `{"name": "steps.fifo", "fifo": true}`)
	for body, want := range map[string]int{
		`{"queue": "orders"}`: 201, `{"format": "mns", "queue": "orders"}`: 201, `{"url": "http://a"}`: 422, `{"format": "mns", "url": "http://a"}`: 422,
		`{"email": "a@b.example"}`: 422, `{"format": "mns", "email": "a@b.example"}`: 422, `{"phone": "1"}`: 422, `{"format": "mns", "phone": "1"}`: 422,
	} {
		c.call(want, "POST", "/topics/large/subscriptions", body)
		c.call(want, "POST", "/topics/steps.fifo/subscriptions", body)
	}
	made := c.call(201, "POST", "/topics/alerts/subscriptions", `{"url": "http://a"}`)
	c.call(422, "PATCH", "/topics/alerts", `{"max_message_bytes": 262145}`)
	c.call(200, "PATCH", "/topics/alerts", `{"max_message_bytes": 262144}`)
	c.call(204, "DELETE", "/topics/alerts/subscriptions/"+made["name"].(string), "")
	c.call(200, "PATCH", "/topics/alerts", `{"max_message_bytes": 262145}`)
	c.call(200, "PATCH", "/topics/alerts", `{"max_message_bytes": 4194304}`)
	c.call(422, "POST", "/topics/alerts/subscriptions", `{"url": "http://a"}`)
}

// strict is an envelope that takes a filter no longer.
type strict struct{ envelope }

func (strict) CompileFilters(filters []core.Filter) (core.Matcher, error) {
	for _, f := range filters {
		if f.Text == "old" {
			return nil, core.Errorf(core.InvalidArgument, "old filters are no filters")
		}
	}
	return all(len(filters)), nil
}

// A subscription whose filter cannot be read any more shows why it gets nothing, and does not keep the others from what is theirs.
func TestFiltersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	c.call(201, "POST", "/topics/alerts/subscriptions", `{"name": "old", "url": "http://a", "filter": "old"}`)
	c.call(201, "POST", "/topics/alerts/subscriptions", `{"name": "new", "url": "http://b", "filter": "new"}`)
	c.broker.RegisterPusher("sns", strict{})
	c.call(201, "POST", "/topics/alerts/messages", `{"messages": [{"body": "hello"}]}`)
	for name, want := range map[string]struct {
		fault      any
		deliveries int
	}{"old": {"old filters are no filters", 0}, "new": {nil, 1}} {
		if sub := c.call(200, "GET", "/topics/alerts/subscriptions/"+name, ""); sub["filter_fault"] != want.fault {
			t.Errorf("%s: fault %v", name, sub["filter_fault"])
		}
		if got := objects(c.call(200, "GET", "/topics/alerts/subscriptions/"+name+"/deliveries", "")["deliveries"]); len(got) != want.deliveries {
			t.Errorf("%s: deliveries %v", name, got)
		}
	}
	for _, sub := range objects(c.call(200, "GET", "/topics/alerts/subscriptions", "")["subscriptions"]) {
		if (sub["filter_fault"] != nil) != (sub["name"] == "old") {
			t.Errorf("listed: %v", sub)
		}
	}
	c.call(200, "PATCH", "/topics/alerts/subscriptions/old", `{"filter": "new"}`)
	c.call(201, "POST", "/topics/alerts/messages", `{"messages": [{"body": "hello"}]}`)
	if got := objects(c.call(200, "GET", "/topics/alerts/subscriptions/old/deliveries", "")["deliveries"]); len(got) != 1 {
		t.Errorf("deliveries once the filter was changed: %v", got)
	}
}
