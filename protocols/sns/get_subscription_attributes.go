package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

// getSubscriptionAttributes shows all attributes of a subscription, also when its topic is gone.
func (s *Server) getSubscriptionAttributes(ctx context.Context, c *call, req *subscriptionRequest) (*attributesResult, error) {
	name, err := subscriptionName(req.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	sub, err := s.subscription(ctx, name)
	if err != nil {
		return nil, err
	}
	topic, err := s.broker.Topic(ctx, name.Topic)
	if core.CodeOf(err) == core.TopicNotFound {
		topic, err = &core.Topic{Name: name.Topic}, nil
	}
	if err != nil {
		return nil, err
	}
	return &attributesResult{shownSubscription(&sub, topic)}, nil
}

// subscription reads a subscription that has not been ended.
func (s *Server) subscription(ctx context.Context, name core.SubscriptionName) (core.Subscription, error) {
	sub, err := s.broker.Subscription(ctx, name)
	if err == nil && sub.State == core.Unsubscribed {
		err = notFound.errorf("%s", subscriptionNotFound)
	}
	return sub, err
}
