package sqs

import (
	"context"
	"encoding/base64"

	"github.com/polymq/polymq/core"
)

type listQueuesRequest struct {
	QueueNamePrefix string
	MaxResults      *int
	NextToken       string
}

type listQueuesResult struct {
	QueueUrls []string `query:"QueueUrl"`
	NextToken string
}

// maxListed is how many queues a page holds.
const maxListed = 1000

// listQueues gives a page of queues. Who does not ask for pages gets the first, and no token.
func (s *Server) listQueues(ctx context.Context, c *call, req *listQueuesRequest) (*listQueuesResult, error) {
	limit := maxListed
	if req.MaxResults != nil {
		if limit = *req.MaxResults; limit < 1 || limit > maxListed {
			return nil, invalid(limit, "MaxResults", "Must be between 1 and 1000, if provided.")
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(req.NextToken)
	if err != nil || len(after) > 0 && !isName(string(after)) {
		return nil, invalid(req.NextToken, "NextToken", "It is not a token of this action.")
	}
	if req.QueueNamePrefix != "" && !isName(req.QueueNamePrefix) {
		return &listQueuesResult{}, nil // no name begins like that
	}
	page, err := s.broker.ListQueues(ctx, core.ListQueuesInput{
		Account: c.Account, Region: c.Region, Prefix: req.QueueNamePrefix, After: string(after), Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	result := &listQueuesResult{QueueUrls: make([]string, len(page.Queues))}
	for i := range page.Queues {
		result.QueueUrls[i] = c.url(page.Queues[i].Name)
	}
	if req.MaxResults != nil && page.Next != "" {
		result.NextToken = base64.RawURLEncoding.EncodeToString([]byte(page.Next))
	}
	return result, nil
}
