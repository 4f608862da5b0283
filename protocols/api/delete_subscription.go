package api

import "context"

func (s *Server) deleteSubscription(ctx context.Context, req *OfSubscription) (*struct{}, error) {
	if _, err := s.broker.Unsubscribe(ctx, req.name(ctx)); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}
