package sqs

import (
	"context"
	"slices"

	"github.com/polymq/polymq/protocols/aws"
)

type getQueueAttributesRequest struct {
	QueueUrl       string
	AttributeNames []string `query:"AttributeName"`
}

type getQueueAttributesResult struct {
	Attributes aws.Map[string] `query:"Attribute,Name,Value"`
}

// getQueueAttributes shows the attributes that are asked for and that the queue has, each once.
func (s *Server) getQueueAttributes(ctx context.Context, c *call, req *getQueueAttributesRequest) (*getQueueAttributesResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	queue, err := s.broker.DescribeQueue(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, asked := range req.AttributeNames {
		if _, known := queueAttributeOf(asked); !known && asked != allAttributes {
			return nil, unknownAttribute(asked)
		}
	}
	result := new(getQueueAttributesResult)
	all := slices.Contains(req.AttributeNames, allAttributes)
	for _, attribute := range queueAttributes {
		if !all && !slices.Contains(req.AttributeNames, attribute.name) {
			continue
		}
		if value := attribute.shown(&queue); value != "" {
			result.Attributes = append(result.Attributes, aws.Pair[string]{Key: attribute.name, Value: value})
		}
	}
	return result, nil
}
