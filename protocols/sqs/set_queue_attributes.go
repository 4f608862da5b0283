package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type setQueueAttributesRequest struct {
	QueueUrl   string
	Attributes aws.Map[string] `query:"Attribute,Name,Value"`
}

// setQueueAttributes changes the attributes that are given, all of them or none.
func (s *Server) setQueueAttributes(ctx context.Context, c *call, req *setQueueAttributesRequest) (*noResult, error) {
	found, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	_, err = s.broker.EditQueue(ctx, found.Name, func(queue core.Queue) (core.QueueChange, error) {
		change := attributeChange{name: queue.Name, fifo: queue.FIFO}
		if err := change.set(req.Attributes); err != nil {
			return change.QueueChange, err
		}
		return change.QueueChange, checkThroughput(change.Apply(queue))
	})
	given, _ := req.Attributes.Get(redrivePolicy)
	return &noResult{}, redriveError(given, err)
}
