package api

import (
	"cmp"
	"context"
	"time"
)

type advanceClockRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Whose; else that of the body, of the credentials, else 000000000000"`
	Body    struct {
		Account        string  `json:"account,omitempty" pattern:"^[0-9]{12}$" doc:"As the parameter of that name"`
		AdvanceSeconds float64 `json:"advance_seconds" minimum:"0" maximum:"31536000" doc:"0 reads the time"`
	}
}

type advanceClockResponse struct {
	Body struct {
		Account string    `json:"account"`
		Now     time.Time `json:"now" doc:"The account's time"`
	}
}

// advanceClock lets a test see a delay or a visibility timeout pass without waiting. Nobody else
// should: it is refused unless the server runs in test mode.
func (s *Server) advanceClock(ctx context.Context, req *advanceClockRequest) (*advanceClockResponse, error) {
	if err := s.inTestMode("time moves by itself"); err != nil {
		return nil, failed(ctx, err)
	}
	var resp advanceClockResponse
	whose, err := account(ctx, cmp.Or(req.Account, req.Body.Account))
	if err != nil {
		return nil, err
	}
	resp.Body.Account = whose
	now, err := s.broker.AdvanceClock(ctx, resp.Body.Account, time.Duration(req.Body.AdvanceSeconds*float64(time.Second)))
	if err != nil {
		return nil, failed(ctx, err)
	}
	resp.Body.Now = now.UTC()
	return &resp, nil
}
