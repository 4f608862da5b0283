package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type unsubscribeRequest struct{}

// unsubscribe ends a subscription; that it has ended already is no error.
func (s *Server) unsubscribe(ctx context.Context, c *call, _ *unsubscribeRequest) (done, error) {
	_, err := s.broker.Unsubscribe(ctx, c.subscription)
	if core.CodeOf(err) == core.SubscriptionNotFound {
		err = nil
	}
	return done{}, err
}
