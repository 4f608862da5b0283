package sns

import "context"

type sandboxNumberRequest struct {
	PhoneNumber *string
}

// deleteSMSSandboxPhoneNumber removes a number.
func (s *Server) deleteSMSSandboxPhoneNumber(ctx context.Context, c *call, req *sandboxNumberRequest) (*emptyResult, error) {
	number, err := sandboxNumberOf(req.PhoneNumber)
	if err != nil {
		return nil, err
	}
	ok, err := s.broker.DeleteRecord(ctx, c.sandboxNumber(number))
	if err == nil && !ok {
		err = resourceNotFound.errorf("The destination phone number can't be found")
	}
	return &emptyResult{}, err
}
