package api

import (
	"cmp"
	"context"

	"github.com/polymq/polymq/core"
)

type resetAccountRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Account to empty; else that of the credentials, else 000000000000"`
}

// resetAccount lets a test begin with nothing. It is refused unless the server runs in test mode.
func (s *Server) resetAccount(ctx context.Context, req *resetAccountRequest) (*struct{}, error) {
	if err := s.inTestMode("an account is not emptied"); err != nil {
		return nil, failed(ctx, err)
	}
	if err := s.broker.ResetAccount(ctx, cmp.Or(req.Account, exchangeOf(ctx).caller.Account)); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

// inTestMode refuses what only tests should do.
func (s *Server) inTestMode(what string) error {
	if s.options.TestMode {
		return nil
	}
	return core.Errorf(core.AccessDenied, "%s unless the server was started with --test-mode", what)
}
