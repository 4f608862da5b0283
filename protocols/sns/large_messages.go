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

// fits gives what checks that a topic can have a subscription beside its others: one of large messages may not (specs/sns.md 2.2).
func fits(sub *core.Subscription) func(topic *core.Topic, others int) error {
	return func(topic *core.Topic, others int) error {
		switch {
		case topic.MaxMessageSize <= defaultMessageSize:
			return nil
		case !takesLarge(sub):
			return invalid("Protocol Reason: a topic with a MaximumMessageSize above %d delivers to sqs, firehose and lambda only", defaultMessageSize)
		case others >= maxLargeSubscriptions:
			return subscriptionLimit.errorf("A topic with a MaximumMessageSize above %d has at most %d subscriptions", defaultMessageSize, maxLargeSubscriptions)
		}
		return nil
	}
}

// makeLarge makes a topic's change that lets its messages become large, unless its subscriptions, as they are then, cannot take them.
func (s *Server) makeLarge(ctx context.Context, name core.TopicName, change core.TopicChange) error {
	_, err := s.broker.EditTopic(ctx, name, func(core.Topic) (core.TopicChange, error) {
		page, err := s.broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{Topic: name, Limit: maxLargeSubscriptions})
		if err != nil {
			return change, err
		}
		if page.Next != "" || slices.ContainsFunc(page.Subscriptions, func(sub core.Subscription) bool { return !takesLarge(&sub) }) {
			return change, invalid("MaximumMessageSize: above %d a topic has at most %d subscriptions, of sqs, firehose and lambda only", defaultMessageSize, maxLargeSubscriptions)
		}
		return change, nil
	})
	return err
}
