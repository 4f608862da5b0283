package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type setSubscriptionAttributesRequest struct {
	Endpoint            *string `xml:"Endpoint"`
	FilterTag           *string `xml:"FilterTag"`
	NotifyStrategy      *string `xml:"NotifyStrategy"`
	NotifyContentFormat *string `xml:"NotifyContentFormat"`
}

// setSubscriptionAttributes changes the strategy and, as Java's client can, the tag. What else a
// subscription has cannot be changed.
func (s *Server) setSubscriptionAttributes(ctx context.Context, c *call, req *setSubscriptionAttributesRequest) (done, error) {
	sub, err := s.describeSubscription(ctx, c)
	if err != nil {
		return done{}, err
	}
	is := AttributesOf(&sub)
	if req.Endpoint != nil && *req.Endpoint != is.Endpoint || req.NotifyContentFormat != nil && *req.NotifyContentFormat != is.NotifyContentFormat {
		return done{}, core.Errorf(core.InvalidArgument, "Endpoint and NotifyContentFormat of a subscription cannot be changed")
	}
	if sub.Format != Format && req.FilterTag != nil {
		if *req.FilterTag != is.FilterTag {
			return done{}, core.Errorf(core.InvalidArgument, "the subscription was made through another protocol, whose filter is no tag")
		}
		req.FilterTag = nil
	}
	change, err := ChangeSubscription(req.NotifyStrategy, req.FilterTag)
	if err != nil {
		return done{}, err
	}
	_, err = s.broker.AlterSubscription(ctx, c.subscription, change)
	return done{}, err
}

// ChangeSubscription says in core's terms what is to be changed of a subscription; nil stays as it is.
func ChangeSubscription(strategy, tag *string) (core.SubscriptionChange, error) {
	var change core.SubscriptionChange
	if strategy != nil {
		if err := checkStrategy(*strategy); err != nil {
			return change, err
		}
		retries := strategies[*strategy]
		change.Retries = &retries
		change.Attributes = map[string]*string{attributeStrategy: strategy}
	}
	if tag != nil {
		if err := checkTag(*tag); err != nil {
			return change, err
		}
		change.Filter = &core.Filter{Text: *tag}
	}
	return change, nil
}
