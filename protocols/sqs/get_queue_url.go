package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type getQueueURLRequest struct {
	QueueName              string
	QueueOwnerAWSAccountId string
}

func (s *Server) getQueueURL(ctx context.Context, c *call, req *getQueueURLRequest) (*queueURLResult, error) {
	if req.QueueName == "" {
		return nil, missing("QueueName")
	}
	name := core.QueueName{Account: c.Account, Region: c.Region, Name: req.QueueName}
	if req.QueueOwnerAWSAccountId != "" {
		name.Account = req.QueueOwnerAWSAccountId
	}
	if !isName(name.Name) || !isAccount(name.Account) {
		return nil, errQueueDoesNotExist
	}
	c.named = name
	if _, err := s.broker.Queue(ctx, name); err != nil {
		return nil, err
	}
	return &queueURLResult{c.url(name)}, nil
}
