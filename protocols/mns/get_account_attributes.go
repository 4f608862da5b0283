package mns

import "context"

type getAccountAttributesRequest struct{}

type accountResponse struct{ id string }

func (r *accountResponse) write(a *answer) {
	a.root("Account")
	if r.id != "" {
		a.text("AccountId", r.id)
	}
	a.text("LoggingBucket", "") // as of an account that has set none: setting one is not implemented
	a.end("Account")
}

func (s *Server) getAccountAttributes(context.Context, *call, *getAccountAttributesRequest) (*accountResponse, error) {
	return new(accountResponse), nil
}
