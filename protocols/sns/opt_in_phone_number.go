package sns

import "context"

// optInPhoneNumber lets a number have SMS again; one that always could is no error.
func (s *Server) optInPhoneNumber(ctx context.Context, c *call, req *optedOutRequest) (*emptyResult, error) {
	number, err := phoneNumber(req.PhoneNumber)
	if err != nil {
		return nil, err
	}
	return &emptyResult{}, s.broker.OptIn(ctx, c.phone(number))
}
