package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listDeadLetterSourceQueuesRequest struct {
	QueueUrl   string
	MaxResults *int
	NextToken  string
}

type listDeadLetterSourceQueuesResult struct {
	QueueUrls []string `json:"queueUrls" query:"QueueUrl" shown:"always"`
	NextToken string
}

// listDeadLetterSourceQueues gives the queues whose RedrivePolicy names this one.
func (s *Server) listDeadLetterSourceQueues(ctx context.Context, c *call, req *listDeadLetterSourceQueuesRequest) (*listDeadLetterSourceQueuesResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	limit, after, err := pageOf(req.MaxResults, req.NextToken)
	if err != nil {
		return nil, err
	}
	page, err := s.broker.DeadLetterSources(ctx, name, core.ListQueuesInput{After: after, Limit: limit})
	if err != nil {
		return nil, err
	}
	return &listDeadLetterSourceQueuesResult{c.urls(page.Queues), nextToken(req.MaxResults, page)}, nil
}
