package sns

import "context"

type verifySandboxNumberRequest struct {
	PhoneNumber     *string
	OneTimePassword *string
}

// verifySMSSandboxPhoneNumber verifies a number by the one-time password that it was sent.
func (s *Server) verifySMSSandboxPhoneNumber(ctx context.Context, c *call, req *verifySandboxNumberRequest) (*emptyResult, error) {
	number, err := sandboxNumberOf(req.PhoneNumber)
	if err != nil {
		return nil, err
	}
	if req.OneTimePassword == nil {
		return nil, required("oneTimePassword")
	}
	name := c.sandboxNumber(number)
	kept, ok, err := s.broker.Record(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, resourceNotFound.errorf("The destination phone number can't be found")
	case kept == verified:
		return &emptyResult{}, nil
	case kept != *req.OneTimePassword:
		return nil, verification.errorf("The one-time password (OTP) is not the one that was sent")
	}
	_, err = s.broker.SetRecord(ctx, name, verified)
	return &emptyResult{}, err
}
