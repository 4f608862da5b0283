package smq

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
)

type setSubscriptionAttributesRequest struct {
	subscriptionRequest
	NotifyStrategy        *string
	DlqPolicy             *dlqPolicy
	StsRoleArn            *string
	TenantRateLimitPolicy *rateLimit
}

// setSubscriptionAttributes changes those attributes that are given.
func (s *Server) setSubscriptionAttributes(ctx context.Context, c *call, req *setSubscriptionAttributesRequest) (*result, error) {
	change, err := mns.ChangeSubscription(req.NotifyStrategy, nil)
	if err != nil {
		return nil, err
	}
	if change.Attributes == nil {
		change.Attributes = map[string]*string{}
	}
	if err := keep(change.Attributes, keptStsRoleArn, req.StsRoleArn); err != nil {
		return nil, err
	}
	if req.DlqPolicy.given() {
		target, err := s.target(ctx, c, req.DlqPolicy)
		if err != nil {
			return nil, err
		}
		change.DeadLetter = &target
		if err := keepPolicy(change.Attributes, req.DlqPolicy); err != nil {
			return nil, err
		}
	}
	limit, err := req.TenantRateLimitPolicy.kept()
	if err != nil {
		return nil, err
	}
	if limit != nil {
		rate := req.TenantRateLimitPolicy.rate()
		change.Rate, change.Attributes[mns.AttributeRate] = &rate, limit
	}
	if _, err := s.describe(ctx, req.name(c)); err != nil {
		return nil, err
	}
	_, err = s.broker.AlterSubscription(ctx, req.name(c), change)
	return succeeded, err
}

// describe reads a subscription that has not ended.
func (s *Server) describe(ctx context.Context, name core.SubscriptionName) (*core.Subscription, error) {
	sub, err := s.broker.Subscription(ctx, name)
	if err != nil {
		return nil, err
	}
	return &sub, mns.Exists(&sub)
}
