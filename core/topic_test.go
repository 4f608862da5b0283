package core_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/polymq/polymq/core"
)

var alerts = core.TopicName{Account: "000000000000", Region: "us-east-1", Name: "alerts"}

// topicStub is a Store with one topic, which notes what is published.
type topicStub struct {
	*stubStore
	routes    *core.Routes
	published []core.Publication
	changes   int // how many more publishes find the topic changed
	settled   []core.Outcome
	deleted   core.QueueName // of which a settlement finds out
}

func (s *topicStub) Routes(context.Context, core.TopicName) (*core.Routes, error) {
	return s.routes, nil
}

func (s *topicStub) NewMessageIDs(_ context.Context, _ string, n int) ([]core.MessageID, time.Time, error) {
	ids := make([]core.MessageID, n)
	for i := range ids {
		ids[i][15] = byte(i + 1)
	}
	return ids, time.Unix(1000, 0), nil
}

func (s *topicStub) Publish(_ context.Context, _ *core.Routes, publications []core.Publication) error {
	if s.changes > 0 {
		s.changes--
		return core.ErrTopicChanged
	}
	for _, p := range publications {
		for i := range p.Queues {
			p.Queues[i].Sent.ID = p.Message.ID
		}
	}
	s.published = append(s.published, publications...)
	return nil
}

func (s *topicStub) Subscribe(_ context.Context, in core.NewSubscription) (core.Subscription, bool, error) {
	return core.Subscription{Name: in.Name, Owner: in.Owner}, true, nil
}

func (s *topicStub) CreateTopic(_ context.Context, in core.NewTopic) (core.Topic, bool, error) {
	return core.Topic{Name: in.Name}, true, nil
}

func (s *topicStub) SettleDeliveries(_ context.Context, outcomes []core.Outcome) error {
	for _, o := range outcomes {
		if o.Put != nil && o.Put.Queue.Name == s.deleted {
			return core.ErrQueueChanged
		}
	}
	s.settled = append(s.settled, outcomes...)
	return nil
}

// letters is a Pusher whose filters are letters, of which a message's tag must have one.
type letters struct{ renders *int }

func (letters) CompileFilters(filters []core.Filter) (core.Matcher, error) {
	for _, f := range filters {
		if f.Text == "!" {
			return nil, core.Errorf(core.InvalidArgument, "an invalid filter")
		}
	}
	return letterMatcher(filters), nil
}

type letterMatcher []core.Filter

func (l letterMatcher) Match(m *core.PublishedMessage) (matching []int) {
	for i, f := range l {
		if strings.ContainsAny(m.Tag, f.Text) {
			matching = append(matching, i)
		}
	}
	return matching
}

func (l letters) Render(_ *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	*l.renders++
	return letter{m}, nil
}
func (letters) Retries(*core.Topic, *core.Subscription) core.RetryPolicy {
	return core.RetryPolicy{{Retries: 1, Min: time.Minute, Max: time.Minute}}
}
func (letters) Rate(_ *core.Topic, sub *core.Subscription) int { return sub.Rate }

func (letters) Judge(_ *core.Subscription, answer core.PushAnswer) core.Verdict {
	return map[int]core.Verdict{200: core.Delivered, 400: core.GiveUp}[answer.Status]
}

type letter struct{ m *core.PublishedMessage }

func (l letter) QueueMessage(*core.Subscription) (core.NewMessage, error) {
	return core.NewMessage{Body: l.m.Body}, nil
}
func (l letter) Push(*core.Subscription) (core.Push, error) {
	return core.Push{Way: core.ByHTTP, Body: l.m.Body, Timeout: time.Hour}, nil
}

// keeper is a Pusher whose renderings keep the topic that they are of.
type keeper struct{ letters }

type keptLetter struct {
	letter
	topic *core.Topic
}

func (k keeper) Render(topic *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	*k.renders++
	return keptLetter{letter{m}, topic}, nil
}

// newTopicBroker gives a broker on a stub with a topic whose subscriptions are as given; how often a message
// was rendered is counted.
func newTopicBroker(t *testing.T, subs ...core.Subscription) (broker *core.Broker, stub *topicStub, renders *int) {
	t.Helper()
	inner := newStub()
	inner.queues[orders] = &core.Queue{ID: 1, Version: 1, Name: orders, Settings: core.DefaultSettings()}
	stub = &topicStub{stubStore: inner, routes: &core.Routes{Topic: core.Topic{ID: 1, Name: alerts, TopicSettings: core.DefaultTopicSettings()}, Subscriptions: subs}}
	for i := range subs {
		subs[i].ID = int64(i + 1)
		if subs[i].State == "" {
			subs[i].State = core.Confirmed
		}
		if subs[i].Format == "" {
			subs[i].Format = "letters"
		}
	}
	broker = core.NewBroker(stub)
	t.Cleanup(broker.Close)
	renders = new(int)
	broker.RegisterPusher("letters", letters{renders})
	return broker, stub, renders
}

func publishTag(broker *core.Broker, tag string) error {
	_, err := broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte("hello"), Tag: tag}}})
	return err
}

func filtered(text string) core.Subscription {
	return core.Subscription{Filter: core.Filter{Text: text}}
}

func TestPublishRoutes(t *testing.T) {
	t.Parallel()
	big := core.QueueName{Account: "0", Region: "r", Name: "missing"}
	broker, stub, renders := newTopicBroker(t,
		core.Subscription{}, filtered("a"), filtered("b"), filtered("ab"), core.Subscription{State: core.Pending}, core.Subscription{State: core.Unsubscribed},
		core.Subscription{Queue: orders}, core.Subscription{Queue: orders}, core.Subscription{Queue: big})
	if err := publishTag(broker, "a"); err != nil {
		t.Fatal(err)
	}
	p := stub.published[0]
	var pushed []int64
	for _, sub := range p.Pushed {
		pushed = append(pushed, sub.ID)
	}
	if fmt.Sprint(pushed) != "[1 2 4 9]" || len(p.Queues) != 2 || len(p.FanOut) != 0 {
		t.Errorf("pushed to %v, %d queues, fanned out to %d", pushed, len(p.Queues), len(p.FanOut))
	}
	if d := p.Queues[0]; d.Message.Priority != core.DefaultPriority || d.Message.Delay == nil || string(d.Message.Body) != "hello" {
		t.Errorf("a queue gets %+v", d.Message)
	}
	if *renders != 1 {
		t.Errorf("the message was rendered %d times", *renders)
	}
}

// A message that was published is kept for a while, as it was rendered, and the topic's subscriptions of that moment are not.
func TestRenderingDoesNotKeepTheRoutes(t *testing.T) {
	t.Parallel()
	broker, stub, renders := newTopicBroker(t, core.Subscription{Format: "keeper"})
	broker.RegisterPusher("keeper", keeper{letters{renders}})
	sub := weak.Make(&stub.routes.Subscriptions[0])
	m := &core.PublishedMessage{NewPublication: core.NewPublication{Body: []byte("hello")}}
	d := &core.Delivery{Topic: &stub.routes.Topic, Subscription: &stub.routes.Subscriptions[0], Message: m}
	o, err := broker.Attempt(context.Background(), d, func(context.Context, core.Push) core.PushAnswer { return core.PushAnswer{Status: 200} })
	if err != nil || o.Verdict != core.Delivered || *renders != 1 {
		t.Fatalf("%+v, rendered %d times, %v", o, *renders, err)
	}
	stub.routes = nil
	runtime.GC()
	if sub.Value() != nil {
		t.Error("the topic's subscriptions are kept with the message")
	}
	runtime.KeepAlive(m)
}

func TestPublishFansOut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		subs, body int
		fanOut     bool
	}{
		"as many as one transaction takes": {core.MaxFanOut, 1, false},
		"one more":                         {core.MaxFanOut + 1, 1, true},
		"as much as one transaction takes": {4, core.MaxFanOutBytes / 4, false},
		"a byte more":                      {4, core.MaxFanOutBytes/4 + 1, true},
	} {
		subs := make([]core.Subscription, tt.subs)
		for i := range subs {
			subs[i].Queue = orders
		}
		broker, stub, _ := newTopicBroker(t, subs...)
		_, err := broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: make([]byte, tt.body)}}})
		if err != nil {
			t.Fatal(err)
		}
		if p := stub.published[0]; (len(p.FanOut) == tt.subs) != tt.fanOut || (len(p.Queues) == tt.subs) == tt.fanOut {
			t.Errorf("%s: %d queues at once, %d fanned out", name, len(p.Queues), len(p.FanOut))
		}
	}
}

func TestPublishReadsAChangedTopicAgain(t *testing.T) {
	t.Parallel()
	for changes, want := range map[int]core.Code{0: "", 31: "", 32: core.Unavailable} {
		broker, stub, _ := newTopicBroker(t)
		stub.changes = changes
		if err := publishTag(broker, "a"); core.CodeOf(err) != want && (err != nil || want != "") {
			t.Errorf("%d changes: %v", changes, err)
		}
	}
}

func TestPublishValidates(t *testing.T) {
	t.Parallel()
	broker, stub, _ := newTopicBroker(t)
	one := func(m core.NewPublication) []core.NewPublication { return []core.NewPublication{m} }
	for name, tt := range map[string]struct {
		messages []core.NewPublication
		want     core.Code
	}{
		"no messages":       {nil, core.InvalidArgument},
		"a full batch":      {make([]core.NewPublication, core.MaxPublishBatch), ""},
		"one more":          {make([]core.NewPublication, core.MaxPublishBatch+1), core.InvalidArgument},
		"the biggest":       {one(core.NewPublication{Body: make([]byte, core.MaxMessageBytes)}), ""},
		"a byte more":       {one(core.NewPublication{Body: make([]byte, core.MaxMessageBytes), Subject: "s"}), core.MessageTooLong},
		"a subject no text": {one(core.NewPublication{Subject: "\x00"}), core.InvalidArgument},
		"an extra no text":  {one(core.NewPublication{Extra: map[string]string{"a": "\xff"}}), core.InvalidArgument},
	} {
		stub.published = nil
		_, err := broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: tt.messages})
		checkCode(t, err, tt.want)
		if (err == nil) != (len(stub.published) > 0) {
			t.Errorf("%s: %d published, %v", name, len(stub.published), err)
		}
	}
}

// A message is not published while the format of one of the filters is not spoken: it would miss subscribers.
func TestFiltersOfAnUnspokenFormat(t *testing.T) {
	t.Parallel()
	broker, stub, _ := newTopicBroker(t, core.Subscription{Format: "other", Filter: core.Filter{Text: "a"}})
	if err := publishTag(broker, "a"); err == nil || len(stub.published) > 0 {
		t.Errorf("published, %v", err)
	}
}

// A filter that its format takes no longer lets nothing through, is told of, and leaves the others alone.
func TestFiltersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	broker, stub, _ := newTopicBroker(t, filtered("a"), filtered("!"), filtered("b"), filtered("ab"), core.Subscription{Format: "letters"})
	var told []int64
	broker.OnUnreadableFilter(func(sub *core.Subscription, fault error) {
		if core.CodeOf(fault) != core.InvalidArgument {
			t.Errorf("fault %v", fault)
		}
		told = append(told, sub.ID)
	})
	for range 2 {
		stub.published = nil
		if err := publishTag(broker, "b"); err != nil || len(stub.published) != 1 {
			t.Fatalf("%d published, %v", len(stub.published), err)
		}
		var got []int64
		for _, sub := range stub.published[0].Pushed {
			got = append(got, sub.ID)
		}
		if want := []int64{3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("pushed to %v, want %v", got, want)
		}
	}
	if !slices.Equal(told, []int64{2}) {
		t.Errorf("told of %v", told)
	}
}

func TestSubscribeValidates(t *testing.T) {
	t.Parallel()
	broker, _, _ := newTopicBroker(t)
	good := core.NewSubscription{Name: core.SubscriptionName{Topic: alerts}, Format: "letters", Protocol: "http", Endpoint: "http://a"}
	for name, tt := range map[string]struct {
		change func(*core.NewSubscription)
		want   core.Code
	}{
		"good":                       {func(*core.NewSubscription) {}, ""},
		"no topic":                   {func(in *core.NewSubscription) { in.Name.Topic.Name = "" }, core.TopicNotFound},
		"a name":                     {func(in *core.NewSubscription) { in.Name.Name = "s-1" }, ""},
		"a name with a slash":        {func(in *core.NewSubscription) { in.Name.Name = "s/1" }, core.InvalidArgument},
		"no endpoint":                {func(in *core.NewSubscription) { in.Endpoint = "" }, core.InvalidArgument},
		"the longest endpoint":       {func(in *core.NewSubscription) { in.Endpoint = strings.Repeat("e", core.MaxEndpointBytes) }, ""},
		"a longer endpoint":          {func(in *core.NewSubscription) { in.Endpoint = strings.Repeat("e", core.MaxEndpointBytes+1) }, core.InvalidArgument},
		"no protocol":                {func(in *core.NewSubscription) { in.Protocol = "" }, core.InvalidArgument},
		"a format nobody speaks":     {func(in *core.NewSubscription) { in.Format = "other" }, core.InvalidArgument},
		"an invalid filter":          {func(in *core.NewSubscription) { in.Filter.Text = "!" }, core.InvalidArgument},
		"pending without a token":    {func(in *core.NewSubscription) { in.Pending = true }, core.InvalidArgument},
		"a negative rate":            {func(in *core.NewSubscription) { in.Rate = -1 }, core.InvalidArgument},
		"a dead-letter queue's rest": {func(in *core.NewSubscription) { in.DeadLetter.Name = "dead" }, core.InvalidArgument},
		"delays that shrink":         {func(in *core.NewSubscription) { in.Retries = core.RetryPolicy{{Retries: 1, Min: 2, Max: 1}} }, core.InvalidArgument},
		"a back-off nobody knows":    {func(in *core.NewSubscription) { in.Retries = core.RetryPolicy{{Backoff: "cubic"}} }, core.InvalidArgument},
		"very many phases":           {func(in *core.NewSubscription) { in.Retries = make(core.RetryPolicy, core.MaxRetryPhases+1) }, core.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			tt.change(&in)
			sub, _, err := broker.Subscribe(context.Background(), in)
			checkCode(t, err, tt.want)
			if err == nil && sub.Owner != alerts.Account {
				t.Errorf("owner %q", sub.Owner)
			}
		})
	}
}

func TestCreateTopicValidates(t *testing.T) {
	t.Parallel()
	broker, _, _ := newTopicBroker(t)
	for name, tt := range map[string]struct {
		change func(*core.NewTopic)
		want   core.Code
	}{
		"good":                {func(*core.NewTopic) {}, ""},
		"no name":             {func(in *core.NewTopic) { in.Name.Name = "" }, core.InvalidArgument},
		"the longest name":    {func(in *core.NewTopic) { in.Name.Name = strings.Repeat("n", 256) }, ""},
		"a longer name":       {func(in *core.NewTopic) { in.Name.Name = strings.Repeat("n", 257) }, core.InvalidArgument},
		"a foreign letter":    {func(in *core.NewTopic) { in.Name.Name = "ä" }, core.InvalidArgument},
		"no account":          {func(in *core.NewTopic) { in.Name.Account = "" }, core.InvalidArgument},
		"no size":             {func(in *core.NewTopic) { in.Settings.MaxMessageSize = 0 }, core.InvalidArgument},
		"the biggest size":    {func(in *core.NewTopic) { in.Settings.MaxMessageSize = core.MaxMessageBytes }, ""},
		"a bigger size":       {func(in *core.NewTopic) { in.Settings.MaxMessageSize = core.MaxMessageBytes + 1 }, core.InvalidArgument},
		"the longest keeping": {func(in *core.NewTopic) { in.Settings.Retention = core.MaxTopicRetention }, ""},
		"a longer keeping":    {func(in *core.NewTopic) { in.Settings.Retention = core.MaxTopicRetention + 1 }, core.InvalidArgument},
		"a scope":             {func(in *core.NewTopic) { in.Settings.DeduplicationScope = "world" }, core.InvalidArgument},
		"a tag no text":       {func(in *core.NewTopic) { in.Tags = map[string]string{"a": "\x01"} }, core.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			in := core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}
			tt.change(&in)
			_, _, err := broker.CreateTopic(context.Background(), in)
			checkCode(t, err, tt.want)
		})
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	dead := core.Subscription{DeadLetter: orders}
	tests := map[string]struct {
		sub      core.Subscription
		answer   core.PushAnswer
		attempts int
		kind     core.Kind
		age      time.Duration // of the message
		verdict  core.Verdict
		put      bool
	}{
		"delivered":              {dead, core.PushAnswer{Status: 200}, 0, "", 0, core.Delivered, false},
		"tried again":            {dead, core.PushAnswer{Status: 500}, 0, "", 0, core.Retry, false},
		"no more retries":        {dead, core.PushAnswer{Status: 500}, 1, "", 0, core.GiveUp, true},
		"refused":                {dead, core.PushAnswer{Status: 400}, 0, "", 0, core.GiveUp, true},
		"forbidden address":      {dead, core.PushAnswer{Refused: true}, 0, "", 0, core.GiveUp, true},
		"without dead letters":   {core.Subscription{}, core.PushAnswer{Status: 400}, 0, "", 0, core.GiveUp, false},
		"kept":                   {dead, core.PushAnswer{Kept: true}, 0, "", 0, core.Delivered, false},
		"a confirmation":         {core.Subscription{DeadLetter: orders, State: core.Pending}, core.PushAnswer{Status: 400}, 0, core.Confirmation, 0, core.GiveUp, false},
		"unsubscribed since":     {core.Subscription{DeadLetter: orders, State: core.Unsubscribed}, core.PushAnswer{Status: 200}, 0, "", 0, core.GiveUp, false},
		"the retention is over":  {dead, core.PushAnswer{Status: 500}, 0, "", time.Hour, core.GiveUp, true},
		"just within retention":  {dead, core.PushAnswer{Status: 500}, 0, "", 58 * time.Minute, core.Retry, false},
		"into the queue itself":  {core.Subscription{Queue: orders}, core.PushAnswer{}, 0, "", 0, core.Delivered, true},
		"the subscription's own": {core.Subscription{Retries: core.RetryPolicy{{Retries: 5}}}, core.PushAnswer{Status: 500}, 4, "", 0, core.Retry, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, _, _ := newTopicBroker(t, tt.sub)
			topic := &core.Topic{Name: alerts, TopicSettings: core.TopicSettings{Retention: time.Hour}}
			sub := tt.sub
			sub.Format = "letters"
			if sub.State == "" {
				sub.State = core.Confirmed
			}
			now := time.Unix(100_000, 0)
			d := &core.Delivery{Topic: topic, Subscription: &sub, Attempts: tt.attempts, ClaimedAt: now,
				Message: &core.PublishedMessage{Kind: tt.kind, PublishedAt: now.Add(-tt.age)}}
			o, err := broker.Attempt(context.Background(), d, func(_ context.Context, p core.Push) core.PushAnswer {
				if p.Timeout != core.MaxPushTimeout {
					t.Errorf("a push may take %v", p.Timeout)
				}
				return tt.answer
			})
			if err != nil || o.Verdict != tt.verdict || (o.Put != nil) != tt.put || (o.Keep != nil) != tt.answer.Kept {
				t.Errorf("outcome %+v, %v", o, err)
			}
			if o.Verdict == core.Retry && sub.Retries == nil && o.Next != time.Minute {
				t.Errorf("next after %v", o.Next)
			}
		})
	}
}

// A delivery to an endpoint that keeps failing ends with its schedule, however few of its retries had their turn.
func TestAttemptsEndWithTheirSchedule(t *testing.T) {
	t.Parallel()
	const s = time.Second
	sub := core.Subscription{Format: "letters", State: core.Confirmed, DeadLetter: orders, Retries: core.RetryPolicy{
		{Retries: 2}, {Retries: 3, Min: 20 * s, Max: 20 * s}, {Retries: 2, Min: s, Max: 3 * s, Backoff: core.Geometric}, {Retries: 2, Min: 5 * s, Max: 8 * s, Backoff: core.Random},
	}} // 80 s, and 9 times as long as an attempt takes
	tests := map[string]struct {
		age, failing, took time.Duration
		over               bool
	}{
		"the schedule is over":                {80 * s, 80 * s, 0, true},
		"the message is younger":              {79 * s, time.Hour, 0, false},
		"the endpoint has worked since":       {time.Hour, 79 * s, 0, false},
		"the endpoint works but for this one": {time.Hour, 0, 0, false},
		"attempts take long":                  {169 * s, 169 * s, 10 * s, false},
		"attempts have taken long":            {170 * s, 170 * s, 10 * s, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, _, _ := newTopicBroker(t, sub)
			now := time.Unix(100_000, 0)
			d := &core.Delivery{Topic: &core.Topic{Name: alerts}, Subscription: &sub, ClaimedAt: now, Failing: tt.failing,
				Message: &core.PublishedMessage{PublishedAt: now.Add(-tt.age)}}
			failed := core.PushAnswer{Status: 503, Latency: tt.took}
			tried, err := broker.Attempt(t.Context(), d, func(context.Context, core.Push) core.PushAnswer { return failed })
			if err != nil || (tried.Verdict == core.GiveUp) != tt.over || (tried.Put != nil) != tt.over {
				t.Errorf("outcome %+v, %v", tried, err)
			}
			untried, err := broker.FailWith(t.Context(), d, failed)
			if err != nil || untried.Verdict != tried.Verdict || untried.Next != tried.Next || (untried.Put != nil) != tt.over || !untried.Untried ||
				untried.Answer.Reason != core.ReasonOutOfReach {
				t.Errorf("failed with another: %+v, %v", untried, err)
			}
		})
	}
}

// TestSettleFindsTheQueueDeleted settles deliveries to a queue that was deleted after the attempt.
func TestSettleFindsTheQueueDeleted(t *testing.T) {
	t.Parallel()
	gone := &core.Queue{ID: 2, Name: core.QueueName{Account: orders.Account, Region: orders.Region, Name: "gone"}}
	for name, tt := range map[string]struct {
		verdict core.Verdict // before
		dead    core.QueueName
		put     bool
	}{
		"to the dead-letter queue":       {core.Delivered, orders, true},
		"without a dead-letter queue":    {core.Delivered, core.QueueName{}, false},
		"it was the dead-letter queue":   {core.GiveUp, gone.Name, false},
		"both queues are the same queue": {core.Delivered, gone.Name, false},
	} {
		t.Run(name, func(t *testing.T) {
			broker, stub, _ := newTopicBroker(t)
			stub.deleted = gone.Name
			sub := &core.Subscription{Format: "letters", State: core.Confirmed, Queue: gone.Name, DeadLetter: tt.dead}
			d := &core.Delivery{Topic: &stub.routes.Topic, Subscription: sub, Message: &core.PublishedMessage{}}
			err := broker.Settle(t.Context(), []core.Outcome{{Delivery: d, Verdict: tt.verdict, Put: &core.QueueDelivery{Queue: gone}}})
			if err != nil || len(stub.settled) != 1 || stub.settled[0].Verdict != core.GiveUp || (stub.settled[0].Put != nil) != tt.put {
				t.Errorf("settled %+v, %v", stub.settled, err)
			}
		})
	}
}

func TestEditTopicLosesNothing(t *testing.T) {
	t.Parallel()
	stub := &editStub{stubStore: newStub(), changes: 3}
	broker := core.NewBroker(stub)
	t.Cleanup(broker.Close)
	calls := 0
	_, err := broker.EditTopic(context.Background(), alerts, func(topic core.Topic) (core.TopicChange, error) {
		calls++
		return core.TopicChange{}, nil
	})
	if err != nil || calls != 4 || stub.from == nil {
		t.Errorf("%d calls, %v", calls, err)
	}
	broken := errors.New("broken")
	if _, err := broker.EditTopic(context.Background(), alerts, func(core.Topic) (core.TopicChange, error) { return core.TopicChange{}, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestEditSubscriptionLosesNothing(t *testing.T) {
	t.Parallel()
	stub := &editStub{stubStore: newStub(), changes: 3}
	broker := core.NewBroker(stub)
	t.Cleanup(broker.Close)
	name := core.SubscriptionName{Topic: alerts, Name: "all"}
	calls := 0
	_, err := broker.EditSubscription(t.Context(), name, func(core.Subscription) (core.SubscriptionChange, error) {
		calls++
		return core.SubscriptionChange{}, nil
	})
	if err != nil || calls != 4 || stub.subscriptionFrom == nil {
		t.Errorf("%d calls, %v", calls, err)
	}
	stub.changes = 1000
	nothing := func(core.Subscription) (core.SubscriptionChange, error) { return core.SubscriptionChange{}, nil }
	if _, err := broker.EditSubscription(t.Context(), name, nothing); core.CodeOf(err) != core.Unavailable {
		t.Errorf("of one that keeps changing: got %v", err)
	}
}

// editStub is a Store whose topic and subscription change between reading and altering.
type editStub struct {
	*stubStore
	changes int
	from    *core.Topic

	subscriptionFrom *core.Subscription
}

func (s *editStub) Subscription(_ context.Context, name core.SubscriptionName) (core.Subscription, error) {
	return core.Subscription{Name: name}, nil
}

func (s *editStub) AlterSubscription(_ context.Context, _ core.SubscriptionName, change core.SubscriptionChange) (core.Subscription, error) {
	s.subscriptionFrom = change.From
	if s.changes > 0 {
		s.changes--
		return core.Subscription{}, core.ErrSubscriptionChanged
	}
	return core.Subscription{}, nil
}

func (s *editStub) DescribeTopic(context.Context, core.TopicName) (core.Topic, error) {
	return core.Topic{Name: alerts}, nil
}

func (s *editStub) AlterTopic(_ context.Context, _ core.TopicName, change core.TopicChange) (core.Topic, error) {
	s.from = change.From
	if s.changes > 0 {
		s.changes--
		return core.Topic{}, core.ErrTopicChanged
	}
	return core.Topic{}, nil
}
