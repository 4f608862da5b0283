package sns

import "context"

type listSandboxNumbersRequest struct {
	NextToken  string
	MaxResults *int
}

type listSandboxNumbersResult struct {
	PhoneNumbers []sandboxNumber `query:"PhoneNumbers.member"`
	NextToken    string
}

type sandboxNumber struct {
	PhoneNumber string
	Status      string
}

// limitOf reads how many entries a page is to have.
func limitOf(asked *int, most int) (int, error) {
	if asked == nil {
		return most, nil
	}
	if *asked < 1 || *asked > most {
		return 0, invalid("MaxResults Reason: it must be 1 to %d", most)
	}
	return *asked, nil
}

// listSMSSandboxPhoneNumbers gives a page of the account's numbers.
func (s *Server) listSMSSandboxPhoneNumbers(ctx context.Context, c *call, req *listSandboxNumbersRequest) (*listSandboxNumbersResult, error) {
	limit, err := limitOf(req.MaxResults, pageSize)
	if err != nil {
		return nil, err
	}
	page, err := s.listRecords(ctx, c, sandboxKind, "", req.NextToken, limit)
	if err != nil {
		return nil, err
	}
	result := &listSandboxNumbersResult{NextToken: page.Next}
	for _, record := range page.Records {
		number := sandboxNumber{record.Name, "Pending"}
		if record.Value == verified {
			number.Status = "Verified"
		}
		result.PhoneNumbers = append(result.PhoneNumbers, number)
	}
	return result, nil
}
