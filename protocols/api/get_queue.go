package api

import "context"

func (s *Server) getQueue(ctx context.Context, req *OfQueue) (*ofOneQueue, error) {
	queue, err := s.broker.DescribeQueue(ctx, req.queue(ctx, req.Name))
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneQueue{encodeQueue(queue, true)}, nil
}
