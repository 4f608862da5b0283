package sqs

import "context"

func (s *Server) purgeQueue(ctx context.Context, c *call, req *queueRequest) (*noResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.checkNotJustPurged(ctx, name); err != nil {
		return nil, err
	}
	return &noResult{}, s.broker.PurgeQueue(ctx, name)
}
