package sns

import "context"

type originationNumbersResult struct {
	PhoneNumbers []originationNumber `query:"PhoneNumbers.member"`
	NextToken    string
}

type originationNumber struct {
	PhoneNumber string
}

// listOriginationNumbers lists none: numbers to send from are bought elsewhere.
func (*Server) listOriginationNumbers(_ context.Context, _ *call, req *listSandboxNumbersRequest) (*originationNumbersResult, error) {
	if _, err := limitOf(req.MaxResults, 30); err != nil {
		return nil, err
	}
	if _, err := readToken(req.NextToken); err != nil {
		return nil, err
	}
	return &originationNumbersResult{}, nil
}
