package sns

import (
	"context"
	"slices"

	"github.com/polymq/polymq/core"
)

// maxLargeSubscriptions is how many subscriptions a topic may have whose messages may be larger than by default.
const maxLargeSubscriptions = 100

// takesLarge says that messages larger than by default can be delivered to a subscriber.
func takesLarge(sub *core.Subscription) bool {
	return sub.Queue != (core.QueueName{}) || slices.Contains([]string{"sqs", "firehose", "lambda"}, sub.Protocol)
}

// checkLargeSubscription checks that a topic of large messages can have another subscription (specs/sns.md 2.2).
func (s *Server) checkLargeSubscription(ctx context.Context, topic *core.Topic, sub *core.Subscription) error {
	if topic.MaxMessageSize <= defaultMessageSize {
		return nil
	}
	if !takesLarge(sub) {
		return invalid("Protocol Reason: a topic with a MaximumMessageSize above %d delivers to sqs, firehose and lambda only", defaultMessageSize)
	}
	subs, err := s.subscribersOf(ctx, topic.Name)
	if err != nil {
		return err
	}
	there := func(other core.Subscription) bool {
		return other.Protocol == sub.Protocol && other.Endpoint == sub.Endpoint
	}
	if len(subs) >= maxLargeSubscriptions && !slices.ContainsFunc(subs, there) {
		return subscriptionLimit.errorf("A topic with a MaximumMessageSize above %d has at most %d subscriptions", defaultMessageSize, maxLargeSubscriptions)
	}
	return nil
}

// checkLargeTopic checks that a topic's messages can become as large as the change lets them.
func (s *Server) checkLargeTopic(ctx context.Context, topic core.TopicName, change core.TopicChange) error {
	if change.MaxMessageSize == nil || *change.MaxMessageSize <= defaultMessageSize {
		return nil
	}
	subs, err := s.subscribersOf(ctx, topic)
	if err != nil {
		return err
	}
	if len(subs) > maxLargeSubscriptions || slices.ContainsFunc(subs, func(sub core.Subscription) bool { return !takesLarge(&sub) }) {
		return invalid("MaximumMessageSize: above %d a topic has at most %d subscriptions, of sqs, firehose and lambda only", defaultMessageSize, maxLargeSubscriptions)
	}
	return nil
}

// subscribersOf gives a topic's subscriptions, of more than a topic of large messages may have only one more.
func (s *Server) subscribersOf(ctx context.Context, topic core.TopicName) ([]core.Subscription, error) {
	page, err := s.broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{Topic: topic, Limit: maxLargeSubscriptions + 1})
	return page.Subscriptions, err
}
