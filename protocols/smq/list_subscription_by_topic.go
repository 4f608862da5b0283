package smq

import (
	"context"

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
