package sns

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/polymq/polymq/core"
)

// A topic of large messages has few subscriptions, none of which is pushed to by HTTP, mail or SMS.
func TestTopicOfLargeMessages(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, entries("Attributes", "MaximumMessageSize", "262145")...)
	subscribe := func(protocol, endpoint string) reply {
		return f.call(t, "Subscribe", "TopicArn", ordersARN, "Protocol", protocol, "Endpoint", endpoint)
	}
	const queue = "arn:aws:sqs:us-east-1:000000000000:in"
	for i := range core.MaxLargeSubscriptions {
		subscribe("sqs", fmt.Sprint(queue, i)).document(t)
	}
	subscribe("sqs", queue+"7").document(t) // is there
	subscribe("sqs", queue).wantFault(t, subscriptionLimit, "Subscription limit exceeded")
	for protocol, endpoint := range map[string]string{"http": hook, "email": "me@example.com", "sms": "+12345678"} {
		subscribe(protocol, endpoint).wantFault(t, invalidParameter, "Invalid parameter: a topic of messages larger than 262144 bytes delivers to queues, firehose and lambda only")
	}
	size := func(bytes string) []string {
		return []string{"TopicArn", ordersARN, "AttributeName", "MaximumMessageSize", "AttributeValue", bytes}
	}
	const refused = "Invalid parameter: a topic of messages larger than 262144 bytes has at most 100 subscriptions, all of queues, firehose and lambda"
	f.ok(t, "SetTopicAttributes", size("262144")...)
	subscribe("sqs", queue).document(t)
	f.call(t, "SetTopicAttributes", size("262145")...).wantFault(t, invalidParameter, refused)
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN)

	f.orders(t)
	subscribe("lambda", "arn:aws:lambda:us-east-1:000000000000:function:f").document(t)
	f.ok(t, "SetTopicAttributes", size("1048576")...)
	f.ok(t, "SetTopicAttributes", size("1024")...)
	subscribe("http", hook).document(t)
	f.call(t, "SetTopicAttributes", size("262145")...).wantFault(t, invalidParameter, refused)
	f.ok(t, "SetTopicAttributes", size("262144")...)
}

// However many subscribe at the same time, and whatever becomes of the topic meanwhile, its large messages can be delivered.
func TestTopicBecomesLargeWhileSubscribed(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, entries("Attributes", "MaximumMessageSize", "262145")...)
	subscribe := func(protocol, endpoint string) bool {
		return f.call(t, "Subscribe", "TopicArn", ordersARN, "Protocol", protocol, "Endpoint", endpoint).status == http.StatusOK
	}
	const queue = "arn:aws:sqs:us-east-1:000000000000:in"
	for i := range core.MaxLargeSubscriptions - 2 {
		subscribe("sqs", fmt.Sprint(queue, i))
	}
	var all sync.WaitGroup
	var made atomic.Int32
	for i := range 6 {
		all.Go(func() {
			if subscribe("sqs", fmt.Sprint(queue, "late", i)) {
				made.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 2 {
		t.Errorf("%d more than 98 could subscribe at the same time, want 2", made.Load())
	}
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN)

	for i := range 8 {
		f.orders(t)
		var large, pushed bool
		all.Go(func() {
			large = f.call(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", "MaximumMessageSize", "AttributeValue", "262145").status == http.StatusOK
		})
		all.Go(func() { pushed = subscribe("sms", "+12345678") })
		all.Wait()
		if large == pushed {
			t.Errorf("round %d: large %v, and a phone subscribed %v, want one of them", i, large, pushed)
		}
		f.ok(t, "DeleteTopic", "TopicArn", ordersARN)
	}
}
