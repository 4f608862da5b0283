package core

import (
	"context"
	"slices"
)

// A topic of large messages, one whose messages may be larger than LargeMessage, delivers to few subscribers, which take as much
// (specs/sns.md 2.2).
const (
	LargeMessage          = 256 << 10 // bytes
	MaxLargeSubscriptions = 100
)

func (s TopicSettings) large() bool { return s.MaxMessageSize > LargeMessage }

// takesLarge says that messages larger than LargeMessage can be delivered to a subscriber of the protocol, or that it is a queue.
func takesLarge(protocol string, queue QueueName) bool {
	return queue != (QueueName{}) || slices.Contains([]string{"sqs", "firehose", "lambda"}, protocol)
}

// CheckAnother says whether a topic can have a subscription beside the others that it has. A Store asks when nothing of the
// topic can change until the subscription is made. SubscriptionLimit, InvalidArgument.
func (t *Topic) CheckAnother(in *NewSubscription, others int) error {
	limit := MaxSubscriptions
	switch {
	case t.large():
		limit = MaxLargeSubscriptions
	case t.FIFO:
		limit = MaxFIFOSubscriptions
	}
	switch {
	case t.FIFO && in.Queue == (QueueName{}):
		return Errorf(InvalidArgument, "a FIFO topic delivers to queues only")
	case t.large() && !takesLarge(in.Protocol, in.Queue):
		return Errorf(InvalidArgument, "a topic of messages larger than %d bytes delivers to queues, firehose and lambda only", LargeMessage)
	case others >= limit:
		return Errorf(SubscriptionLimit, "topic %q has %d subscriptions and may have no more", t.Name.Name, others)
	}
	return nil
}

// checkBecomesLarge says whether a topic may become one of large messages with the subscriptions that it has. Where these change after it
// was read, the store refuses to change the topic.
func (b *Broker) checkBecomesLarge(ctx context.Context, topic *Topic) error {
	if topic.large() {
		return nil
	}
	page, err := b.store.ListSubscriptions(ctx, ListSubscriptionsInput{Topic: topic.Name, Limit: MaxLargeSubscriptions})
	if err != nil {
		return err
	}
	if page.Next != "" || slices.ContainsFunc(page.Subscriptions, func(s Subscription) bool { return !takesLarge(s.Protocol, s.Queue) }) {
		return Errorf(InvalidArgument, "a topic of messages larger than %d bytes has at most %d subscriptions, all of queues, firehose and lambda", LargeMessage, MaxLargeSubscriptions)
	}
	return nil
}
