package api

import (
	"context"
	"time"

	"github.com/polymq/polymq/core"
)

type changeVisibilityRequest struct {
	OfQueue
	Body struct {
		Changes []visibilityChange `json:"changes" minItems:"1" maxItems:"100" nullable:"false"`
	}
}

type visibilityChange struct {
	ReceiptHandle            string `json:"receipt_handle"`
	VisibilityTimeoutSeconds int    `json:"visibility_timeout_seconds" minimum:"0" maximum:"43200" doc:"From now; 0 makes the message visible"`
}

type changeVisibilityResponse struct {
	Body struct {
		Changed []changedVisibility `json:"changed" nullable:"false"`
		Failed  []failure           `json:"failed" nullable:"false"`
	}
}

type changedVisibility struct {
	ReceiptHandle string    `json:"receipt_handle"`
	VisibleAt     time.Time `json:"visible_at"`
}

// changeVisibility hides messages for longer, or shows them again. Receipt handles stay good; a
// message that is visible already stays so.
func (s *Server) changeVisibility(ctx context.Context, req *changeVisibilityRequest) (*changeVisibilityResponse, error) {
	in := core.ChangeVisibilityInput{
		Queue: req.queue(ctx, req.Name), Changes: make([]core.VisibilityChange, len(req.Body.Changes)),
	}
	for i, c := range req.Body.Changes {
		in.Changes[i] = core.VisibilityChange{Handle: c.ReceiptHandle, Timeout: time.Duration(c.VisibilityTimeoutSeconds) * time.Second}
	}
	results, err := s.broker.ChangeVisibility(ctx, in)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp changeVisibilityResponse
	resp.Body.Changed, resp.Body.Failed = []changedVisibility{}, []failure{}
	for i, r := range results {
		if r.Err != nil {
			resp.Body.Failed = append(resp.Body.Failed, failureOf(ctx, in.Changes[i].Handle, r.Err))
			continue
		}
		resp.Body.Changed = append(resp.Body.Changed, changedVisibility{ReceiptHandle: r.Handle, VisibleAt: r.VisibleAt.UTC()})
	}
	return &resp, nil
}
