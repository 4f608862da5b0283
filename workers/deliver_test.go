package workers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/workers"
	"github.com/polymq/polymq/workers/push"
)

// patience is how long a test waits for what should happen soon.
const patience = 20 * time.Second

// bare is a Pusher without an envelope, which tries again after 20 s three times; the push to an endpoint
// that ends in "/keep" is kept.
type bare struct{}

func (bare) CompileFilters([]core.Filter) (core.Matcher, error) { return nil, nil }

func (bare) Render(_ *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	return bareMessage{m}, nil
}

func (bare) Retries(*core.Topic, *core.Subscription) core.RetryPolicy {
	return core.RetryPolicy{{Retries: 3, Min: 20 * time.Second, Max: 20 * time.Second}}
}

func (bare) Rate(_ *core.Topic, sub *core.Subscription) int { return sub.Rate }

func (bare) Judge(_ *core.Subscription, answer core.PushAnswer) core.Verdict {
	switch answer.Status / 100 {
	case 2:
		return core.Delivered
	case 4:
		return core.GiveUp
	}
	return core.Retry
}

type bareMessage struct{ m *core.PublishedMessage }

func (b bareMessage) QueueMessage(*core.Subscription) (core.NewMessage, error) {
	if b.m.Subject == "unfit" {
		return core.NewMessage{}, core.Errorf(core.InvalidArgument, "does not fit a queue")
	}
	return core.NewMessage{Body: b.m.Body}, nil
}

func (b bareMessage) Push(sub *core.Subscription) (core.Push, error) {
	p := core.Push{Way: core.ByHTTP, Method: http.MethodPost, URL: sub.Endpoint, Body: append([]byte(b.m.Kind), b.m.Body...), Timeout: core.MaxPushTimeout}
	if strings.HasSuffix(sub.Endpoint, "/keep") {
		p.Way, p.To = core.Kept, "+49"
	}
	return p, nil
}

var alerts = core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: "alerts"}

// node is a server's part that delivers.
type node struct {
	url    string
	store  *pg.Store
	broker *core.Broker
	pushes *workers.Push
}

// newNode starts a node on a database.
func newNode(t *testing.T, url string) *node {
	t.Helper()
	n := &node{url: url, store: pgtest.Open(t, url)}
	n.broker = core.NewBroker(n.store)
	n.broker.RegisterPusher("bare", bare{})
	client, err := push.New(push.Options{Open: true})
	if err != nil {
		t.Fatal(err)
	}
	n.pushes = workers.NewPush(workers.Deliveries{
		DueLanes: n.broker.DueLanes, Claim: n.broker.ClaimDeliveries, Settle: n.broker.Settle, FanOut: n.broker.FanOut,
		Attempt: func(ctx context.Context, d *core.Delivery) (core.Outcome, error) {
			return n.broker.Attempt(ctx, d, client.Do)
		},
		FailWith: n.broker.FailWith,
	}, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel))
	n.broker.OnDeliveries(n.pushes.Due)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.pushes.Close(ctx)
		client.Close()
		n.broker.Close()
	})
	return n
}

// newTopic starts a node with a topic.
func newTopic(t *testing.T) *node {
	t.Helper()
	n := newNode(t, pgtest.DatabaseURL(t))
	if _, _, err := n.broker.CreateTopic(context.Background(), core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) subscribe(t *testing.T, endpoint string, more ...func(*core.NewSubscription)) core.Subscription {
	t.Helper()
	in := core.NewSubscription{Name: core.SubscriptionName{Topic: alerts}, Format: "bare", Protocol: "http", Endpoint: endpoint}
	for _, f := range more {
		f(&in)
	}
	sub, _, err := n.broker.Subscribe(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func (n *node) publish(t *testing.T, bodies ...string) (ids []core.MessageID) {
	t.Helper()
	for _, body := range bodies {
		published, err := n.broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte(body)}}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, published[0].ID)
	}
	return ids
}

// receiver is an HTTP endpoint that notes what it is sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies []string
	heard  chan struct{}
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{status: status, heard: make(chan struct{}, 10_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.bodies = append(r.bodies, string(body))
		w.WriteHeader(r.status)
		r.mu.Unlock()
		r.heard <- struct{}{}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.bodies))
}

// wait waits until n requests have come since the last wait.
func (r *receiver) wait(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(patience)
	for range n {
		select {
		case <-r.heard:
		case <-deadline:
			t.Fatalf("no push came: %q are all", r.got())
		}
	}
}

// eventually waits for something that is known to happen without a sign.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !happened(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// attempts gives the attempts so far, the newest first.
func (n *node) attempts(t *testing.T) []core.Attempt {
	t.Helper()
	page, err := n.broker.ListAttempts(context.Background(), core.ListDeliveriesInput{Topic: alerts, Limit: core.MaxListed})
	if err != nil {
		t.Fatal(err)
	}
	return page.Attempts
}

// settled waits until so many attempts have been written down.
func (n *node) settled(t *testing.T, attempts int) []core.Attempt {
	t.Helper()
	eventually(t, fmt.Sprintf("%d attempts", attempts), func() bool { return len(n.attempts(t)) >= attempts })
	return n.attempts(t)
}

func (n *node) outstanding(t *testing.T) int64 {
	t.Helper()
	topic, err := n.broker.DescribeTopic(context.Background(), alerts)
	if err != nil {
		t.Fatal(err)
	}
	return topic.Counts.Messages
}

func TestPushDelivers(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	a, b := newReceiver(t, 200), newReceiver(t, 204)
	n.subscribe(t, a.URL)
	n.subscribe(t, b.URL)
	ids := n.publish(t, "one", "two", "three")
	a.wait(t, 3)
	b.wait(t, 3)
	attempts := n.settled(t, 6)
	for _, r := range []*receiver{a, b} {
		if got := r.got(); !slices.Equal(got, []string{"one", "three", "two"}) {
			t.Errorf("got %q", got)
		}
	}
	for _, attempt := range attempts {
		if attempt.Verdict != core.Delivered || attempt.Number != 1 || attempt.Answer.Status/100 != 2 || attempt.Answer.Latency <= 0 || !attempt.NextAttempt.IsZero() ||
			attempt.At.IsZero() || !slices.Contains(ids, attempt.Message) {
			t.Errorf("attempt %+v", attempt)
		}
	}
	if left := n.outstanding(t); left != 0 {
		t.Errorf("%d messages are still kept", left)
	}
}

// An endpoint that fails is tried again by the schedule, on the moved clock, until it works.
func TestPushTriesAgain(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	down := newReceiver(t, 503)
	sub := n.subscribe(t, down.URL, func(in *core.NewSubscription) {
		in.Retries = core.RetryPolicy{{Retries: 2, Min: time.Hour, Max: time.Hour}}
	})
	id := n.publish(t, "hello")[0]
	down.wait(t, 1)
	first := n.settled(t, 1)[0]
	if wait := first.NextAttempt.Sub(first.At).Round(time.Minute); first.Verdict != core.Retry || first.Answer.Status != 503 || wait != time.Hour {
		t.Errorf("attempt %+v, the next one after %v", first, wait)
	}
	page, err := n.broker.ListDeliveries(context.Background(), core.ListDeliveriesInput{Topic: alerts, Subscription: sub.Name.Name, Limit: 1})
	if err != nil || len(page.Deliveries) != 1 || page.Deliveries[0].Attempts != 1 || page.Deliveries[0].Message.ID != id {
		t.Errorf("outstanding: %+v, %v", page.Deliveries, err)
	}
	pgtest.Advance(t, n.broker, 59*time.Minute)
	if err := n.pushes.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	down.answer(200)
	pgtest.Advance(t, n.broker, 2*time.Minute)
	down.wait(t, 1)
	if last := n.settled(t, 2)[0]; last.Verdict != core.Delivered || last.Number != 2 {
		t.Errorf("attempt %+v", last)
	}
	if got := down.got(); len(got) != 2 {
		t.Errorf("%d pushes, want 2: none before its time", len(got))
	}
}

func TestPushDeadLetters(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status       int
		attempts     int
		deadLettered bool
	}{
		"retries exhausted":       {500, 4, true},
		"refused by the endpoint": {404, 1, true},
		"delivered":               {200, 1, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTopic(t)
			dead := pgtest.Queue(t, n.broker, "dead")
			r := newReceiver(t, tt.status)
			n.subscribe(t, r.URL, func(in *core.NewSubscription) { in.DeadLetter = dead })
			n.publish(t, "hello")
			for i := range tt.attempts {
				r.wait(t, 1)
				n.settled(t, i+1)
				pgtest.Advance(t, n.broker, 21*time.Second)
			}
			want := []string{}
			if tt.deadLettered {
				want = []string{"hello"}
			}
			if got := pgtest.Bodies(pgtest.Receive(t, n.broker, dead, 10)); !slices.Equal(got, want) {
				t.Errorf("dead letters %q, want %q", got, want)
			}
			attempts := n.attempts(t)
			if len(attempts) != tt.attempts || attempts[0].DeadLettered != tt.deadLettered {
				t.Errorf("%d attempts, the last %+v", len(attempts), attempts[0])
			}
			if left := n.outstanding(t); left != 0 {
				t.Errorf("%d messages are still kept", left)
			}
		})
	}
}

// What waits for an endpoint that is down goes to the dead-letter queue when its retries would be over, though few are made.
func TestPushDeadLettersAllOfADeadEndpoint(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	dead := pgtest.Queue(t, n.broker, "dead")
	r := newReceiver(t, http.StatusServiceUnavailable)
	sub := n.subscribe(t, r.URL, func(in *core.NewSubscription) { in.DeadLetter = dead })
	const messages, retries = 100, 3
	var want, got []string
	for i := range messages {
		want = append(want, fmt.Sprintf("%03d", i))
	}
	n.publish(t, want...)
	waiting := func(attempts int) func() bool {
		return func() bool {
			page, err := n.broker.ListDeliveries(context.Background(), core.ListDeliveriesInput{Topic: alerts, Subscription: sub.Name.Name, Limit: core.MaxListed})
			if err != nil {
				t.Fatal(err)
			}
			return !slices.ContainsFunc(page.Deliveries, func(d core.Delivery) bool { return d.Attempts < attempts })
		}
	}
	for i := range retries {
		eventually(t, fmt.Sprintf("%d attempts of each", i+1), waiting(i+1))
		if n.outstanding(t) != messages {
			t.Fatalf("%d messages are left after %d of %d retries", n.outstanding(t), i, retries)
		}
		pgtest.Advance(t, n.broker, 21*time.Second)
	}
	eventually(t, "all is given up", func() bool { return n.outstanding(t) == 0 })
	for len(got) < messages {
		received := pgtest.Bodies(pgtest.Receive(t, n.broker, dead, 10))
		if len(received) == 0 {
			break
		}
		got = append(got, received...)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("dead letters %q", got)
	}
	if pushes := len(r.got()); pushes > messages/2 {
		t.Errorf("%d pushes to an endpoint that is down", pushes)
	}
	n.settled(t, messages)
	ended := map[core.MessageID]bool{}
	for _, a := range n.attempts(t) {
		if a.Verdict == core.GiveUp {
			ended[a.Message] = a.DeadLettered && a.Number == retries+1
		}
	}
	for id, well := range ended {
		if !well {
			t.Errorf("message %v did not end in the dead-letter queue, at its last attempt", id)
		}
	}
	if len(ended) != messages {
		t.Errorf("the ends of %d messages can be seen", len(ended))
	}
}

// later puts off all that is to be delivered, as an endpoint does that keeps failing.
func (n *node) later(t *testing.T) {
	t.Helper()
	pgtest.Execute(t, n.url, `UPDATE deliveries SET due_at = now() + interval '1 day'`)
}

// expire gives up what nobody need deliver any more, and checks how much that is.
func (n *node) expire(t *testing.T, want int) {
	t.Helper()
	if got, err := n.broker.ExpireDeliveries(context.Background(), core.MaxClaim); err != nil || got != want {
		t.Fatalf("%d deliveries expired, want %d, %v", got, want, err)
	}
}

// What has outlived its topic's retention is given up, though its turn before an endpoint that fails has not come.
func TestDeliveriesExpire(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	retention := time.Hour
	if _, err := n.broker.AlterTopic(context.Background(), alerts, core.TopicChange{Retention: &retention}); err != nil {
		t.Fatal(err)
	}
	dead := pgtest.Queue(t, n.broker, "dead")
	n.subscribe(t, newReceiver(t, 503).URL, func(in *core.NewSubscription) { in.DeadLetter = dead })
	n.publish(t, "hello")
	n.settled(t, 1)
	n.later(t)
	for _, step := range []struct {
		passed time.Duration // which does not make due what is tried again
		want   int
	}{{retention - time.Minute, 0}, {time.Minute, 1}, {0, 0}} {
		pgtest.Execute(t, n.url, `INSERT INTO clocks (account, ahead) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET ahead = clocks.ahead + excluded.ahead`,
			pgtest.Account, step.passed)
		n.expire(t, step.want)
	}
	if got := pgtest.Bodies(pgtest.Receive(t, n.broker, dead, 10)); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("dead letters %q", got)
	}
	if last := n.attempts(t)[0]; last.Answer.Reason != core.ReasonExpired || !last.DeadLettered {
		t.Errorf("the last attempt is %+v", last)
	}
	if left := n.outstanding(t); left != 0 {
		t.Errorf("%d messages are still kept", left)
	}
}

// What a topic leaves that is deleted goes, whenever it would have been tried again.
func TestDeliveriesOfADeletedTopicExpire(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	n.subscribe(t, newReceiver(t, 503).URL)
	n.publish(t, "hello")
	n.settled(t, 1)
	n.later(t)
	n.expire(t, 0)
	if err := n.broker.DeleteTopic(context.Background(), alerts); err != nil {
		t.Fatal(err)
	}
	n.expire(t, 1)
	pgtest.Execute(t, n.url, `UPDATE deliveries SET claimed = false`)
	n.expire(t, 0)
}

// What cannot be put into a subscribed queue goes to the dead-letter queue.
func TestQueueDeliveriesDeadLetter(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	dead := pgtest.Queue(t, n.broker, "dead")
	n.subscribe(t, "missing", func(in *core.NewSubscription) {
		in.Protocol, in.Queue, in.DeadLetter = "queue", pgtest.Name("missing"), dead
	})
	n.publish(t, "hello")
	attempt := n.settled(t, 1)[0]
	if attempt.Verdict != core.GiveUp || !attempt.DeadLettered || attempt.Answer.Reason == "" {
		t.Errorf("attempt %+v", attempt)
	}
	if got := pgtest.Bodies(pgtest.Receive(t, n.broker, dead, 10)); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("dead letters %q", got)
	}
}

func TestPushKeeps(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	sub := n.subscribe(t, "http://x/keep")
	id := n.publish(t, "hello")[0]
	n.settled(t, 1)
	page, err := n.broker.ListKept(context.Background(), core.ListDeliveriesInput{Topic: alerts, Limit: 10})
	if err != nil || len(page.Messages) != 1 {
		t.Fatalf("outbox %+v, %v", page, err)
	}
	if m := page.Messages[0]; m.Message != id || m.To != "+49" || string(m.Body) != "hello" || m.Subscription != sub.Name.Name || m.Topic != alerts.Name || m.KeptAt.IsZero() {
		t.Errorf("kept %+v", m)
	}
	direct, err := n.broker.Keep(context.Background(), core.KeptMessage{Account: alerts.Account, Region: alerts.Region, Protocol: "sms", To: "+1", Body: []byte("hi")})
	if err != nil || direct == (core.MessageID{}) {
		t.Errorf("keep: %v, %v", direct, err)
	}
	all, err := n.broker.ListKept(context.Background(), core.ListDeliveriesInput{Topic: core.TopicName{Account: alerts.Account, Region: alerts.Region}, Limit: 1})
	if err != nil || len(all.Messages) != 1 || all.Messages[0].To != "+1" || all.Next == "" {
		t.Errorf("the newest %+v, %v", all, err)
	}
}

// Endpoints that never answer do not hold up those that do.
func TestPushDeadEndpointsSlowNobody(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	const dead, live, messages = 60, 6, 5
	release := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(hang.Close)
	t.Cleanup(func() { close(release) })
	works := newReceiver(t, 200)
	for i := range dead {
		n.subscribe(t, fmt.Sprintf("%s/%d", hang.URL, i))
	}
	for i := range live {
		n.subscribe(t, fmt.Sprintf("%s/%d", works.URL, i))
	}
	for i := range messages {
		n.publish(t, fmt.Sprint(i))
	}
	works.wait(t, live*messages) // within less than the time-out of one push that hangs
}

func TestTwoServersDeliverOnce(t *testing.T) {
	t.Parallel()
	a := newTopic(t)
	b := newNode(t, a.url)
	const messages = 100
	r := newReceiver(t, 200)
	a.subscribe(t, r.URL)
	var want []string
	for i := range messages {
		body := fmt.Sprintf("%03d", i)
		want = append(want, body)
		if i%2 == 0 {
			a.publish(t, body)
		} else {
			b.publish(t, body)
		}
	}
	r.wait(t, messages)
	a.settled(t, messages)
	if got := r.got(); !slices.Equal(got, want) {
		t.Errorf("got %d pushes: %q", len(got), got)
	}
}

// A server that dies while it attempts leaves the delivery to others, once its claim has run out.
func TestClaimsRunOut(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	broker.RegisterPusher("bare", bare{})
	n := &node{broker: broker}
	ctx := context.Background()
	if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	n.subscribe(t, "http://a/")
	n.publish(t, "hello")
	lanes, err := broker.DueLanes(ctx, 0)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("lanes %v, %v", lanes, err)
	}
	claim := []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 10}}
	first, err := broker.ClaimDeliveries(ctx, claim)
	if err != nil || len(first) != 1 {
		t.Fatalf("claimed %v, %v", first, err)
	}
	pgtest.Advance(t, broker, time.Hour) // moves the account's time, not that of servers
	if again, err := broker.ClaimDeliveries(ctx, claim); err != nil || len(again) != 0 {
		t.Errorf("claimed twice: %v, %v", again, err)
	}
	pgtest.Execute(t, url, `UPDATE deliveries SET due_at = due_at - $1::interval`, core.ClaimLife)
	second, err := broker.ClaimDeliveries(ctx, claim)
	if err != nil || len(second) != 1 {
		t.Fatalf("claimed after the first claim ran out: %v, %v", second, err)
	}
	if err := broker.Settle(ctx, []core.Outcome{{Delivery: first[0], Verdict: core.Delivered}}); err != nil {
		t.Fatal(err)
	}
	if left := n.outstanding(t); left != 1 {
		t.Error("a claim that was void settled the delivery")
	}
	if err := broker.Settle(ctx, []core.Outcome{{Delivery: second[0], Verdict: core.Delivered}}); err != nil {
		t.Fatal(err)
	}
	if left := n.outstanding(t); left != 0 {
		t.Error("the delivery was not settled")
	}
}

// Where the database is away for longer than a claim lasts, what both attempts came to may be written down together.
func TestTwoClaimsDeadLetterOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	broker.RegisterPusher("bare", bare{})
	n := &node{broker: broker}
	ctx := context.Background()
	if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	dead := pgtest.Queue(t, broker, "dead")
	n.subscribe(t, "http://a/", func(in *core.NewSubscription) { in.DeadLetter = dead })
	n.publish(t, "hello")
	lanes, err := broker.DueLanes(ctx, 0)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("lanes %v, %v", lanes, err)
	}
	var outcomes []core.Outcome
	for range 2 {
		claimed, err := broker.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 10}})
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %v, %v", claimed, err)
		}
		outcome, err := broker.Attempt(ctx, claimed[0], func(context.Context, core.Push) core.PushAnswer { return core.PushAnswer{Status: 404} })
		if err != nil || outcome.Verdict != core.GiveUp {
			t.Fatalf("the attempt came to %+v, %v", outcome, err)
		}
		outcomes = append(outcomes, outcome)
		pgtest.Execute(t, url, `UPDATE deliveries SET due_at = due_at - $1::interval`, core.ClaimLife)
	}
	if err := broker.Settle(ctx, outcomes); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Bodies(pgtest.Receive(t, broker, dead, 10)); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("dead letters %q, want one", got)
	}
	if left := n.outstanding(t); left != 0 {
		t.Errorf("%d messages are still kept", left)
	}
}

// Time that is moved while an attempt is under way, or before it is written down, counts for the next one.
func TestTimeMovesDuringAnAttempt(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	broker := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(broker.Close)
	broker.RegisterPusher("bare", bare{})
	n := &node{broker: broker}
	ctx := context.Background()
	if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	n.subscribe(t, "http://a/")
	n.publish(t, "hello")
	lanes, err := broker.DueLanes(ctx, 0)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("lanes %v, %v", lanes, err)
	}
	claim := func() []*core.Delivery {
		t.Helper()
		claimed, err := broker.ClaimDeliveries(ctx, []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 10}})
		if err != nil {
			t.Fatal(err)
		}
		return claimed
	}
	first := claim()
	if len(first) != 1 {
		t.Fatalf("claimed %v", first)
	}
	pgtest.Advance(t, broker, time.Hour)
	if err := broker.Settle(ctx, []core.Outcome{{Delivery: first[0], Verdict: core.Retry, Next: 2 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	if early := claim(); len(early) != 0 {
		t.Errorf("after an hour of two: claimed %v", early)
	}
	pgtest.Advance(t, broker, time.Hour+time.Minute)
	second := claim()
	if len(second) != 1 || second[0].Attempts != 1 {
		t.Fatalf("after two hours: claimed %v", second)
	}
	pgtest.Advance(t, broker, 3*time.Hour)
	if err := broker.Settle(ctx, []core.Outcome{{Delivery: second[0], Verdict: core.Retry, Next: 2 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	if third := claim(); len(third) != 1 {
		t.Errorf("three hours after an attempt that is made again after two: claimed %v", third)
	}
}

func TestRetryAndDeadLetterByHand(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	dead := pgtest.Queue(t, n.broker, "dead")
	r := newReceiver(t, 500)
	sub := n.subscribe(t, r.URL, func(in *core.NewSubscription) { in.DeadLetter = dead })
	id := n.publish(t, "hello")[0]
	r.wait(t, 1)
	n.settled(t, 1)
	ctx := context.Background()
	if err := n.broker.RetryDelivery(ctx, sub.Name, id); err != nil {
		t.Fatal(err)
	}
	r.wait(t, 1)
	n.settled(t, 2)
	if err := n.broker.DeadLetterDelivery(ctx, sub.Name, id); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Bodies(pgtest.Receive(t, n.broker, dead, 10)); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("dead letters %q", got)
	}
	if err := n.broker.RetryDelivery(ctx, sub.Name, id); core.CodeOf(err) != core.DeliveryNotFound {
		t.Errorf("retry what is over: %v", err)
	}
	if err := n.broker.DeadLetterDelivery(ctx, sub.Name, id); core.CodeOf(err) != core.DeliveryNotFound {
		t.Errorf("dead-letter what is over: %v", err)
	}
}

func TestUnsubscribeDropsDeliveries(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	r := newReceiver(t, 500)
	sub := n.subscribe(t, r.URL)
	n.publish(t, "hello")
	r.wait(t, 1)
	n.settled(t, 1)
	if _, err := n.broker.Unsubscribe(context.Background(), sub.Name); err != nil {
		t.Fatal(err)
	}
	pgtest.Advance(t, n.broker, time.Minute)
	eventually(t, "the delivery is dropped", func() bool { return n.outstanding(t) == 0 })
	if got := r.got(); len(got) != 1 {
		t.Errorf("%d pushes, want the one from before", len(got))
	}
}

func TestConfirmationsArePushed(t *testing.T) {
	t.Parallel()
	n := newTopic(t)
	r := newReceiver(t, 200)
	sub := n.subscribe(t, r.URL, func(in *core.NewSubscription) { in.Pending, in.Token = true, "token" })
	n.publish(t, "not confirmed yet")
	ctx := context.Background()
	if err := n.broker.PushConfirmation(ctx, sub, core.Confirmation); err != nil {
		t.Fatal(err)
	}
	r.wait(t, 1)
	gone, err := n.broker.Unsubscribe(ctx, sub.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.broker.PushConfirmation(ctx, gone, core.UnsubscribeConfirmation); err != nil {
		t.Fatal(err)
	}
	r.wait(t, 1)
	if got := r.got(); !slices.Equal(got, []string{string(core.Confirmation), string(core.UnsubscribeConfirmation)}) {
		t.Errorf("pushed %q", got)
	}
}

// A fan-out that is cut off between two chunks goes on where it was: every queue has the message once.
func TestFanOutGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	first := core.NewBroker(pgtest.Open(t, url))
	t.Cleanup(first.Close)
	first.RegisterPusher("bare", bare{})
	ctx := context.Background()
	if _, _, err := first.CreateTopic(ctx, core.NewTopic{Name: alerts, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	const queues = core.MaxFanOut + 50
	n := &node{broker: first}
	for i := range queues {
		queue := pgtest.Queue(t, first, fmt.Sprintf("q%d", i))
		n.subscribe(t, queue.Name, func(in *core.NewSubscription) { in.Protocol, in.Queue = "queue", queue })
	}
	n.publish(t, "hello")
	if found, err := first.FanOut(ctx); err != nil || !found {
		t.Fatalf("fan out: %t, %v", found, err)
	}
	count := func() (total, most int64) {
		page, err := first.ListQueues(ctx, core.ListQueuesInput{Account: alerts.Account, Region: alerts.Region, Limit: core.MaxListed, Counts: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range page.Queues {
			total, most = total+q.Counts.Visible, max(most, q.Counts.Visible)
		}
		return total, most
	}
	if total, _ := count(); total != core.MaxFanOut {
		t.Fatalf("%d messages after the first chunk, want %d", total, core.MaxFanOut)
	}
	second := newNode(t, url) // as if the first had died
	if err := second.pushes.Run(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all queues have the message", func() bool { total, _ := count(); return total >= queues })
	eventually(t, "the message is removed", func() bool { return second.outstanding(t) == 0 })
	if total, most := count(); total != queues || most != 1 {
		t.Errorf("%d messages, %d at most in one queue", total, most)
	}
}

// What an attempt needs must survive its way through the database.
func TestMessagesSurviveStorage(t *testing.T) {
	t.Parallel()
	a := newTopic(t)
	r := newReceiver(t, 500)
	sub := a.subscribe(t, r.URL)
	in := core.NewPublication{
		Body: []byte{0, 255, 'x'}, Form: core.FormBase64, Bodies: map[string]string{"http": "for http"}, Subject: "subject", Tag: "tag", Sender: "111111111111",
		Attributes: []core.Attribute{{Name: "a", Type: "String", Value: []byte("b")}, {Name: "c", Type: "Binary", Value: []byte{0, 1}}},
		System:     map[string]string{"AWSTraceHeader": "Root=1"}, Extra: map[string]string{"mns.DirectMail": "{}"}, GroupID: "g",
	}
	published, err := a.broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{in}})
	if err != nil {
		t.Fatal(err)
	}
	r.wait(t, 1)
	a.settled(t, 1)
	b := core.NewBroker(pgtest.Open(t, a.url)) // has not seen it
	t.Cleanup(b.Close)
	page, err := b.ListDeliveries(context.Background(), core.ListDeliveriesInput{Topic: alerts, Subscription: sub.Name.Name, Limit: 1})
	if err != nil || len(page.Deliveries) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	m := page.Deliveries[0].Message
	got, _ := json.Marshal(m.NewPublication)
	want, _ := json.Marshal(in)
	if string(got) != string(want) || m.ID != published[0].ID || m.PublishedAt.Sub(published[0].PublishedAt).Abs() > time.Millisecond {
		t.Errorf("got %s of %v, want %s of %v", got, m.PublishedAt, want, published[0].PublishedAt)
	}
}
