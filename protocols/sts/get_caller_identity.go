package sts

import "context"

type getCallerIdentityRequest struct{}

type getCallerIdentityResult struct {
	Arn     string
	UserId  string
	Account string
}

// getCallerIdentity tells callers who they are. Nobody needs a permission for it.
func (s *Server) getCallerIdentity(_ context.Context, c *call, _ *getCallerIdentityRequest) (*getCallerIdentityResult, error) {
	arn, userID := c.identity()
	return &getCallerIdentityResult{Arn: arn, UserId: userID, Account: c.Account}, nil
}
