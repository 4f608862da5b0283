package smq

import (
	"context"
	"slices"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
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
	if !slices.Contains([]string{"", "http", "queue"}, req.EndpointType) {
		return s.listPushType(ctx, c, req)
	}
	found, err := s.broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{
		Topic: c.topicName(req.TopicName), Prefix: req.SubscriptionName, Limit: req.size(),
		Protocol: req.EndpointType, Endpoint: req.EndpointValue, Skip: req.skip(), Total: true,
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*subscriptionData, len(found.Subscriptions))
	for i := range found.Subscriptions {
		rows[i] = c.subscriptionData(&found.Subscriptions[i])
	}
	return newPage(&req.pageRequest, found.Total, rows), nil
}

// listPushType lists those of a push type that does not show in how the core calls the endpoint. Of these there are few.
func (s *Server) listPushType(ctx context.Context, c *call, req *listSubscriptionByTopicRequest) (*pageData[*subscriptionData], error) {
	var all []core.Subscription
	for in := (core.ListSubscriptionsInput{Topic: c.topicName(req.TopicName), Prefix: req.SubscriptionName, Endpoint: req.EndpointValue, Limit: core.MaxListed}); ; {
		found, err := s.broker.ListSubscriptions(ctx, in)
		if err != nil {
			return nil, err
		}
		for i := range found.Subscriptions {
			if mns.PushTypeOf(&found.Subscriptions[i]) == req.EndpointType {
				all = append(all, found.Subscriptions[i])
			}
		}
		if in.After = found.Next; in.After == "" {
			return page(&req.pageRequest, all, func(sub core.Subscription) *subscriptionData { return c.subscriptionData(&sub) }), nil
		}
	}
}
