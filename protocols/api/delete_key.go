package api

import "context"

func (s *Server) deleteKey(ctx context.Context, req *OfKey) (*struct{}, error) {
	if err := s.ownKey(ctx, req.ID); err != nil {
		return nil, err
	}
	if err := s.broker.DeleteKey(ctx, req.ID); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}
