package sts

import (
	"context"
	"strings"
)

type getCallerIdentityRequest struct{}

type getCallerIdentityResult struct {
	Arn     string
	UserId  string
	Account string
}

// getCallerIdentity tells callers who they are. Nobody needs a permission for it.
func (s *Server) getCallerIdentity(ctx context.Context, c *call, _ *getCallerIdentityRequest) (*getCallerIdentityResult, error) {
	arn, userID := c.identity()
	if c.Key != nil && c.Key.User != "" && c.Key.Session.Name == "" { // a user who is kept has a path and an id
		grants, err := s.broker.Grants(ctx, c.Key)
		if err != nil {
			return nil, err
		}
		if grants.UserID != c.Account {
			arn, userID = c.iamARN(strings.SplitN(grants.Principal, ":", 6)[5]), grants.UserID
		}
	}
	return &getCallerIdentityResult{Arn: arn, UserId: userID, Account: c.Account}, nil
}
