package api

import (
	"cmp"
	"context"

	"github.com/polymq/polymq/core"
)

type listUsageRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Whose; else that of the credentials, else 000000000000"`
	Days    int    `query:"days" default:"30" minimum:"1" maximum:"400" doc:"The last so many days, today's included"`
}

type usageBody struct {
	Service       string `json:"service" doc:"sqs, sqs-fifo, sns, mns-queues or mns-topics"`
	Requests      int64  `json:"requests"`
	BilledAs      int64  `json:"billed_as" doc:"Requests as clouds bill them: one for every 64 KB of payload begun"`
	Receives      int64  `json:"receives" doc:"Of the requests, those that asked for messages"`
	EmptyReceives int64  `json:"empty_receives" doc:"Of those, the ones that got none"`
}

type listUsageResponse struct {
	Body struct {
		Usage []usageBody `json:"usage" nullable:"false" doc:"By service; requests to this API are not counted"`
	}
}

// listUsage shows what an account has asked of queues and topics, as a cloud would bill it.
func (s *Server) listUsage(ctx context.Context, req *listUsageRequest) (*listUsageResponse, error) {
	used, err := s.broker.Usage(ctx, cmp.Or(req.Account, exchangeOf(ctx).caller.Account), req.Days)
	if err != nil {
		return nil, failed(ctx, err)
	}
	resp := &listUsageResponse{}
	resp.Body.Usage = make([]usageBody, 0, len(used))
	for _, u := range used {
		resp.Body.Usage = append(resp.Body.Usage, usageOf(u))
	}
	return resp, nil
}

func usageOf(u core.Usage) usageBody {
	return usageBody{Service: u.Service, Requests: u.Requests, BilledAs: u.Units, Receives: u.Receives, EmptyReceives: u.EmptyReceives}
}
