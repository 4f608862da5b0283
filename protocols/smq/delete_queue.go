package smq

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteQueueRequest struct {
	QueueName string `required:"true"`
}

// deleteQueue deletes a queue; that it is gone already is no error.
func (s *Server) deleteQueue(ctx context.Context, c *call, req *deleteQueueRequest) (*result, error) {
	err := s.broker.DeleteQueue(ctx, c.queueName(req.QueueName))
	if core.CodeOf(err) == core.QueueNotFound {
		err = nil
	}
	return succeeded, err
}
