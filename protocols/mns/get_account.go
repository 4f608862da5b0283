package mns

import "context"

type getAccountRequest struct{}

// getAccount tells a client of Java's which account its access key belongs to.
func (s *Server) getAccount(_ context.Context, c *call, _ *getAccountRequest) (*accountResponse, error) {
	return &accountResponse{id: c.Account}, nil
}
