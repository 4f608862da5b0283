package mns

import "context"

type openServiceRequest struct{}

type openServiceResponse struct{ orderID string }

func (r *openServiceResponse) write(a *answer) {
	a.root("OpenService")
	a.text("OrderId", r.orderID)
	a.end("OpenService")
}

// openService orders the service, which costs nothing here and is always there: an account has one
// order, with its own number.
func (s *Server) openService(_ context.Context, c *call, _ *openServiceRequest) (*openServiceResponse, error) {
	return &openServiceResponse{orderID: c.Account}, nil
}
