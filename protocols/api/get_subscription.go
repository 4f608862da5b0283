package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

func (s *Server) getSubscription(ctx context.Context, req *OfSubscription) (*ofOneSubscription, error) {
	sub, err := s.broker.Subscription(ctx, req.name(ctx))
	if err == nil && (sub.State == core.Unsubscribed || sub.State == core.Orphaned) {
		err = core.Errorf(core.SubscriptionNotFound, "subscription %q is gone", req.Subscription)
	}
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneSubscription{s.subscriptionBody(sub).shownTo(ctx)}, nil
}
