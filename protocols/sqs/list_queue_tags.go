package sqs

import (
	"context"
	"maps"
	"slices"

	"github.com/polymq/polymq/protocols/aws"
)

type listQueueTagsResult struct {
	Tags aws.Map[string] `query:"Tag,Key,Value"`
}

func (s *Server) listQueueTags(ctx context.Context, c *call, req *queueRequest) (*listQueueTagsResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	queue, err := s.broker.DescribeQueue(ctx, name)
	if err != nil {
		return nil, err
	}
	result := new(listQueueTagsResult)
	for _, key := range slices.Sorted(maps.Keys(queue.Tags)) {
		result.Tags = append(result.Tags, aws.Pair[string]{Key: key, Value: queue.Tags[key]})
	}
	return result, nil
}
