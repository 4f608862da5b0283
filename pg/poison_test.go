package pg_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// oneAttempt gives the only attempt of the topic.
func oneAttempt(t *testing.T, broker *core.Broker) core.Attempt {
	t.Helper()
	page, err := broker.ListAttempts(context.Background(), core.ListDeliveriesInput{Topic: alerts, Limit: 10})
	if err != nil || len(page.Attempts) != 1 {
		t.Fatalf("attempts %+v, %v", page.Attempts, err)
	}
	return page.Attempts[0]
}

// claimAll claims everything that is due.
func claimAll(t *testing.T, broker *core.Broker) []*core.Delivery {
	t.Helper()
	lanes, err := broker.DueLanes(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var claims []core.LaneClaim
	for _, lane := range lanes {
		if lane.Lane != core.FanOutLane {
			claims = append(claims, core.LaneClaim{Lane: lane.Lane, Limit: 10})
		}
	}
	deliveries, err := broker.ClaimDeliveries(context.Background(), claims)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

// A message that cannot be read any more does not hold up the fan-out of the next, and the topic's attempts show it.
func TestFanOutOfTheUnreadable(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := topicBroker(t, store)
		newTopic(t, broker)
		for i := range core.MaxFanOut + 1 {
			subscribeURL(t, broker, fmt.Sprintf("http://localhost/%d", i))
		}
		lost := publish(t, broker, "lost")[0]
		publish(t, broker, "kept")
		pgtest.Execute(t, store.URL(), `UPDATE published SET content = 'x' WHERE id = (SELECT min(id) FROM published)`)
		other := topicBroker(t, another(t, store))
		if found, err := other.FanOut(context.Background()); !found || err == nil {
			t.Fatalf("of a message that cannot be read: %v, %v", found, err)
		}
		for found := true; found; {
			var err error
			if found, err = other.FanOut(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(claimAll(t, other)); got != core.MaxFanOut+1 {
			t.Errorf("%d deliveries of the message behind it, want %d", got, core.MaxFanOut+1)
		}
		a := oneAttempt(t, other)
		if a.Message != lost.ID || a.Verdict != core.GiveUp || !strings.Contains(a.Answer.Reason, "201 of 201") {
			t.Errorf("the attempt is %+v", a)
		}
	})
}

// A fan-out that fails is put off, and begins again later.
func TestFanOutIsPutOff(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := topicBroker(t, store)
	newTopic(t, broker)
	for i := range core.MaxFanOut + 1 {
		subscribeURL(t, broker, fmt.Sprintf("http://localhost/%d", i))
	}
	publish(t, broker, "late")
	route := func(*core.Topic, *core.PublishedMessage, []*core.Subscription) (core.Publication, error) {
		return core.Publication{}, fmt.Errorf("no")
	}
	if found, err := store.FanOut(context.Background(), route); !found || err == nil {
		t.Fatalf("a chunk that fails: %v, %v", found, err)
	}
	if found, err := broker.FanOut(context.Background()); found || err != nil {
		t.Fatalf("at once: %v, %v", found, err)
	}
	lanes, err := broker.DueLanes(context.Background(), time.Hour)
	if err != nil || len(lanes) != 0 {
		t.Errorf("lanes %v, %v", lanes, err)
	}
	pgtest.Execute(t, store.URL(), `UPDATE fan_outs SET due_at = now()`)
	if found, err := broker.FanOut(context.Background()); !found || err != nil {
		t.Errorf("later: %v, %v", found, err)
	}
}

// A delivery whose message cannot be read ends, without those beside it.
func TestDeliveryOfTheUnreadable(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := topicBroker(t, store)
		newTopic(t, broker)
		sub := subscribeURL(t, broker, "http://localhost/")
		lost := publish(t, broker, "lost")[0]
		publish(t, broker, "kept")
		pgtest.Execute(t, store.URL(), `UPDATE published SET content = 'x' WHERE id = (SELECT min(id) FROM published)`)
		other := topicBroker(t, another(t, store))
		listed := core.ListDeliveriesInput{Topic: alerts, Subscription: sub.Name.Name, Limit: 10}
		if page, err := other.ListDeliveries(context.Background(), listed); err != nil || len(page.Deliveries) != 1 || string(page.Deliveries[0].Message.Body) != "kept" {
			t.Errorf("to be delivered: %+v, %v", page.Deliveries, err)
		}
		deliveries := claimAll(t, other)
		if len(deliveries) != 1 || string(deliveries[0].Message.Body) != "kept" {
			t.Errorf("claimed %+v", deliveries)
		}
		a := oneAttempt(t, other)
		if a.Message != lost.ID || a.Subscription != sub.Name || a.Verdict != core.GiveUp || a.Answer.Reason == "" {
			t.Errorf("the attempt is %+v", a)
		}
		page, err := other.ListDeliveries(context.Background(), listed)
		if err != nil || len(page.Deliveries) != 1 {
			t.Errorf("still to be delivered: %+v, %v", page.Deliveries, err)
		}
	})
}

// What a server has no format for is left to others, and tried again by a schedule.
func TestDeliveriesInAnUnknownFormat(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := topicBroker(t, store)
	newTopic(t, broker)
	subscribeQueue(t, broker, "in")
	foreign := core.NewBroker(pgtest.Open(t, store.URL()))
	t.Cleanup(foreign.Close)
	publish(t, foreign, "hello")
	deliveries := claimAll(t, foreign)
	if len(deliveries) != 1 {
		t.Fatalf("claimed %+v", deliveries)
	}
	for _, b := range []*core.Broker{foreign, broker} {
		outcome, err := b.Attempt(context.Background(), deliveries[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		if b == foreign && (outcome.Verdict != core.Retry || outcome.Next != 10*time.Second || !strings.Contains(outcome.Answer.Reason, "format")) {
			t.Errorf("without the format: %+v", outcome)
		}
		if b == broker {
			if err := b.Settle(context.Background(), []core.Outcome{outcome}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := receivedBodies(t, broker, "in"); len(got) != 1 || got[0] != "hello" {
		t.Errorf("received %q", got)
	}
}

// What a queue may not be sent is not put there.
func TestGuardedDeliveries(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := topicBroker(t, store)
		broker.GuardDeliveries(func(_ *core.Topic, _ *core.Subscription, queue *core.Queue) bool { return queue.Name.Name != "closed" })
		newTopic(t, broker)
		dead := pgtest.Queue(t, broker, "dead")
		subscribeQueue(t, broker, "open")
		subscribeQueue(t, broker, "closed", func(in *core.NewSubscription) { in.DeadLetter = dead })
		publish(t, broker, "hello")
		for _, d := range claimAll(t, broker) {
			outcome, err := broker.Attempt(context.Background(), d, nil)
			if err != nil || outcome.Verdict != core.GiveUp || !strings.Contains(outcome.Answer.Reason, "policy") {
				t.Errorf("outcome %+v, %v", outcome, err)
			}
			if err := broker.Settle(context.Background(), []core.Outcome{outcome}); err != nil {
				t.Fatal(err)
			}
		}
		for queue, want := range map[string]int{"open": 1, "closed": 0, "dead": 1} {
			if got := len(receivedBodies(t, broker, queue)); got != want {
				t.Errorf("queue %s has %d messages, want %d", queue, got, want)
			}
		}
	})
}

// A fault of the server that keeps a message from being rendered is no reason to give the delivery up.
func TestDeliveriesThatCannotBeRenderedNow(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	subscribeURL(t, broker, "http://localhost/")
	subscribeURL(t, broker, "http://localhost/impatient", func(in *core.NewSubscription) { in.Retries = core.RetryPolicy{} })
	in := core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte("hello"), Subject: "fault"}}}
	if _, err := broker.Publish(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	deliveries := claimAll(t, broker)
	if len(deliveries) != 2 {
		t.Fatalf("claimed %+v", deliveries)
	}
	for _, d := range deliveries {
		outcome, err := broker.Attempt(context.Background(), d, nil)
		if err != nil || outcome.Verdict != core.Retry || outcome.Next != 10*time.Second || outcome.Answer.Reason != "internal error" {
			t.Errorf("%s: outcome %+v, %v", d.Subscription.Endpoint, outcome, err)
		}
	}
}
