package sns

import "context"

type listOptedOutRequest struct {
	NextToken string `query:"nextToken"`
}

type listOptedOutResult struct {
	PhoneNumbers []string `json:"phoneNumbers" query:"phoneNumbers.member"`
	NextToken    string   `json:"nextToken" query:"nextToken"`
}

// listPhoneNumbersOptedOut gives a page of the numbers that want no SMS.
func (s *Server) listPhoneNumbersOptedOut(ctx context.Context, c *call, req *listOptedOutRequest) (*listOptedOutResult, error) {
	after, err := readToken(req.NextToken)
	if err != nil {
		return nil, err
	}
	numbers, next, err := s.broker.ListOptedOut(ctx, c.Account, c.Region, after, pageSize)
	return &listOptedOutResult{numbers, makeToken(next)}, err
}
