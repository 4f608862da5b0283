package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteQueueRequest struct{}

// deleteQueue deletes a queue; that it is gone already is no error.
func (s *Server) deleteQueue(ctx context.Context, c *call, _ *deleteQueueRequest) (done, error) {
	err := s.broker.DeleteQueue(ctx, c.queue)
	if core.CodeOf(err) == core.QueueNotFound {
		err = nil
	}
	return done{}, err
}
