package smq

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
)

type listSubscriptionByTopicRequest struct {
	pageRequest
	TopicName        string `required:"true"`
	SubscriptionName string
	EndpointType     string
	EndpointValue    string
}

// listSubscriptionByTopic lists a topic's subscriptions whose name begins, and whose endpoint is, as asked for.
func (s *Server) listSubscriptionByTopic(ctx context.Context, c *call, req *listSubscriptionByTopicRequest) (*pageData[*subscriptionData], error) {
	subs, err := all(func(after string) (subs []core.Subscription, next string, err error) {
		found, err := s.broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{Topic: c.topicName(req.TopicName), Prefix: req.SubscriptionName, After: after, Limit: core.MaxListed})
		for _, sub := range found.Subscriptions {
			if req.wants(&sub) {
				subs = append(subs, sub)
			}
		}
		return subs, found.Next, err
	})
	if err != nil {
		return nil, err
	}
	return page(&req.pageRequest, subs, func(sub core.Subscription) *subscriptionData { return c.subscriptionData(&sub) }), nil
}

func (r *listSubscriptionByTopicRequest) wants(sub *core.Subscription) bool {
	return (r.EndpointType == "" || strings.HasPrefix(sub.Protocol, r.EndpointType)) && (r.EndpointValue == "" || sub.Endpoint == r.EndpointValue)
}
