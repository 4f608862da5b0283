package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type subscribeRequest struct {
	Endpoint            string `xml:"Endpoint"`
	FilterTag           string `xml:"FilterTag"`
	NotifyStrategy      string `xml:"NotifyStrategy"`
	NotifyContentFormat string `xml:"NotifyContentFormat"`
}

// subscribe makes a subscription. One that is there already is fine if it has the same attributes.
func (s *Server) subscribe(ctx context.Context, c *call, req *subscribeRequest) (*createdResponse, error) {
	attributes := SubscriptionAttributes{
		Endpoint: req.Endpoint, FilterTag: req.FilterTag, NotifyStrategy: req.NotifyStrategy, NotifyContentFormat: req.NotifyContentFormat,
	}
	in, err := attributes.New(c.subscription, c.BaseURL)
	if err != nil {
		return nil, err
	}
	existing, created, err := s.broker.Subscribe(ctx, in)
	if err != nil {
		return nil, err
	}
	if !created && !attributes.Same(&existing) {
		return nil, core.Errorf(core.SubscriptionExists, "subscription %q exists with other attributes", in.Name.Name)
	}
	return &createdResponse{url: c.subscriptionURL(in.Name.Name), created: created}, nil
}

// describeSubscription reads a subscription that is there for MNS.
func (s *Server) describeSubscription(ctx context.Context, c *call) (core.Subscription, error) {
	sub, err := s.broker.Subscription(ctx, c.subscription)
	if err != nil {
		return sub, err
	}
	return sub, Exists(&sub)
}
