package api

import "context"

type cancelMoveRequest struct {
	OfQueue
	ID string `path:"id" doc:"The id of the task"`
}

// cancelMove ends a running task. What it has moved stays moved, and it may move a little more.
func (s *Server) cancelMove(ctx context.Context, req *cancelMoveRequest) (*ofOneMove, error) {
	task, err := s.broker.CancelMove(ctx, req.queue(ctx, req.Name), req.ID)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneMove{encodeMove(task)}, nil
}
