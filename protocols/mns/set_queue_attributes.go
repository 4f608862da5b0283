package mns

import "context"

// setQueueAttributes changes those attributes that are given.
func (s *Server) setQueueAttributes(ctx context.Context, c *call, req *QueueAttributes) (done, error) {
	change, err := req.Change()
	if err != nil {
		return done{}, err
	}
	_, err = s.broker.AlterQueue(ctx, c.queue, change)
	return done{}, err
}
