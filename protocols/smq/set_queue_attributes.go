package smq

import "context"

type setQueueAttributesRequest struct {
	QueueName string `required:"true"`
	queueAttributes
}

// setQueueAttributes changes those attributes that are given.
func (s *Server) setQueueAttributes(ctx context.Context, c *call, req *setQueueAttributesRequest) (*result, error) {
	change, err := req.change(req.QueueName)
	if err != nil {
		return nil, err
	}
	_, err = s.broker.AlterQueue(ctx, c.queueName(req.QueueName), change)
	return succeeded, err
}
