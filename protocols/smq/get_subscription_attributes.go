package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/mns"
)

type getSubscriptionAttributesRequest struct{ subscriptionRequest }

func (s *Server) getSubscriptionAttributes(ctx context.Context, c *call, req *getSubscriptionAttributesRequest) (*subscriptionData, error) {
	sub, err := s.describe(ctx, req.name(c))
	if err != nil {
		return nil, err
	}
	data := c.subscriptionData(sub)
	data.TenantRateLimitPolicy = rateData(sub.Attributes[mns.AttributeRate])
	return data, nil
}
