package mns

import "context"

type getAccountRequest struct{}

// getAccount tells a client of Java's which account its access key belongs to.
func (s *Server) getAccount(ctx context.Context, c *call, _ *getAccountRequest) (*accountResponse, error) {
	attributes, err := s.broker.AccountAttributes(ctx, c.Account, c.Region)
	return &accountResponse{id: c.Account, attributes: attributes}, err
}
