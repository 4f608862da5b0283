package sns

import "context"

type setSubscriptionAttributesRequest struct {
	SubscriptionArn *string
	AttributeName   *string
	AttributeValue  string
}

// setSubscriptionAttributes sets one attribute.
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
	change, err := wanted.change(&sub)
	if err != nil {
		return nil, invalid("%s", err.Error())
	}
	_, err = s.broker.AlterSubscription(ctx, name, change)
	return &noResult{}, err
}
