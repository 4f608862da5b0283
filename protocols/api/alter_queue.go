package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type alterQueueRequest struct {
	OfQueue
	Body struct {
		Settings
		ProtocolAttributes map[string]*string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names; null removes one, those that are not named stay; not checked"`

		Tags map[string]*string `json:"tags,omitempty" maxProperties:"50" doc:"null removes a tag; tags that are not named stay"`
	}
}

// alterQueue changes what the request names. A new retention reaches back to messages sent before.
func (s *Server) alterQueue(ctx context.Context, req *alterQueueRequest) (*ofOneQueue, error) {
	change := req.Body.change()
	change.Tags, change.Attributes = req.Body.Tags, req.Body.ProtocolAttributes
	if err := checkProtocolAttributes(change.Attributes); err != nil {
		return nil, failed(ctx, err)
	}
	if change.DeduplicationScope != nil {
		queue, err := s.broker.DescribeQueue(ctx, req.queue(ctx, req.Name))
		if err == nil {
			err = checkScope(queue.FIFO, change)
		}
		if err != nil {
			return nil, failed(ctx, err)
		}
	}
	queue, err := s.broker.AlterQueue(ctx, req.queue(ctx, req.Name), change)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneQueue{encodeQueue(queue, false)}, nil
}

// checkScope refuses a scope of deduplication where there is none: it would be kept, and do nothing.
func checkScope(fifo bool, change core.QueueChange) error {
	if !fifo && change.DeduplicationScope != nil && *change.DeduplicationScope != core.DeduplicateInQueue {
		return core.Errorf(core.InvalidArgument, "only a FIFO queue has a deduplication scope")
	}
	return nil
}
