package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type untagQueueRequest struct {
	QueueUrl string
	TagKeys  []string `query:"TagKey"`
}

// untagQueue removes tags; keys that the queue does not have are no error.
func (s *Server) untagQueue(ctx context.Context, c *call, req *untagQueueRequest) (*noResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(req.TagKeys) == 0 {
		return nil, missing("TagKeys")
	}
	change := core.QueueChange{Tags: map[string]*string{}}
	for _, key := range req.TagKeys {
		if core.ValidText([]byte(key)) { // no tag has another
			change.Tags[key] = nil
		}
	}
	_, err = s.broker.AlterQueue(ctx, queue.Name, change)
	return &noResult{}, err
}
