package sns

import (
	"context"
	"encoding/base64"

	"github.com/polymq/polymq/core"
)

// pageSize is how many entries a page of any list has.
const pageSize = 100

type pageRequest struct {
	NextToken string
}

type listTopicsResult struct {
	Topics    []topicResult `query:"Topics.member"`
	NextToken string
}

// listTopics gives a page of the account's topics.
func (s *Server) listTopics(ctx context.Context, c *call, req *pageRequest) (*listTopicsResult, error) {
	after, err := readToken(req.NextToken)
	if err != nil {
		return nil, err
	}
	page, err := s.broker.ListTopics(ctx, core.ListTopicsInput{Account: c.Account, Region: c.Region, After: after, Limit: pageSize})
	if err != nil {
		return nil, err
	}
	result := &listTopicsResult{NextToken: makeToken(page.Next)}
	for i := range page.Topics {
		result.Topics = append(result.Topics, topicResult{topicARN(page.Topics[i].Name)})
	}
	return result, nil
}

// makeToken gives the token of the next page. It can be decoded as those of the real service can.
func makeToken(next string) string { return base64.StdEncoding.EncodeToString([]byte(next)) }

// readToken reads what makeToken made.
func readToken(token string) (string, error) {
	after, err := base64.StdEncoding.DecodeString(token)
	if err != nil || !core.ValidText(after) {
		return "", invalid("NextToken")
	}
	return string(after), nil
}
