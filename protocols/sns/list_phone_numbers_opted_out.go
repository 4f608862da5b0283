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
	page, err := s.listRecords(ctx, c, optedOutKind, "", req.NextToken, pageSize)
	if err != nil {
		return nil, err
	}
	result := &listOptedOutResult{NextToken: page.Next}
	for _, record := range page.Records {
		result.PhoneNumbers = append(result.PhoneNumbers, record.Name)
	}
	return result, nil
}
