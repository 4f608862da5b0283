package sns

import (
	"fmt"
	"testing"
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
	for i := range maxLargeSubscriptions {
		subscribe("sqs", fmt.Sprint(queue, i)).document(t)
	}
	subscribe("sqs", queue+"7").document(t) // is there
	subscribe("sqs", queue).wantFault(t, subscriptionLimit, "A topic with a MaximumMessageSize above 262144 has at most 100 subscriptions")
	for protocol, endpoint := range map[string]string{"http": hook, "email": "me@example.com", "sms": "+12345678"} {
		subscribe(protocol, endpoint).wantFault(t, invalidParameter, "Invalid parameter: Protocol Reason: a topic with a MaximumMessageSize above 262144 delivers to sqs, firehose and lambda only")
	}
	size := func(bytes string) []string {
		return []string{"TopicArn", ordersARN, "AttributeName", "MaximumMessageSize", "AttributeValue", bytes}
	}
	const refused = "Invalid parameter: MaximumMessageSize: above 262144 a topic has at most 100 subscriptions, of sqs, firehose and lambda only"
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
