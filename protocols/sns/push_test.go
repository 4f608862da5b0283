package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// attempt attempts all deliveries that are due, with the answer given, and gives what was pushed.
func (f fixture) attempt(t testing.TB, answer core.PushAnswer) (pushed []core.Push) {
	t.Helper()
	ctx := context.Background()
	due, err := f.broker.DueLanes(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	var lanes []core.LaneClaim
	for _, lane := range due {
		lanes = append(lanes, core.LaneClaim{Lane: lane.Lane, Limit: core.MaxClaim})
	}
	deliveries, err := f.broker.ClaimDeliveries(ctx, lanes)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range deliveries {
		outcome, err := f.broker.Attempt(ctx, d, func(_ context.Context, p core.Push) core.PushAnswer {
			pushed = append(pushed, p)
			if p.Way != core.ByHTTP {
				return core.PushAnswer{Kept: true}
			}
			return answer
		})
		if err == nil {
			err = f.broker.Settle(ctx, []core.Outcome{outcome})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return pushed
}

const hook = "http://localhost:1/hook"

// hooked subscribes an endpoint and confirms it by the link that it is sent.
func (f fixture) hooked(t testing.TB, attributes ...string) string {
	t.Helper()
	sub := f.subscribe(t, ordersARN, "http", hook, attributes...)
	pushed := f.attempt(t, core.PushAnswer{Status: 200})
	if len(pushed) != 1 {
		t.Fatalf("got %d pushes, want the confirmation", len(pushed))
	}
	f.follow(t, fmt.Sprint(envelope(t, string(pushed[0].Body))["SubscribeURL"])).document(t)
	return sub
}

func TestPushConfirmation(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.subscribe(t, ordersARN, "http", hook, "RawMessageDelivery", "true")
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "too early")
	pushed := f.attempt(t, core.PushAnswer{Status: 200})
	if len(pushed) != 1 {
		t.Fatalf("got %d pushes, want the confirmation alone", len(pushed))
	}
	got := envelope(t, string(pushed[0].Body)) // never raw
	token := f.read(t, sub).Token
	for name, want := range map[string]string{
		"Type": "SubscriptionConfirmation", "TopicArn": ordersARN, "Token": token, "SignatureVersion": "1",
		"SubscribeURL": "http://localhost:4566/?Action=ConfirmSubscription&TopicArn=" + ordersARN + "&Token=" + token,
		"Message":      "You have chosen to subscribe to the topic " + ordersARN + ".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
	} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %s", name, got[name], want)
		}
	}
	f.verify(t, got)
	header := pushed[0].Header
	if header["x-amz-sns-message-type"][0] != "SubscriptionConfirmation" || header["x-amz-sns-subscription-arn"] != nil || header["x-amz-sns-rawdelivery"] != nil {
		t.Errorf("got %v", header)
	}
	f.subscribe(t, ordersARN, "http", hook) // asks again
	if pushed := f.attempt(t, core.PushAnswer{Status: 200}); len(pushed) != 1 || f.read(t, sub).Token != token {
		t.Errorf("got %d pushes", len(pushed))
	}
}

func TestPushHTTP(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.hooked(t)
	id := f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x").text(t, "MessageId")
	pushed := f.attempt(t, core.PushAnswer{Status: 200})
	if len(pushed) != 1 {
		t.Fatalf("got %d pushes", len(pushed))
	}
	want := map[string]string{
		"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": id, "x-amz-sns-topic-arn": ordersARN, "x-amz-sns-subscription-arn": sub,
		"Content-Type": "text/plain; charset=UTF-8", "User-Agent": "Amazon Simple Notification Service Agent", "Accept-Encoding": "gzip,deflate",
		"Connection": "Keep-Alive",
	}
	for name, value := range want {
		if got := pushed[0].Header[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: got %v, want %s", name, got, value)
		}
	}
	if len(pushed[0].Header) != len(want) || pushed[0].URL != hook || pushed[0].Method != "POST" {
		t.Errorf("got %+v", pushed[0])
	}
	f.verify(t, envelope(t, string(pushed[0].Body)))
}

func TestPushHTTPRaw(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.hooked(t, "RawMessageDelivery", "true", "DeliveryPolicy", `{"requestPolicy":{"headerContentType":"application/json"}}`)
	f.ok(t, "Publish", append(attribute(1, "a", "String", "v"), "TopicArn", ordersARN, "Message", `{"x":1}`)...)
	pushed := f.attempt(t, core.PushAnswer{Status: 200})
	if len(pushed) != 1 || string(pushed[0].Body) != `{"x":1}` || pushed[0].Header["x-amz-sns-rawdelivery"][0] != "true" || pushed[0].Header["Content-Type"][0] != "application/json" {
		t.Errorf("got %+v", pushed)
	}
}

// An endpoint is told that a link ended its subscription.
func TestPushUnsubscribeConfirmation(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.hooked(t)
	f.follow(t, "/?Action=Unsubscribe&SubscriptionArn="+sub).document(t)
	pushed := f.attempt(t, core.PushAnswer{Status: 200})
	if len(pushed) != 1 {
		t.Fatalf("got %d pushes", len(pushed))
	}
	got := envelope(t, string(pushed[0].Body))
	want := "You have chosen to deactivate subscription " + sub + ".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
	if got["Type"] != "UnsubscribeConfirmation" || got["Message"] != want {
		t.Errorf("got %v", got)
	}
	f.verify(t, got)
	f.follow(t, fmt.Sprint(got["SubscribeURL"])).document(t)
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
	if pushed := f.attempt(t, core.PushAnswer{Status: 200}); len(pushed) != 1 {
		t.Errorf("got %d pushes after it was taken back", len(pushed))
	}
}

// The four phases of a delivery policy, and then the dead-letter queue.
func TestPushRetries(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "dead", "FilterPolicy", `{"never":["x"]}`)
	f.hooked(t, "RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`,
		"DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":7,"numNoDelayRetries":1,"numMinDelayRetries":1,"numMaxDelayRetries":2,"minDelayTarget":10,"maxDelayTarget":40,"backoffFunction":"geometric"}}`)
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
	for i, wait := range []time.Duration{0, 0, 10 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 40 * time.Second, 40 * time.Second} {
		if wait > 0 {
			pgtest.Advance(t, f.broker, wait/2)
			if pushed := f.attempt(t, core.PushAnswer{Status: 500}); len(pushed) > 0 {
				t.Fatalf("retry %d comes earlier than after %v", i, wait)
			}
			pgtest.Advance(t, f.broker, wait/2)
		}
		if pushed := f.attempt(t, core.PushAnswer{Status: 503}); len(pushed) != 1 {
			t.Fatalf("retry %d: got %d pushes after %v", i, len(pushed), wait)
		}
	}
	got := f.one(t, "dead")
	f.verify(t, envelope(t, got))
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]core.Verdict{
		200: core.Delivered, 204: core.Delivered, 299: core.Delivered, 0: core.Retry, 429: core.Retry, 500: core.Retry, 503: core.Retry,
		301: core.GiveUp, 400: core.GiveUp, 403: core.GiveUp, 404: core.GiveUp,
	} {
		if got := new(Server).Judge(&core.Subscription{}, core.PushAnswer{Status: status}); got != want {
			t.Errorf("%d: got %v, want %v", status, got, want)
		}
	}
}

func TestRetrySchedules(t *testing.T) {
	t.Parallel()
	for protocol, want := range map[string]struct {
		retries int
		total   time.Duration
	}{
		"http": {3, time.Minute}, "lambda": {100_015, 0}, "email": {50, 0}, "sms": {50, 0},
	} {
		schedule := new(Server).Retries(&core.Topic{}, &core.Subscription{Protocol: protocol})
		retries, total := 0, time.Duration(0)
		for delay, more := schedule.Delay(1); more; delay, more = schedule.Delay(retries + 1) {
			retries, total = retries+1, total+delay
		}
		if retries != want.retries || want.total > 0 && total != want.total {
			t.Errorf("%s: got %d retries in %v, want %d", protocol, retries, total, want.retries)
		}
	}
}

func TestPushOthers(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "CreatePlatformApplication", "Name", "app", "Platform", "GCM", "Attributes.entry.1.key", "PlatformCredential", "Attributes.entry.1.value", "c")
	device := f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", "arn:aws:sns:us-east-1:000000000000:app/GCM/app", "Token", "t").text(t, "EndpointArn")
	function, stream := "arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:firehose:us-east-1:000000000000:deliverystream/s"
	sub := f.subscribe(t, ordersARN, "lambda", function)
	f.subscribe(t, ordersARN, "firehose", stream, "SubscriptionRoleArn", "arn:aws:iam::000000000000:role/r", "RawMessageDelivery", "true")
	f.subscribe(t, ordersARN, "sms", "+1234567")
	f.subscribe(t, ordersARN, "application", device)
	f.confirmed(t, "email", "me@example.com")
	f.confirmed(t, "email-json", "it@example.com")
	f.ok(t, "Publish", append(attribute(1, "a", "String", "v"), "TopicArn", ordersARN, "MessageStructure", "json", "Subject", "About",
		"Message", `{"default":"d","sms":"short","GCM":"{\"data\":1}","email":"Dear reader"}`)...)
	got := map[string]core.Push{}
	for _, p := range f.attempt(t, core.PushAnswer{}) {
		got[p.To] = p
	}
	for to, want := range map[string]string{stream: "d", "+1234567": "short", device: `{"data":1}`} {
		if p := got[to]; p.Way != core.Kept || string(p.Body) != want {
			t.Errorf("%s: got %s %s, want %s", to, p.Way, p.Body, want)
		}
	}
	if p := got["me@example.com"]; p.Way != core.ByMail || p.Subject != "About" || !strings.HasPrefix(string(p.Body), "Dear reader\n") || !strings.Contains(string(p.Body), "Action=Unsubscribe") {
		t.Errorf("got %+v", p)
	}
	f.verify(t, envelope(t, string(got["it@example.com"].Body)))
	f.wantEvent(t, got[function], function, sub)
}

// wantEvent checks what a function is invoked with.
func (f fixture) wantEvent(t *testing.T, p core.Push, function, sub string) {
	t.Helper()
	var event struct {
		Records []struct {
			EventSource, EventVersion, EventSubscriptionArn string
			Sns                                             map[string]any
		}
	}
	if err := json.Unmarshal(p.Body, &event); err != nil || len(event.Records) != 1 {
		t.Fatalf("got %v and %s", err, p.Body)
	}
	r := event.Records[0]
	want := []string{"Message", "MessageAttributes", "MessageId", "Signature", "SignatureVersion", "SigningCertUrl", "Subject", "Timestamp", "TopicArn", "Type", "UnsubscribeUrl"}
	if p.Way != core.ByLambda || p.Function != function || r.EventSource != "aws:sns" || r.EventVersion != "1.0" || r.EventSubscriptionArn != sub ||
		!slices.Equal(slices.Sorted(maps.Keys(r.Sns)), want) || fmt.Sprint(r.Sns["MessageAttributes"]) != "map[a:map[Type:String Value:v]]" {
		t.Errorf("got %+v", r)
	}
	r.Sns["SigningCertURL"] = r.Sns["SigningCertUrl"]
	f.verify(t, r.Sns)
}

// confirmed subscribes a person, who follows the link in the letter.
func (f fixture) confirmed(t testing.TB, protocol, to string) {
	t.Helper()
	sub := f.subscribe(t, ordersARN, protocol, to)
	pushed := f.attempt(t, core.PushAnswer{})
	token := f.read(t, sub).Token
	if len(pushed) != 1 || pushed[0].Way != core.ByMail || pushed[0].To != to || !strings.Contains(string(pushed[0].Body), token) {
		t.Fatalf("got %+v", pushed)
	}
	f.follow(t, "/?Action=ConfirmSubscription&TopicArn="+ordersARN+"&Token="+token).document(t)
}

// A topic's throttle counts for subscriptions without one, and for all where they may not have their own.
func TestThrottles(t *testing.T) {
	t.Parallel()
	const own = `{"throttlePolicy":{"maxReceivesPerSecond":5}}`
	tests := map[string]struct {
		topic, subscription string
		want                int
	}{
		"nobody's":           {"", "", 0},
		"the subscription's": {"", own, 5},
		"the topic's":        {`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":3}}}`, "", 3},
		"both":               {`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":3}}}`, own, 5},
		"no overrides":       {`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":3},"disableSubscriptionOverrides":true}}`, own, 3},
		"no overrides, none": {`{"http":{"disableSubscriptionOverrides":true}}`, own, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			var attributes, ofTopic []string
			if tt.subscription != "" {
				attributes = []string{"DeliveryPolicy", tt.subscription}
			}
			if tt.topic != "" {
				ofTopic = entries("Attributes", "DeliveryPolicy", tt.topic)
			}
			f.orders(t, ofTopic...)
			f.hooked(t, attributes...)
			f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "hello")
			due, err := f.broker.DueLanes(t.Context(), 0)
			if err != nil || len(due) != 1 {
				t.Fatalf("lanes %v, %v", due, err)
			}
			deliveries, err := f.broker.ClaimDeliveries(t.Context(), []core.LaneClaim{{Lane: due[0].Lane, Limit: 1}})
			if err != nil || len(deliveries) != 1 || deliveries[0].Rate != tt.want {
				t.Errorf("deliveries %+v, %v, want a rate of %d", deliveries, err, tt.want)
			}
		})
	}
}
