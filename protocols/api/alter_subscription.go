package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type alterSubscriptionRequest struct {
	OfSubscription
	Body struct {
		Confirm bool `json:"confirm,omitempty" doc:"Confirm a subscription that is pending, as its endpoint would"`
		SubscriptionSettings
	}
}

func (s *Server) alterSubscription(ctx context.Context, req *alterSubscriptionRequest) (*ofOneSubscription, error) {
	if err := checkProtocolAttributes(req.Body.ProtocolAttributes); err != nil {
		return nil, failed(ctx, err)
	}
	name := req.name(ctx)
	current, err := s.broker.Subscription(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	change := req.Body.change(name.Topic, current.Filter)
	if req.Body.Confirm && current.State == core.Pending {
		confirmed := core.Confirmed
		change.State = &confirmed
	}
	if change.DeadLetter != nil {
		if err := s.mustExist(ctx, *change.DeadLetter); err != nil {
			return nil, failed(ctx, err)
		}
	}
	sub, err := s.broker.AlterSubscription(ctx, name, change)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneSubscription{encodeSubscription(sub)}, nil
}
