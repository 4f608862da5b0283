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
	limit, after, err := pageOf(req.MaxResults, req.NextToken)
	if err != nil {
		return nil, err
	}
	if req.QueueNamePrefix != "" && !isName(req.QueueNamePrefix) {
		return &listQueuesResult{}, nil // no name begins like that
	}
	page, err := s.broker.ListQueues(ctx, core.ListQueuesInput{
		Account: c.Account, Region: c.Region, Prefix: req.QueueNamePrefix, After: after, Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	return &listQueuesResult{c.urls(page.Queues), nextToken(req.MaxResults, page)}, nil
}

// pageOf reads which page of a list is asked for.
func pageOf(maxResults *int, token string) (limit int, after string, err error) {
	limit = maxListed
	if maxResults != nil {
		if limit = *maxResults; limit < 1 || limit > maxListed {
			return 0, "", invalid(limit, "MaxResults", "Must be between 1 and 1000, if provided.")
		}
	}
	name, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(name) > 0 && !isName(string(name)) {
		return 0, "", invalid(token, "NextToken", "It is not a token of this action.")
	}
	return limit, string(name), nil
}

// nextToken gives the token of the page behind this one, for those who ask for pages.
func nextToken(maxResults *int, page core.QueuePage) string {
	if maxResults == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(page.Next))
}

func (c *call) urls(queues []core.Queue) []string {
	urls := make([]string, len(queues))
	for i := range queues {
		urls[i] = c.url(queues[i].Name)
	}
	return urls
}
