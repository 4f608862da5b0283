package pg_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// plain is a Pusher whose envelope is "id|body", whose filters are the tags that they let through,
// separated by commas, and which tries again after 10 s twice.
type plain struct{}

func (plain) CompileFilters(filters []core.Filter) (core.Matcher, error) {
	byTag := tagMatcher{}
	for i, f := range filters {
		if f.Text == "invalid" {
			return nil, core.Errorf(core.InvalidArgument, "an invalid filter")
		}
		for tag := range strings.SplitSeq(f.Text, ",") {
			byTag[tag] = append(byTag[tag], i)
		}
	}
	return byTag, nil
}

type tagMatcher map[string][]int

func (t tagMatcher) Match(m *core.PublishedMessage) []int { return t[m.Tag] }

func (plain) Render(topic *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	return rendered{topic, m}, nil
}

func (plain) Retries(*core.Topic, *core.Subscription) core.RetryPolicy {
	return core.RetryPolicy{{Retries: 2, Min: 10 * time.Second, Max: 10 * time.Second}}
}

func (plain) Judge(_ *core.Subscription, answer core.PushAnswer) core.Verdict {
	switch {
	case answer.Status == 200:
		return core.Delivered
	case answer.Status >= 400 && answer.Status < 500:
		return core.GiveUp
	}
	return core.Retry
}

type rendered struct {
	topic   *core.Topic
	message *core.PublishedMessage
}

func (r rendered) text(sub *core.Subscription) string {
	body := string(r.message.BodyFor(sub.Protocol))
	if sub.Raw {
		return body
	}
	return r.message.ID.UUID() + "|" + string(r.message.Kind) + "|" + body
}

func (r rendered) QueueMessage(sub *core.Subscription) (core.NewMessage, error) {
	if r.message.Subject == "unfit" {
		return core.NewMessage{}, core.Errorf(core.InvalidArgument, "does not fit a queue")
	}
	return core.NewMessage{Body: []byte(r.text(sub)), Attributes: r.message.Attributes, System: r.message.System,
		GroupID: r.message.GroupID, DeduplicationID: r.message.DeduplicationID}, nil
}

func (r rendered) Push(sub *core.Subscription) (core.Push, error) {
	return core.Push{Way: core.ByHTTP, URL: sub.Endpoint, Body: []byte(r.text(sub))}, nil
}

var alerts = core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: "alerts"}

// topicBroker gives a broker that speaks the format plain.
func topicBroker(t testing.TB, store *pg.Store) *core.Broker {
	t.Helper()
	broker := core.NewBroker(store)
	broker.RegisterPusher("plain", plain{})
	t.Cleanup(broker.Close)
	return broker
}

func newTopic(t testing.TB, broker *core.Broker) {
	t.Helper()
	if _, _, err := broker.CreateTopic(context.Background(), core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
}

// subscribeQueue makes a queue and subscribes it, raw.
func subscribeQueue(t testing.TB, broker *core.Broker, name string, more ...func(*core.NewSubscription)) core.Subscription {
	t.Helper()
	queue := pgtest.Queue(t, broker, name)
	return subscribe(t, broker, append([]func(*core.NewSubscription){func(in *core.NewSubscription) {
		in.Protocol, in.Endpoint, in.Queue, in.Raw = "queue", name, queue, true
	}}, more...)...)
}

func subscribeURL(t testing.TB, broker *core.Broker, url string, more ...func(*core.NewSubscription)) core.Subscription {
	t.Helper()
	return subscribe(t, broker, append([]func(*core.NewSubscription){func(in *core.NewSubscription) { in.Protocol, in.Endpoint = "http", url }}, more...)...)
}

func subscribe(t testing.TB, broker *core.Broker, more ...func(*core.NewSubscription)) core.Subscription {
	t.Helper()
	in := core.NewSubscription{Name: core.SubscriptionName{Topic: alerts}, Format: "plain"}
	for _, f := range more {
		f(&in)
	}
	sub, created, err := broker.Subscribe(context.Background(), in)
	if err != nil || !created {
		t.Fatalf("subscribe %s: created %t, %v", in.Endpoint, created, err)
	}
	return sub
}

func withFilter(text string) func(*core.NewSubscription) {
	return func(in *core.NewSubscription) { in.Filter.Text = text }
}

func deadLettersTo(queue core.QueueName) func(*core.NewSubscription) {
	return func(in *core.NewSubscription) { in.DeadLetter = queue }
}

// publish publishes bodies, each with the tag that stands before a colon in it, if there is one.
func publish(t testing.TB, broker *core.Broker, bodies ...string) []core.Published {
	t.Helper()
	in := core.PublishInput{Topic: alerts}
	for _, body := range bodies {
		tag, _, _ := strings.Cut(body, ":")
		in.Messages = append(in.Messages, core.NewPublication{Body: []byte(body), Tag: tag})
	}
	published, err := broker.Publish(context.Background(), in)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return published
}

func receivedBodies(t testing.TB, broker *core.Broker, queue string) []string {
	t.Helper()
	return pgtest.Bodies(pgtest.Receive(t, broker, pgtest.Name(queue), core.MaxBatch))
}

func TestTopics(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	ctx := context.Background()
	in := core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings(), Attributes: map[string]string{"a.b": "c"}, Tags: map[string]string{"t": "u"}}
	in.Settings.Retention = time.Hour
	made, created, err := broker.CreateTopic(ctx, in)
	if err != nil || !created || made.Name != alerts || made.Retention != time.Hour || made.Attributes["a.b"] != "c" || made.Tags["t"] != "u" || made.CreatedAt.IsZero() {
		t.Fatalf("created %t %+v, %v", created, made, err)
	}
	if again, created, err := broker.CreateTopic(ctx, core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil || created || again.ID != made.ID || again.Retention != time.Hour {
		t.Errorf("created again %t: %+v, %v", created, again, err)
	}
	size, gone := 1024, (*string)(nil)
	altered, err := broker.AlterTopic(ctx, alerts, core.TopicChange{MaxMessageSize: &size, Attributes: map[string]*string{"a.b": gone}})
	if err != nil || altered.MaxMessageSize != 1024 || len(altered.Attributes) != 0 || altered.Tags["t"] != "u" || altered.Version <= made.Version {
		t.Errorf("altered: %+v, %v", altered, err)
	}
	if _, err := broker.AlterTopic(ctx, alerts, core.TopicChange{From: &made, MaxMessageSize: &size}); err != core.ErrTopicChanged {
		t.Errorf("alter what was read long ago: %v", err)
	}
	for _, name := range []string{"b", "a"} {
		other := alerts
		other.Name = name
		if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: other, Settings: core.DefaultTopicSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	var listed []string
	for after, more := "", true; more; {
		page, err := broker.ListTopics(ctx, core.ListTopicsInput{Account: alerts.Account, Region: alerts.Region, After: after, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, page.Topics[0].Name.Name)
		after, more = page.Next, page.Next != ""
	}
	if !slices.Equal(listed, []string{"a", "alerts", "b"}) {
		t.Errorf("listed %q", listed)
	}
	if err := broker.DeleteTopic(ctx, alerts); err != nil {
		t.Fatal(err)
	}
	_, described := broker.DescribeTopic(ctx, alerts)
	_, cached := broker.Topic(ctx, alerts)
	for name, err := range map[string]error{"describe": described, "topic": cached, "delete": broker.DeleteTopic(ctx, alerts)} {
		if core.CodeOf(err) != core.TopicNotFound {
			t.Errorf("%s after the deletion: %v", name, err)
		}
	}
}

func TestPublishToQueues(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	if published := publish(t, broker, "nobody hears"); published[0].ID == (core.MessageID{}) || published[0].PublishedAt.IsZero() {
		t.Errorf("published %+v", published)
	}
	subscribeQueue(t, broker, "all")
	subscribeQueue(t, broker, "eu", withFilter("eu"))
	subscribeQueue(t, broker, "either", withFilter("eu,us"))
	subscribeQueue(t, broker, "pending", func(in *core.NewSubscription) { in.Pending, in.Token = true, "token" })
	publish(t, broker, "eu:1", "us:2", "asia:3")
	for queue, want := range map[string][]string{
		"all": {"eu:1", "us:2", "asia:3"}, "eu": {"eu:1"}, "either": {"eu:1", "us:2"}, "pending": {},
	} {
		if got := receivedBodies(t, broker, queue); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", queue, got, want)
		}
	}
	if queue, err := broker.DescribeQueue(context.Background(), pgtest.Name("all")); err != nil || queue.Counts.InFlight != 3 {
		t.Errorf("counts %+v, %v", queue.Counts, err)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	ctx := context.Background()
	retries := core.RetryPolicy{{Retries: 1, Min: time.Second, Max: time.Minute, Backoff: core.Geometric}}
	in := core.NewSubscription{
		Name: core.SubscriptionName{Topic: alerts}, Pending: true, Token: "secret", Format: "plain", Protocol: "http", Endpoint: "http://a/", Owner: "111111111111",
		Raw: true, Filter: core.Filter{Text: "eu", Scope: "tags"}, Retries: retries, DeadLetter: pgtest.Name("dead"), Rate: 7, Attributes: map[string]string{"a": "b"},
	}
	made, created, err := broker.Subscribe(ctx, in)
	if err != nil || !created {
		t.Fatalf("created %t, %v", created, err)
	}
	read, err := broker.Subscription(ctx, made.Name)
	same := func(a, b core.Subscription) bool {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return string(x) == string(y)
	}
	if err != nil || !same(read, made) || read.State != core.Pending || read.DeadLetter != in.DeadLetter || read.Retries[0] != retries[0] || read.Filter != in.Filter ||
		read.Rate != 7 || read.TokenAt.IsZero() || read.Owner != in.Owner {
		t.Errorf("read %+v, %v, want %+v", read, err, made)
	}
	if again, created, err := broker.Subscribe(ctx, in); err != nil || created || again.ID != made.ID {
		t.Errorf("subscribed again: created %t, %+v, %v", created, again, err)
	}
	if found, err := broker.SubscriptionOfToken(ctx, "secret"); err != nil || found.ID != made.ID {
		t.Errorf("of the token: %+v, %v", found, err)
	}
	confirmed := core.Confirmed
	if altered, err := broker.AlterSubscription(ctx, made.Name, core.SubscriptionChange{State: &confirmed}); err != nil || altered.State != core.Confirmed || altered.Rate != 7 {
		t.Errorf("confirmed: %+v, %v", altered, err)
	}
	if _, err := broker.AlterSubscription(ctx, made.Name, core.SubscriptionChange{Filter: &core.Filter{Text: "invalid"}}); core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("an invalid filter: %v", err)
	}
	pgtest.Advance(t, broker, core.MaxRemembered)
	if _, err := broker.SubscriptionOfToken(ctx, "secret"); core.CodeOf(err) != core.SubscriptionNotFound {
		t.Errorf("a token that has expired: %v", err)
	}
	if gone, err := broker.Unsubscribe(ctx, made.Name); err != nil || gone.State != core.Unsubscribed {
		t.Errorf("unsubscribed: %+v, %v", gone, err)
	}
	if _, err := broker.Unsubscribe(ctx, made.Name); core.CodeOf(err) != core.SubscriptionNotFound {
		t.Errorf("unsubscribed again: %v", err)
	}
	if topic, err := broker.DescribeTopic(ctx, alerts); err != nil || topic.Counts != (core.TopicCounts{Deleted: 1}) {
		t.Errorf("counts %+v, %v", topic.Counts, err)
	}
	if found, err := broker.SubscriptionOfToken(ctx, "secret"); err != nil || found.State != core.Unsubscribed {
		t.Errorf("the token undoes it: %+v, %v", found, err)
	}
	if back, err := broker.AlterSubscription(ctx, made.Name, core.SubscriptionChange{State: &confirmed}); err != nil || back.State != core.Confirmed {
		t.Errorf("brought back: %+v, %v", back, err)
	}
	if err := broker.DeleteTopic(ctx, alerts); err != nil {
		t.Fatal(err)
	}
	if orphan, err := broker.Subscription(ctx, made.Name); err != nil || orphan.State != core.Orphaned {
		t.Errorf("orphaned: %+v, %v", orphan, err)
	}
}

func TestListSubscriptions(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	for i := range 3 {
		name := fmt.Sprintf("s%d", 2-i)
		subscribeURL(t, broker, "http://"+name, func(in *core.NewSubscription) { in.Name.Name = name })
	}
	list := func(topic core.TopicName) (names []string) {
		t.Helper()
		for after, more := "", true; more; {
			page, err := broker.ListSubscriptions(context.Background(), core.ListSubscriptionsInput{Topic: topic, After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, sub := range page.Subscriptions {
				names = append(names, sub.Name.Name)
			}
			after, more = page.Next, page.Next != ""
		}
		return names
	}
	if got := list(alerts); !slices.Equal(got, []string{"s0", "s1", "s2"}) {
		t.Errorf("of the topic: %q", got)
	}
	if got := list(core.TopicName{Account: alerts.Account, Region: alerts.Region}); !slices.Equal(got, []string{"s2", "s1", "s0"}) {
		t.Errorf("of the account: %q", got)
	}
}
