package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type getQueueAttributesRequest struct{}

type getQueueAttributesResponse struct{ queue core.Queue }

func (r *getQueueAttributesResponse) write(a *answer) {
	a.root("Queue")
	a.writeQueue(&r.queue)
	a.end("Queue")
}

func (s *Server) getQueueAttributes(ctx context.Context, c *call, _ *getQueueAttributesRequest) (*getQueueAttributesResponse, error) {
	queue, err := s.broker.DescribeQueue(ctx, c.queue)
	return &getQueueAttributesResponse{queue}, err
}
