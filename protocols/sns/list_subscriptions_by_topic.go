package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listSubscriptionsByTopicRequest struct {
	TopicArn  *string
	NextToken string
}

// listSubscriptionsByTopic gives a page of the topic's subscriptions.
func (s *Server) listSubscriptionsByTopic(ctx context.Context, c *call, req *listSubscriptionsByTopicRequest) (*listSubscriptionsResult, error) {
	topic, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	return s.pageOfSubscriptions(ctx, core.ListSubscriptionsInput{Topic: topic}, req.NextToken)
}
