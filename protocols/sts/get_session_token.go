package sts

import (
	"context"
	"net/http"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
)

type getSessionTokenRequest struct {
	DurationSeconds *int
}

type getSessionTokenResult struct {
	Credentials credentials
}

// getSessionToken gives a temporary key of the caller's own.
func (s *Server) getSessionToken(ctx context.Context, c *call, req *getSessionTokenRequest) (*getSessionTokenResult, error) {
	life, err := c.sessionLife(req.DurationSeconds)
	if err != nil {
		return nil, err
	}
	made, err := s.newSession(ctx, core.NewKey{Account: c.Account, User: c.user(), Lasts: life})
	if err != nil {
		return nil, err
	}
	return &getSessionTokenResult{made}, nil
}

// sessionLife gives how long a session of the caller's is to last; that of the account itself is
// shorter than a user's. Sessions make no sessions.
func (c *call) sessionLife(seconds *int) (time.Duration, error) {
	if c.Key != nil && c.Key.Temporary() {
		return 0, awsquery.Faultf(http.StatusForbidden, "AccessDenied", "Cannot call %s with session credentials", c.Action)
	}
	life, err := duration(seconds, defaultSession, longestSession)
	if c.user() == "" {
		life = min(life, rootsSession)
	}
	return life, err
}

// user gives the name of the user who calls, "" for the account itself.
func (c *call) user() string {
	if c.Key == nil {
		return ""
	}
	return c.Key.User
}
