package sqs

import (
	"context"

	"github.com/polymq/polymq/protocols/aws"
)

type setQueueAttributesRequest struct {
	QueueUrl   string
	Attributes aws.Map[string] `query:"Attribute,Name,Value"`
}

// setQueueAttributes changes the attributes that are given, all of them or none.
func (s *Server) setQueueAttributes(ctx context.Context, c *call, req *setQueueAttributesRequest) (*noResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	change, err := changeOf(req.Attributes)
	if err != nil {
		return nil, err
	}
	_, err = s.broker.AlterQueue(ctx, queue.Name, change)
	return &noResult{}, err
}
