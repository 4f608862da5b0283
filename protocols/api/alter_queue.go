package api

import "context"

type alterQueueRequest struct {
	OfQueue
	Body struct {
		Settings
		Tags map[string]*string `json:"tags,omitempty" maxProperties:"50" doc:"null removes a tag; tags that are not named stay"`
	}
}

// alterQueue changes what the request names. A new retention reaches back to messages sent before.
func (s *Server) alterQueue(ctx context.Context, req *alterQueueRequest) (*ofOneQueue, error) {
	change := req.Body.change()
	change.Tags = req.Body.Tags
	queue, err := s.broker.AlterQueue(ctx, req.queue(ctx, req.Name), change)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneQueue{encodeQueue(queue, false)}, nil
}
