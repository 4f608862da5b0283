package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type startMoveRequest struct {
	OfQueue
	Body struct {
		Destination string `json:"destination,omitempty" maxLength:"256" doc:"Name of the queue to move to; absent: each message goes back to the queue that it came from"`
		Rate        int    `json:"rate,omitempty" minimum:"1" maximum:"500" doc:"Messages a second; absent: as fast as others do not suffer"`
	}
}

// startMove begins to move what is in a dead-letter queue. What arrives there later stays.
func (s *Server) startMove(ctx context.Context, req *startMoveRequest) (*ofOneMove, error) {
	task, err := s.broker.StartMove(ctx, core.StartMove{Source: req.queue(ctx, req.Name), Destination: req.Body.Destination, Rate: req.Body.Rate})
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneMove{encodeMove(task)}, nil
}
