package smq

import (
	"context"

	"github.com/polymq/polymq/core"
)

type unsubscribeRequest struct{ subscriptionRequest }

// unsubscribe ends a subscription; that it has ended already is no error.
func (s *Server) unsubscribe(ctx context.Context, c *call, req *unsubscribeRequest) (*result, error) {
	_, err := s.broker.Unsubscribe(ctx, req.name(c))
	if core.CodeOf(err) == core.SubscriptionNotFound {
		err = nil
	}
	return succeeded, err
}
