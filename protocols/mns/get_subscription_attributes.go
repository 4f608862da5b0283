package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type getSubscriptionAttributesRequest struct{}

type getSubscriptionAttributesResponse struct{ subscription core.Subscription }

func (r *getSubscriptionAttributesResponse) write(a *answer) {
	a.root("Subscription")
	a.writeSubscription(&r.subscription)
	a.end("Subscription")
}

func (s *Server) getSubscriptionAttributes(ctx context.Context, c *call, _ *getSubscriptionAttributesRequest) (*getSubscriptionAttributesResponse, error) {
	sub, err := s.describeSubscription(ctx, c)
	return &getSubscriptionAttributesResponse{sub}, err
}
