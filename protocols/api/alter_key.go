package api

import "context"

type alterKeyRequest struct {
	OfKey
	Body struct {
		Disabled bool `json:"disabled" doc:"Requests signed with the key are refused as if there were none"`
	}
}

func (s *Server) alterKey(ctx context.Context, req *alterKeyRequest) (*ofOneKey, error) {
	if err := s.ownKey(ctx, req.ID); err != nil {
		return nil, err
	}
	key, err := s.broker.DisableKey(ctx, req.ID, req.Body.Disabled)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneKey{encodeKey(key)}, nil
}
