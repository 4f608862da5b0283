package mns

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
)

type changeMessageVisibilityRequest struct {
	ReceiptHandle     string `query:"ReceiptHandle"`
	VisibilityTimeout *int   `query:"VisibilityTimeout"`
}

type changeMessageVisibilityResponse struct{ core.VisibilityResult }

func (r *changeMessageVisibilityResponse) write(a *answer) {
	a.root("ChangeVisibility")
	a.text("ReceiptHandle", r.Handle)
	a.time("NextVisibleTime", r.VisibleAt)
	a.end("ChangeVisibility")
}

// changeMessageVisibility hides a message for a time from now, 0 shows it. The handle that was used
// is worth nothing afterwards; the answer has the new one.
func (s *Server) changeMessageVisibility(ctx context.Context, c *call, req *changeMessageVisibilityRequest) (*changeMessageVisibilityResponse, error) {
	if req.ReceiptHandle == "" {
		return nil, errNoHandle
	}
	if req.VisibilityTimeout == nil {
		return nil, wireError{http.StatusBadRequest, "MissingVisibilityTimeout", "the query parameter VisibilityTimeout is missing"}
	}
	if err := checkRange("VisibilityTimeout", req.VisibilityTimeout, 0, maxVisibility, "seconds"); err != nil {
		return nil, err
	}
	results, err := s.broker.ChangeVisibility(ctx, core.ChangeVisibilityInput{
		Queue:   c.queue,
		Changes: []core.VisibilityChange{{Handle: req.ReceiptHandle, Timeout: *seconds(req.VisibilityTimeout)}},
		Newest:  true,
		Rotate:  true,

		DeadOnTime: true,
	})
	if err != nil {
		return nil, err
	}
	return &changeMessageVisibilityResponse{results[0]}, results[0].Err
}
