package mns

import "context"

type getAccountAttributesRequest struct{}

type accountResponse struct {
	id         string
	attributes map[string]string
}

func (r *accountResponse) write(a *answer) {
	a.root("Account")
	if r.id != "" {
		a.text("AccountId", r.id)
	}
	a.text("LoggingBucket", r.attributes[loggingBucket])
	if trace, ok := r.attributes[traceEnabled]; ok {
		a.text("TraceEnabled", trace)
	}
	a.end("Account")
}

func (s *Server) getAccountAttributes(ctx context.Context, c *call, _ *getAccountAttributesRequest) (*accountResponse, error) {
	attributes, err := s.broker.AccountAttributes(ctx, c.Account, c.Region)
	return &accountResponse{attributes: attributes}, err
}
