package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type setSubscriptionAttributesRequest struct {
	SubscriptionArn *string
	AttributeName   *string
	AttributeValue  string
}

// setSubscriptionAttributes sets one attribute. Policy and scope of a filter belong together, so who sets the one must know the other.
func (s *Server) setSubscriptionAttributes(ctx context.Context, c *call, req *setSubscriptionAttributesRequest) (*noResult, error) {
	name, err := subscriptionName(req.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	if req.AttributeName == nil {
		return nil, required("attributeName")
	}
	sub, err := s.subscription(ctx, name)
	if err != nil {
		return nil, err
	}
	var wanted wishes
	if err := wanted.wish(*req.AttributeName, req.AttributeValue, sub.Protocol); err != nil {
		return nil, invalid("%s", err.Error())
	}
	_, err = s.broker.EditSubscription(ctx, name, func(sub core.Subscription) (core.SubscriptionChange, error) {
		change, err := wanted.change(&sub)
		if err != nil {
			return change, invalid("%s", err.Error())
		}
		return change, nil
	})
	return &noResult{}, err
}
