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
	name, err := c.queue(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if _, err := s.broker.Queue(ctx, name); err != nil { // before anything else is complained about
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	change, err := changeOf(req.Attributes)
	if err != nil {
		return nil, err
	}
	_, err = s.broker.AlterQueue(ctx, name, change)
	return &noResult{}, err
}
