package api

import "context"

func (s *Server) deleteTopic(ctx context.Context, req *OfTopic) (*struct{}, error) {
	if err := s.broker.DeleteTopic(ctx, req.topic(ctx, req.Topic)); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}
