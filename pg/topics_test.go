package pg_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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

func (plain) Rate(_ *core.Topic, sub *core.Subscription) int { return sub.Rate }

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
	text := r.message.ID.UUID() + "|" + string(r.message.Kind) + "|" + body
	if r.message.Replayed {
		text += "|replayed"
	}
	return text
}

func (r rendered) QueueMessage(sub *core.Subscription) (core.NewMessage, error) {
	if r.message.Subject == "unfit" {
		return core.NewMessage{}, core.Errorf(core.InvalidArgument, "does not fit a queue")
	}
	return core.NewMessage{Body: []byte(r.text(sub)), Attributes: r.message.Attributes, System: r.message.System,
		GroupID: r.message.GroupID, DeduplicationID: r.message.DeduplicationID}, nil
}

func (r rendered) Push(sub *core.Subscription) (core.Push, error) {
	if r.message.Subject == "fault" {
		return core.Push{}, errors.New("the key cannot be read")
	}
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
	if _, err := broker.AlterTopic(ctx, alerts, core.TopicChange{From: &made, MaxMessageSize: &size}); !errors.Is(err, core.ErrTopicChanged) {
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
	byNumber := core.ListTopicsInput{Account: alerts.Account, Region: alerts.Region, Limit: 2, Counts: true, Total: true, Listed: core.Listed{Skip: 1}}
	if page, err := broker.ListTopics(ctx, byNumber); err != nil || page.Total != 3 || len(page.Topics) != 2 || page.Topics[0].Name != alerts || page.Next != "" {
		t.Errorf("the last two topics: %+v, %v", page, err)
	}
	byNumber.Tags, byNumber.Skip = map[string]string{"t": "u"}, 0
	if page, err := broker.ListTopics(ctx, byNumber); err != nil || page.Total != 1 || len(page.Topics) != 1 || page.Topics[0].Name != alerts {
		t.Errorf("topics of a tag: %+v, %v", page, err)
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

// Who subscribes while the topic is being deleted, or its account reset, comes before that or too late: no subscription is left over that
// nobody can end.
func TestSubscribeWhileTheTopicGoes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, remove := range map[string]func(*core.Broker) error{
		"deleted": func(b *core.Broker) error { return b.DeleteTopic(ctx, alerts) },
		"reset":   func(b *core.Broker) error { return b.ResetAccount(ctx, alerts.Account) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := pgtest.New(t)
			broker := topicBroker(t, store)
			newTopic(t, broker)
			holder, watcher := database(t, store.URL()), database(t, store.URL())
			execute(t, holder, `BEGIN`)
			execute(t, holder, `SELECT FROM topics FOR UPDATE`)
			subscribed, removed := make(chan error, 1), make(chan error, 1)
			go func() {
				_, _, err := broker.Subscribe(ctx, core.NewSubscription{
					Name: core.SubscriptionName{Topic: alerts}, Format: "plain", Protocol: "http", Endpoint: "http://localhost/", Owner: alerts.Account,
				})
				subscribed <- err
			}()
			eventually(t, "somebody subscribes", func() bool { return locksAwaited(t, watcher) == 1 })
			go func() { removed <- remove(broker) }()
			eventually(t, "the topic is being removed", func() bool { return locksAwaited(t, watcher) == 2 })
			execute(t, holder, `COMMIT`)
			if err := <-subscribed; err != nil {
				t.Errorf("subscribe: %v", err)
			}
			if err := <-removed; err != nil {
				t.Errorf("remove: %v", err)
			}
			page, err := broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{Topic: core.TopicName{Account: alerts.Account, Region: alerts.Region}, Limit: 10})
			if err != nil || len(page.Subscriptions) != 0 {
				t.Errorf("subscriptions of a topic that is gone: %+v, %v", page.Subscriptions, err)
			}
		})
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
	other := "c"
	if altered, err := broker.AlterSubscription(ctx, made.Name, core.SubscriptionChange{From: &made, Attributes: map[string]*string{"a": &other}}); err != nil || altered.Attributes["a"] != other {
		t.Errorf("as it was read: %+v, %v", altered, err)
	}
	if _, err := broker.AlterSubscription(ctx, made.Name, core.SubscriptionChange{From: &made}); !errors.Is(err, core.ErrSubscriptionChanged) {
		t.Errorf("what was read long ago: %v", err)
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

// What nobody has confirmed in time is gone for everybody, before and after it is removed.
func TestUnconfirmedSubscriptionsEnd(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := topicBroker(t, store)
	newTopic(t, broker)
	ctx := t.Context()
	pending := func(in *core.NewSubscription) { in.Pending, in.Token = true, "secret of "+in.Endpoint }
	subscribeURL(t, broker, "http://confirmed/")
	first := subscribeURL(t, broker, "http://pending/", pending)
	if err := broker.PushConfirmation(ctx, first, core.Confirmation); err != nil {
		t.Fatal(err)
	}
	wantShown := func(when string, sub *core.Subscription, want bool) {
		t.Helper()
		for name, in := range map[string]core.ListSubscriptionsInput{
			"the topic": {Topic: alerts, Limit: 10, Total: true}, "the owner": {Topic: core.TopicName{Account: alerts.Account, Region: alerts.Region}, Limit: 10},
		} {
			page, err := broker.ListSubscriptions(ctx, in)
			shown := slices.ContainsFunc(page.Subscriptions, func(s core.Subscription) bool { return s.ID == sub.ID })
			if err != nil || shown != want || in.Total && page.Total != len(page.Subscriptions) {
				t.Errorf("%s: %s has %+v, %v", when, name, page, err)
			}
		}
		if topic, err := broker.DescribeTopic(ctx, alerts); err != nil || (topic.Counts.Pending == 1) != want || topic.Counts.Confirmed != 1 {
			t.Errorf("%s: counts %+v, %v", when, topic.Counts, err)
		}
		rate := 7
		for name, call := range map[string]func() error{
			"read": func() error { _, err := broker.Subscription(ctx, sub.Name); return err },
			"alter": func() error {
				_, err := broker.AlterSubscription(ctx, sub.Name, core.SubscriptionChange{Rate: &rate})
				return err
			},
			"by token": func() error { _, err := broker.SubscriptionOfToken(ctx, sub.Token); return err },
		} {
			if err := call(); (err == nil) != want || err != nil && core.CodeOf(err) != core.SubscriptionNotFound {
				t.Errorf("%s: %s: %v", when, name, err)
			}
		}
	}
	pgtest.Advance(t, broker, core.MaxRemembered-time.Minute)
	wantShown("in time", &first, true)
	pgtest.Advance(t, broker, time.Minute)
	wantShown("too late", &first, false)
	lanes, err := broker.DueLanes(ctx, 0)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("lanes %v, %v", lanes, err)
	}
	claimed, err := broker.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 10}})
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	o, err := broker.Attempt(ctx, claimed[0], func(context.Context, core.Push) core.PushAnswer {
		t.Error("the confirmation is pushed")
		return core.PushAnswer{}
	})
	if err != nil || o.Verdict != core.GiveUp || o.Answer.Reason != core.ReasonGone {
		t.Errorf("the confirmation: %+v, %v", o, err)
	}
	second := subscribeURL(t, broker, "http://pending/", pending)
	if second.ID == first.ID || second.Name == first.Name {
		t.Errorf("subscribed again: %+v", second)
	}
	wantShown("made anew", &second, true)
	pgtest.Advance(t, broker, core.MaxRemembered)
	wantShown("too late again", &second, false)
	if err := broker.DeleteTopic(ctx, alerts); err != nil {
		t.Fatal(err)
	}
	if sub, err := broker.Subscription(ctx, second.Name); core.CodeOf(err) != core.SubscriptionNotFound {
		t.Errorf("after the topic was deleted: %+v, %v", sub, err)
	}
	if n, err := store.ForgetSubscriptions(ctx, 10); err != nil || n != 1 {
		t.Errorf("%d were removed, %v", n, err)
	}
}

// Places of a topic that has few are free again.
func TestUnconfirmedSubscriptionsLeaveTheirPlaces(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	if _, _, err := broker.CreateTopic(t.Context(), core.NewTopic{Name: alerts, FIFO: true, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	place := func(i int) core.NewSubscription {
		return core.NewSubscription{Name: core.SubscriptionName{Topic: alerts}, Format: "plain", Protocol: "queue", Endpoint: fmt.Sprint(i), Queue: pgtest.Name("full"), Pending: true, Token: fmt.Sprint(i)}
	}
	for i := range core.MaxFIFOSubscriptions {
		in := place(i)
		subscribe(t, broker, func(sub *core.NewSubscription) { *sub = in })
	}
	if _, _, err := broker.Subscribe(t.Context(), place(-1)); core.CodeOf(err) != core.SubscriptionLimit {
		t.Fatalf("one too many: %v", err)
	}
	pgtest.Advance(t, broker, core.MaxRemembered)
	if _, _, err := broker.Subscribe(t.Context(), place(-1)); err != nil {
		t.Errorf("after the others ended: %v", err)
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

// A page by number has what is left of a topic's subscriptions, and counts all of them.
func TestListSubscriptionsByNumber(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	for i := range 6 {
		name, scheme := fmt.Sprintf("s%d", i), []string{"http", "https"}[i%2]
		subscribeURL(t, broker, scheme+"://"+name, func(in *core.NewSubscription) { in.Name.Name, in.Protocol = name, scheme })
	}
	tests := map[string]struct {
		in    core.ListSubscriptionsInput
		names []string
		total int
	}{
		"first":         {core.ListSubscriptionsInput{Limit: 4}, []string{"s0", "s1", "s2", "s3"}, 6},
		"second":        {core.ListSubscriptionsInput{Limit: 4, Skip: 4}, []string{"s4", "s5"}, 6},
		"beyond":        {core.ListSubscriptionsInput{Limit: 4, Skip: 6}, nil, 6},
		"by prefix":     {core.ListSubscriptionsInput{Limit: 4, Prefix: "s3"}, []string{"s3"}, 1},
		"by protocol":   {core.ListSubscriptionsInput{Limit: 2, Skip: 1, Protocol: "https"}, []string{"s3", "s5"}, 3},
		"by its prefix": {core.ListSubscriptionsInput{Limit: 2, Protocol: "http"}, []string{"s0", "s1"}, 6},
		"by endpoint":   {core.ListSubscriptionsInput{Limit: 2, Endpoint: "https://s3"}, []string{"s3"}, 1},
		"by none":       {core.ListSubscriptionsInput{Limit: 2, Endpoint: "https://s"}, nil, 0},
		"by no text":    {core.ListSubscriptionsInput{Limit: 2, Endpoint: "\x00"}, nil, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.in.Topic, tt.in.Total = alerts, true
			page, err := broker.ListSubscriptions(context.Background(), tt.in)
			var names []string
			for _, sub := range page.Subscriptions {
				names = append(names, sub.Name.Name)
			}
			if err != nil || !slices.Equal(names, tt.names) || page.Total != tt.total {
				t.Errorf("got %v of %d, %v, want %v of %d", names, page.Total, err, tt.names, tt.total)
			}
		})
	}
	if _, err := broker.ListSubscriptions(context.Background(), core.ListSubscriptionsInput{Topic: alerts, Limit: 1, Skip: core.MaxSkipped + 1}); core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("farther than is allowed: got %v", err)
	}
}

// A subscription that another server has just made gets what is published from then on, even if this server has not heard.
func TestPublishSeesOtherServersSubscriptions(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	here, there := topicBroker(t, pgtest.Open(t, url)), topicBroker(t, pgtest.Open(t, url))
	newTopic(t, here)
	subscribeQueue(t, here, "first")
	publish(t, here, "one")
	sub := subscribeQueue(t, there, "second")
	publish(t, here, "two")
	if _, err := there.Unsubscribe(context.Background(), sub.Name); err != nil {
		t.Fatal(err)
	}
	publish(t, here, "three")
	if got := receivedBodies(t, here, "first"); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("the first queue has %q", got)
	}
	if got := receivedBodies(t, here, "second"); !slices.Equal(got, []string{"two"}) {
		t.Errorf("the second queue has %q", got)
	}
	if err := there.DeleteTopic(context.Background(), alerts); err != nil {
		t.Fatal(err)
	}
	_, err := here.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte("four")}}})
	if core.CodeOf(err) != core.TopicNotFound {
		t.Errorf("publish to a topic that another server deleted: %v", err)
	}
}

// A server that does not hear of changes delivers to a subscription that it remembers as one to be confirmed.
func TestDeliveriesSeeOtherServersSubscriptions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := pgtest.DatabaseURL(t)
	here, there := topicBroker(t, pgtest.Open(t, url)), topicBroker(t, open(t, pg.Options{URL: url, Pooled: true}))
	newTopic(t, here)
	sub, _, err := here.Subscribe(ctx, core.NewSubscription{
		Name: core.SubscriptionName{Topic: alerts}, Format: "plain", Protocol: "http", Endpoint: "http://127.0.0.1/", Pending: true, Token: "t",
	})
	if err != nil {
		t.Fatal(err)
	}
	claim := func() core.SubscriptionState {
		t.Helper()
		lanes, err := there.DueLanes(ctx, 0)
		if err != nil || len(lanes) != 1 {
			t.Fatalf("%d lanes are due: %v", len(lanes), err)
		}
		deliveries, err := there.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 1}})
		if err != nil || len(deliveries) != 1 {
			t.Fatalf("claimed %d deliveries: %v", len(deliveries), err)
		}
		return deliveries[0].Subscription.State
	}
	if err := here.PushConfirmation(ctx, sub, core.Confirmation); err != nil {
		t.Fatal(err)
	}
	if got := claim(); got != core.Pending {
		t.Errorf("the subscription to confirm is %s", got)
	}
	if _, err := here.AlterSubscription(ctx, sub.Name, core.SubscriptionChange{State: ptr(core.Confirmed)}); err != nil {
		t.Fatal(err)
	}
	publish(t, here, "one")
	if got := claim(); got != core.Confirmed {
		t.Errorf("the confirmed subscription is %s", got)
	}
}

// A queue that was purged or deleted meanwhile, here or elsewhere, is looked at anew: nothing of a publish is stored without the rest.
func TestPublishSeesOtherServersQueues(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	here, there := topicBroker(t, pgtest.Open(t, url)), topicBroker(t, pgtest.Open(t, url))
	newTopic(t, here)
	subscribeQueue(t, here, "purged")
	subscribeQueue(t, here, "deleted")
	publish(t, here, "one")
	ctx := context.Background()
	if err := there.PurgeQueue(ctx, pgtest.Name("purged")); err != nil {
		t.Fatal(err)
	}
	if err := there.DeleteQueue(ctx, pgtest.Name("deleted")); err != nil {
		t.Fatal(err)
	}
	publish(t, here, "two")
	if got := receivedBodies(t, here, "purged"); !slices.Equal(got, []string{"two"}) {
		t.Errorf("the purged queue has %q", got)
	}
	if topic, err := here.DescribeTopic(ctx, alerts); err != nil || topic.Counts.Messages != 1 {
		t.Errorf("what could not be put into a queue is to be delivered otherwise: %+v, %v", topic.Counts, err)
	}
}

// Every account that a reset takes something from is found, whatever it has.
func TestAccountsToReset(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := topicBroker(t, store)
	newTopic(t, broker)
	ctx := t.Context()
	if _, err := broker.Keep(ctx, core.KeptMessage{Account: "111122223333", Region: "us-east-1", Protocol: "sms", To: "+1"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := broker.CreateRecord(ctx, core.RecordName{Account: "444455556666", Region: "us-east-1", Kind: "sns.application", Name: "GCM/app"}, "{}"); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.AdvanceClock(ctx, "777788889999", time.Second); err != nil {
		t.Fatal(err)
	}
	want := []string{alerts.Account, "111122223333", "444455556666", "777788889999"}
	for len(want) > 0 {
		if got, err := broker.AccountsToReset(ctx); err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v and %v, want %v", got, err, want)
		}
		if err := broker.ResetAccount(ctx, want[0]); err != nil {
			t.Fatal(err)
		}
		want = want[1:]
	}
	if got, err := broker.AccountsToReset(ctx); err != nil || len(got) > 0 {
		t.Errorf("still %v and %v", got, err)
	}
	for _, table := range regexp.MustCompile(`DELETE FROM (\w+) WHERE account = @account`).FindAllStringSubmatch(pg.ResetAccountSQL, -1) {
		if !strings.Contains(pg.AccountsToResetSQL, "FROM "+table[1]+" WHERE account > ") {
			t.Errorf("nothing looks for accounts in %s", table[1])
		}
	}
}

func TestResetAccountTakesTopics(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	sub := subscribeURL(t, broker, "http://a/")
	publish(t, broker, "one")
	ctx := context.Background()
	if err := broker.ResetAccount(ctx, alerts.Account); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.Topic(ctx, alerts); core.CodeOf(err) != core.TopicNotFound {
		t.Errorf("the topic: %v", err)
	}
	if _, err := broker.Subscription(ctx, sub.Name); core.CodeOf(err) != core.SubscriptionNotFound {
		t.Errorf("the subscription: %v", err)
	}
	lanes, err := broker.DueLanes(ctx, 0)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("lanes %v, %v", lanes, err)
	}
	if claimed, err := broker.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 10}}); err != nil || len(claimed) != 0 {
		t.Errorf("claimed %v, %v", claimed, err)
	}
	if lanes, err := broker.DueLanes(ctx, time.Hour); err != nil || len(lanes) != 0 {
		t.Errorf("lanes %v, %v after what is lost was dropped", lanes, err)
	}
}

func TestTopicChores(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store := pgtest.Open(t, url)
	broker := topicBroker(t, store)
	newTopic(t, broker)
	sub := subscribeURL(t, broker, "http://a/")
	publish(t, broker, "one")
	ctx := context.Background()
	if _, err := broker.Unsubscribe(ctx, sub.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.Keep(ctx, core.KeptMessage{Account: alerts.Account, Region: alerts.Region, Protocol: "sms", To: "+1"}); err != nil {
		t.Fatal(err)
	}
	pgtest.Execute(t, url, `INSERT INTO attempts (account, region, topic, subscription, message, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at, dead_lettered, kept)
		SELECT 'a', 'r', 't', 's', gen_random_uuid(), 'http', 'e', 1, 0, 0, '', '', '0', now(), false, false FROM generate_series(1, 3)`)
	chores := map[string]func(context.Context, int) (int, error){
		"subscriptions": store.ForgetSubscriptions, "attempts": store.ForgetAttempts, "outbox": store.ForgetKept, "deduplication": store.ForgetDeduplications,
	}
	for name, forget := range chores {
		if n, err := forget(ctx, 10); err != nil || n != 0 {
			t.Errorf("%s: %d were forgotten at once, %v", name, n, err)
		}
	}
	pgtest.Execute(t, url, `UPDATE subscriptions SET gone_at = gone_at - interval '49 hours'`)
	pgtest.Execute(t, url, `UPDATE attempts SET recorded_at = recorded_at - interval '25 hours' WHERE id <= 2`)
	pgtest.Execute(t, url, `UPDATE kept_messages SET recorded_at = recorded_at - interval '8 days'`)
	pgtest.Execute(t, url, `INSERT INTO topic_deduplications SELECT id, '', 'old', 1, 1, now() - interval '6 minutes' FROM topics`)
	pgtest.Execute(t, url, `UPDATE topics SET fifo = true`)
	for name, want := range map[string]int{"subscriptions": 1, "attempts": 2, "outbox": 1, "deduplication": 1} {
		if n, err := chores[name](ctx, 10); err != nil || n != want {
			t.Errorf("%s: %d were forgotten, %v, want %d", name, n, err, want)
		}
	}
	pgtest.Execute(t, url, `DELETE FROM deliveries`)
	if err := store.RemovePublished(ctx, 10); err != nil {
		t.Fatal(err)
	}
	if topic, err := broker.DescribeTopic(ctx, alerts); err != nil || topic.Counts.Messages != 0 {
		t.Errorf("counts %+v, %v", topic.Counts, err)
	}
}

// TestSubscriptionLimitAfterReset: an account that is reset leaves its places at other accounts' topics.
func TestSubscriptionLimitAfterReset(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	if _, _, err := broker.CreateTopic(t.Context(), core.NewTopic{Name: alerts, FIFO: true, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	const owner = "999988887777"
	pgtest.Queue(t, broker, "full")
	place := func(i int) core.NewSubscription {
		return core.NewSubscription{Name: core.SubscriptionName{Topic: alerts}, Format: "plain", Protocol: "queue", Endpoint: fmt.Sprint(i), Queue: pgtest.Name("full"), Owner: owner}
	}
	for i := range core.MaxFIFOSubscriptions {
		in := place(i)
		subscribe(t, broker, func(sub *core.NewSubscription) { *sub = in })
	}
	if _, _, err := broker.Subscribe(t.Context(), place(-1)); core.CodeOf(err) != core.SubscriptionLimit {
		t.Fatalf("one too many: %v", err)
	}
	if err := broker.ResetAccount(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	if _, _, err := broker.Subscribe(t.Context(), place(-1)); err != nil {
		t.Errorf("after the others are gone: %v", err)
	}
}
