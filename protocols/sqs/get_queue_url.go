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
	name, err := req.queue(c)
	if err != nil {
		return nil, err
	}
	c.named = name
	if _, err := s.broker.Queue(ctx, name); err != nil {
		return nil, err
	}
	return &queueURLResult{c.url(name)}, nil
}

// queue gives the name of the queue that is asked for.
func (req *getQueueURLRequest) queue(c *call) (core.QueueName, error) {
	name := core.QueueName{Account: c.Account, Region: c.Region, Name: req.QueueName}
	if req.QueueOwnerAWSAccountId != "" {
		name.Account = req.QueueOwnerAWSAccountId
	}
	switch {
	case req.QueueName == "":
		return name, missing("QueueName")
	case !isName(name.Name) || !core.IsAccount(name.Account):
		return name, errQueueDoesNotExist
	}
	return name, nil
}
