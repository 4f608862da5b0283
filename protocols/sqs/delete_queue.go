package sqs

import "context"

// queueRequest is a request that names a queue and nothing else.
type queueRequest struct {
	QueueUrl string
}

// noResult is what actions answer that have nothing to say.
type noResult struct{}

func (s *Server) deleteQueue(ctx context.Context, c *call, req *queueRequest) (*noResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.broker.DeleteQueue(ctx, name); err != nil {
		return nil, err
	}
	return &noResult{}, s.rememberDeletion(ctx, name)
}
