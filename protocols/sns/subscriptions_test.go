package sns

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

func TestSubscribeIsIdempotent(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in", "RawMessageDelivery", "TRUE", "FilterPolicy", `{"a":["x"]}`)
	if !strings.HasPrefix(sub, ordersARN+":") || len(sub) != len(ordersARN)+37 {
		t.Errorf("got %s, want the topic's ARN and a UUID", sub)
	}
	const endpoint = "arn:aws:sqs:us-east-1:000000000000:in"
	for name, attributes := range map[string][]string{
		"nothing given": nil, "another case": {"RawMessageDelivery", "True"}, "other blanks": {"FilterPolicy", `{ "a" : [ "x" ] }`},
	} {
		if got := f.subscribe(t, ordersARN, "sqs", endpoint, attributes...); got != sub {
			t.Errorf("%s: got %s, want %s", name, got, sub)
		}
	}
	// A queue that is not there can be subscribed, and deleting one leaves its subscription.
	f.subscribe(t, ordersARN, "sqs", "arn:aws:sqs:us-east-1:000000000000:nowhere")
	if got := all(f.ok(t, "ListSubscriptionsByTopic", "TopicArn", ordersARN).Children, "Endpoint"); !slices.Contains(got, endpoint) || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestSubscriptionAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in", "FilterPolicyScope", "MessageBody")
	attributes := func() map[string]string {
		return f.ok(t, "GetSubscriptionAttributes", "SubscriptionArn", sub).attributes()
	}
	set := func(name, value string) {
		t.Helper()
		f.ok(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", name, "AttributeValue", value)
	}
	got := attributes()
	want := map[string]string{
		"SubscriptionArn": sub, "TopicArn": ordersARN, "Owner": "000000000000", "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:in",
		"ConfirmationWasAuthenticated": "true", "PendingConfirmation": "false", "RawMessageDelivery": "false", "SubscriptionPrincipal": "arn:aws:iam::000000000000:root",
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v: the scope is hidden while there is no policy", got)
	}
	set("FilterPolicy", `{"a":{"b":["x"]}}`) // nested, which the scope allows
	if got := attributes(); got["FilterPolicyScope"] != "MessageBody" || got["FilterPolicy"] != `{"a":{"b":["x"]}}` {
		t.Errorf("got %v", got)
	}
	f.call(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", "FilterPolicyScope", "AttributeValue", "MessageAttributes").
		wantFault(t, invalidParameter, "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy")
	set("RawMessageDelivery", "True")
	set("RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`)
	for _, none := range []string{"", "{}"} {
		set("FilterPolicy", `{"a":["x"]}`)
		set("FilterPolicy", none)
		got = attributes()
		if _, shown := got["FilterPolicyScope"]; shown || got["FilterPolicy"] != "" || got["RawMessageDelivery"] != "true" || got["RedrivePolicy"] == "" {
			t.Errorf("after %q: got %v", none, got)
		}
	}
	set("RedrivePolicy", "")
	if got := attributes(); got["RedrivePolicy"] != "" {
		t.Errorf("got %v", got)
	}
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN) // which leaves the subscription to be read
	if got := attributes(); got["SubscriptionArn"] != sub {
		t.Errorf("got %v", got)
	}
}

// Policy and scope of a filter make one thing of two attributes: who sets the one does not undo what another sets of the other.
func TestAttributesSetAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in", "FilterPolicy", `{"a":["x"]}`)
	scopes := []string{"MessageBody", "MessageAttributes"}
	for i := range 10 {
		want := map[string]string{"FilterPolicy": fmt.Sprintf(`{"a":["%d"]}`, i), "FilterPolicyScope": scopes[i%2]}
		var both sync.WaitGroup
		for name, value := range want {
			both.Go(func() {
				if got := f.call(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", name, "AttributeValue", value); got.status != 200 {
					t.Errorf("%s: %s", name, got.body)
				}
			})
		}
		both.Wait()
		got := f.ok(t, "GetSubscriptionAttributes", "SubscriptionArn", sub).attributes()
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: got %s, want %s", name, got[name], value)
			}
		}
	}
}

func TestSubscribeDeliveryPolicy(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.subscribe(t, ordersARN, "http", "http://localhost:1/hook", "DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":7,"minDelayTarget":1,"maxDelayTarget":19},"throttlePolicy":{"maxReceivesPerSecond":5}}`)
	got := f.ok(t, "GetSubscriptionAttributes", "SubscriptionArn", sub).attributes()
	want := map[string]string{
		"DeliveryPolicy":          `{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":19,"numRetries":7,"numMaxDelayRetries":null,"numNoDelayRetries":null,"numMinDelayRetries":null,"backoffFunction":null},"sicklyRetryPolicy":null,"throttlePolicy":{"maxReceivesPerSecond":5},"requestPolicy":null,"guaranteed":false}`,
		"EffectiveDeliveryPolicy": `{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":19,"numRetries":7,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"sicklyRetryPolicy":null,"throttlePolicy":{"maxReceivesPerSecond":5},"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"},"guaranteed":false}`,
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got  %s\nwant %s", name, got[name], value)
		}
	}
	const of, retry = "Invalid parameter: DeliveryPolicy: ", "Invalid parameter: DeliveryPolicy: healthyRetryPolicy."
	for name, tt := range map[string]struct{ policy, message string }{
		"no JSON":                  {`{`, ""},
		"unknown member":           {`{"retries":1}`, of + "Unexpected JSON member: retries"},
		"more behind":              {`{} {}`, ""},
		"no minimum":               {`{"healthyRetryPolicy":{"maxDelayTarget":20,"numRetries":3}}`, retry + "minDelayTarget must be specified"},
		"no maximum":               {`{"healthyRetryPolicy":{"minDelayTarget":20,"numRetries":3}}`, retry + "maxDelayTarget must be specified"},
		"no number of retries":     {`{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20}}`, retry + "numRetries must be specified"},
		"nothing about retries":    {`{"healthyRetryPolicy":{}}`, retry + "minDelayTarget must be specified"},
		"too many retries":         {`{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":101}}`, retry + "numRetries must be less than or equal to 100"},
		"huge numbers":             {`{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numNoDelayRetries":9223372036854775807,"numMinDelayRetries":9223372036854775807,"numMaxDelayRetries":2}}`, retry + "numNoDelayRetries must be less than or equal to 100"},
		"more than there are":      {`{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numNoDelayRetries":2,"numMinDelayRetries":2}}`, ""},
		"minimum above maximum":    {`{"healthyRetryPolicy":{"minDelayTarget":21,"maxDelayTarget":20,"numRetries":3}}`, retry + "maxDelayTarget must be greater than or equal to minDelayTarget"},
		"no delay":                 {`{"healthyRetryPolicy":{"minDelayTarget":0,"maxDelayTarget":0,"numRetries":0}}`, retry + "minDelayTarget must be greater than or equal to 1"},
		"too long a delay":         {`{"healthyRetryPolicy":{"minDelayTarget":20,"numRetries":1,"maxDelayTarget":3601}}`, retry + "maxDelayTarget must be less than or equal to 3600"},
		"too long in all":          {`{"healthyRetryPolicy":{"numRetries":4,"minDelayTarget":901,"maxDelayTarget":901}}`, ""},
		"unknown function":         {`{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"backoffFunction":"cubic"}}`, ""},
		"no pushes":                {`{"throttlePolicy":{"maxReceivesPerSecond":0}}`, of + "throttlePolicy.maxReceivesPerSecond must be greater than or equal to 1"},
		"a type with a line break": {`{"requestPolicy":{"headerContentType":"a\nb"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f.call(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", "DeliveryPolicy", "AttributeValue", tt.policy).wantFault(t, invalidParameter, tt.message)
		})
	}
}

// Subscriptions that are not pushed by HTTP may have a delivery policy, too, which is kept and shown.
func TestDeliveryPolicyOfAQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in", "DeliveryPolicy", `{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":20,"numRetries":5},"throttlePolicy":{"maxReceivesPerSecond":1}}`)
	attributes := func() map[string]string {
		return f.ok(t, "GetSubscriptionAttributes", "SubscriptionArn", sub).attributes()
	}
	const want = `{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":20,"numRetries":5,"numMaxDelayRetries":null,"numNoDelayRetries":null,"numMinDelayRetries":null,"backoffFunction":null},"sicklyRetryPolicy":null,"throttlePolicy":{"maxReceivesPerSecond":1},"requestPolicy":null,"guaranteed":false}`
	if got := attributes()["DeliveryPolicy"]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := f.read(t, sub); got.Rate != 0 {
		t.Errorf("it slows a queue down to %d messages a second", got.Rate)
	}
	f.ok(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", "DeliveryPolicy", "AttributeValue", "")
	if got, shown := attributes()["DeliveryPolicy"]; shown {
		t.Errorf("shown when it was removed: %s", got)
	}
}

func TestConfirmSubscription(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const endpoint = "http://localhost:1/hook"
	if got := f.ok(t, "Subscribe", "TopicArn", ordersARN, "Protocol", "http", "Endpoint", endpoint).text(t, "SubscriptionArn"); got != "pending confirmation" {
		t.Errorf("got %s", got)
	}
	if got := f.ok(t, "ListSubscriptions").text(t, "SubscriptionArn"); got != "PendingConfirmation" {
		t.Errorf("got %s", got)
	}
	arn := f.subscribe(t, ordersARN, "http", endpoint) // again, for the ARN
	attributes := func() map[string]string {
		return f.ok(t, "GetSubscriptionAttributes", "SubscriptionArn", arn).attributes()
	}
	if got := attributes(); got["PendingConfirmation"] != "true" || got["ConfirmationWasAuthenticated"] != "false" {
		t.Errorf("got %v", got)
	}
	if got := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes(); got["SubscriptionsPending"] != "1" {
		t.Errorf("got %v", got)
	}
	sub := f.read(t, arn)
	elsewhere := strings.Replace(ordersARN, "us-east-1", "eu-west-1", 1)
	f.follow(t, "/?Action=ConfirmSubscription&TopicArn="+elsewhere+"&Token="+sub.Token).wantFault(t, invalidParameter, "Invalid parameter: Topic")
	for range 2 { // the second time changes nothing; the topic's name does not count
		if got := f.follow(t, "/?Action=ConfirmSubscription&TopicArn="+ordersARN+"x&Token="+sub.Token).document(t).text(t, "SubscriptionArn"); got != arn {
			t.Errorf("got %s, want %s", got, arn)
		}
	}
	if got := attributes(); got["PendingConfirmation"] != "false" || got["ConfirmationWasAuthenticated"] != "false" {
		t.Errorf("got %v", got)
	}
}

// read gives a subscription as the core has it.
func (f fixture) read(t testing.TB, arn string) core.Subscription {
	t.Helper()
	name, err := subscriptionName(&arn)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := f.broker.Subscription(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in")
	for range 2 { // the second time there is nothing to end
		f.ok(t, "Unsubscribe", "SubscriptionArn", sub)
	}
	f.call(t, "GetSubscriptionAttributes", "SubscriptionArn", sub).wantFault(t, notFound, "Subscription does not exist")
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
	if bodies := f.bodies(t, "in"); len(bodies) > 0 {
		t.Errorf("got %s", bodies)
	}
	if got := f.subscribe(t, ordersARN, "sqs", "arn:aws:sqs:us-east-1:000000000000:in"); got == sub {
		t.Error("a new subscription has the old one's name")
	}
}

// What is not confirmed cannot be ended.
func TestUnsubscribePending(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	for protocol, endpoint := range map[string]string{"http": "http://localhost:1/hook", "email": "me@example.com", "sqs": "arn:aws:sqs:us-east-1:111122223333:in"} {
		sub := f.subscribe(t, ordersARN, protocol, endpoint)
		f.call(t, "Unsubscribe", "SubscriptionArn", sub).wantFault(t, invalidParameter, "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
		if got := f.read(t, sub).State; got != core.Pending {
			t.Errorf("%s: the subscription is %s", protocol, got)
		}
		f.ok(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", f.read(t, sub).Token)
		f.ok(t, "Unsubscribe", "SubscriptionArn", sub)
	}
}

// A link ends a subscription, unless only its owner may; the endpoint can take it back.
func TestUnsubscribeByLink(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	open, guarded := f.subscribe(t, ordersARN, "http", "http://localhost:1/open"), f.subscribe(t, ordersARN, "http", "http://localhost:1/guarded")
	f.ok(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", f.read(t, open).Token)
	f.ok(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", f.read(t, guarded).Token, "AuthenticateOnUnsubscribe", "true")
	f.follow(t, "/?Action=Unsubscribe&SubscriptionArn="+guarded).wantFault(t, authorizationError, "")
	f.follow(t, "/?Action=Unsubscribe&SubscriptionArn="+open).document(t)
	gone := f.read(t, open)
	if gone.State != core.Unsubscribed || f.read(t, guarded).State != core.Confirmed {
		t.Errorf("got %s", gone.State)
	}
	f.follow(t, "/?Action=ConfirmSubscription&TopicArn="+ordersARN+"&Token="+gone.Token).document(t)
	if got := f.read(t, open).State; got != core.Confirmed {
		t.Errorf("got %s after it was taken back", got)
	}
	f.ok(t, "Unsubscribe", "SubscriptionArn", guarded)
}

// A queue of another account is asked first, by a message in it.
func TestSubscribeAnotherAccountsQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.subscribe(t, ordersARN, "sqs", "arn:aws:sqs:us-east-1:111122223333:in")
	if got := f.read(t, sub); got.State != core.Pending || got.Queue.Account != "111122223333" {
		t.Errorf("got %+v", got)
	}
	r := httptest.NewRequest(http.MethodGet, "/?Action=Subscribe&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:111122223333:other&TopicArn="+ordersARN, nil)
	r.Header.Set("Authorization", strings.Replace(authorization, "Credential=000000000000", "Credential=111122223333", 1))
	own := f.do(t, r).document(t).text(t, "SubscriptionArn")
	if got := f.read(t, own); got.State != core.Confirmed || got.Owner != "111122223333" {
		t.Errorf("of the queue's own account: got %+v", got)
	}
}

func TestSMSEndpoints(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.subscribe(t, ordersARN, "sms", "+12/34-567.890")
}

// Where requests must be signed, links in messages still need no signature.
func TestVerifiedSignatures(t *testing.T) {
	t.Parallel()
	open := start(t)
	open.orders(t)
	sub := open.subscribe(t, ordersARN, "http", "http://localhost:1/hook")
	verifying := fixture{open.broker, New(open.broker, &caller.Options{Verify: true, Keys: open.broker}, Options{})}
	verifying.follow(t, "/?Action=ListTopics").wantFault(t, wireError{http.StatusForbidden, "MissingAuthenticationToken"}, "")
	verifying.call(t, "ListTopics").wantFault(t, wireError{http.StatusBadRequest, "IncompleteSignature"}, "")
	verifying.follow(t, "/?Action=ConfirmSubscription&TopicArn="+ordersARN+"&Token="+open.read(t, sub).Token).document(t)
	verifying.follow(t, "/?Action=Unsubscribe&SubscriptionArn="+sub).document(t)
	if got := open.read(t, sub).State; got != core.Unsubscribed {
		t.Errorf("got %s", got)
	}
}
