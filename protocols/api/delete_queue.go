package api

import "context"

func (s *Server) deleteQueue(ctx context.Context, req *OfQueue) (*struct{}, error) {
	if err := s.broker.DeleteQueue(ctx, req.queue(ctx, req.Name)); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}
