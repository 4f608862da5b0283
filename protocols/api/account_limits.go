package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

// limitsBody are limits on the wire.
type limitsBody struct {
	Queues   *int   `json:"queues,omitempty" minimum:"0" maximum:"2147483647" doc:"Queues in all regions; 0: as many as it likes; absent: what the server has for all"`
	Topics   *int   `json:"topics,omitempty" minimum:"0" maximum:"2147483647" doc:"Topics in all regions, likewise"`
	Bytes    *int64 `json:"bytes,omitempty" minimum:"0" doc:"Bytes of the messages in its queues, likewise"`
	Requests *int   `json:"requests,omitempty" minimum:"0" maximum:"2147483647" doc:"Requests a second, of which each server gives out its share; likewise"`
}

type setAccountLimitsRequest struct {
	ID   string `path:"id" pattern:"^[0-9]{12}$"`
	Body limitsBody
}

type accountLimitsResponse struct {
	Body struct {
		Own   limitsBody `json:"own" doc:"What was set for the account"`
		Holds limitsBody `json:"holds" doc:"What holds for it"`
		Used  struct {
			Queues int   `json:"queues"`
			Topics int   `json:"topics"`
			Bytes  int64 `json:"bytes"`
		} `json:"used"`
	}
}

func (s *Server) getAccountLimits(ctx context.Context, req *ofOneAccountID) (*accountLimitsResponse, error) {
	own, holds, use, err := s.broker.AccountLimits(ctx, req.ID)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp accountLimitsResponse
	resp.Body.Own = limitsBody{own.Queues, own.Topics, own.Bytes, own.Requests}
	resp.Body.Holds = limitsBody{&holds.Queues, &holds.Topics, &holds.Bytes, &holds.Requests}
	resp.Body.Used.Queues, resp.Body.Used.Topics, resp.Body.Used.Bytes = use.Queues, use.Topics, use.Bytes
	return &resp, nil
}

// setAccountLimits replaces what was set before: what is left out is again what the server has for all.
func (s *Server) setAccountLimits(ctx context.Context, req *setAccountLimitsRequest) (*accountLimitsResponse, error) {
	in := req.Body
	err := s.broker.SetAccountLimits(ctx, core.AccountLimits{Account: req.ID, Queues: in.Queues, Topics: in.Topics, Bytes: in.Bytes, Requests: in.Requests})
	if err != nil {
		return nil, failed(ctx, err)
	}
	return s.getAccountLimits(ctx, &ofOneAccountID{req.ID})
}
