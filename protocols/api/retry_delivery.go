package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

// retryDelivery has a message pushed now, whatever its schedule says.
func (s *Server) retryDelivery(ctx context.Context, req *OfDelivery) (*struct{}, error) {
	return nil, req.do(ctx, s.broker.RetryDelivery)
}

// deadLetterDelivery gives a message up: it goes to the subscription's dead-letter queue.
func (s *Server) deadLetterDelivery(ctx context.Context, req *OfDelivery) (*struct{}, error) {
	return nil, req.do(ctx, s.broker.DeadLetterDelivery)
}

// do does something with the delivery.
func (req *OfDelivery) do(ctx context.Context, with func(context.Context, core.SubscriptionName, core.MessageID) error) error {
	id, err := core.ParseMessageID(req.Message)
	if err == nil {
		err = with(ctx, req.name(ctx), id)
	}
	if err != nil {
		return failed(ctx, err)
	}
	return nil
}
