package sns

import "context"

type optedOutRequest struct {
	PhoneNumber *string `query:"phoneNumber"`
}

type optedOutResult struct {
	IsOptedOut bool `json:"isOptedOut" query:"isOptedOut"`
}

// checkIfPhoneNumberIsOptedOut says whether a number wants no SMS.
func (s *Server) checkIfPhoneNumberIsOptedOut(ctx context.Context, c *call, req *optedOutRequest) (*optedOutResult, error) {
	number, err := phoneNumber(req.PhoneNumber)
	if err != nil {
		return nil, err
	}
	out, err := s.broker.OptedOut(ctx, c.phone(number))
	return &optedOutResult{out}, err
}
