package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listQueuesRequest struct {
	Scope
	Prefix string `query:"prefix" maxLength:"256" doc:"Only queues whose names begin so"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most queues to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
	Counts bool   `query:"counts" doc:"Show the queues' counts"`
}

type listQueuesResponse struct {
	Body struct {
		Queues     []queueBody `json:"queues" nullable:"false"`
		NextCursor string      `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listQueues(ctx context.Context, req *listQueuesRequest) (*listQueuesResponse, error) {
	names := req.queue(ctx, "")
	page, err := s.broker.ListQueues(ctx, core.ListQueuesInput{
		Account: names.Account, Region: names.Region,
		Prefix: req.Prefix, After: req.Cursor, Limit: req.Limit, Counts: req.Counts,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	return encodePage(page, req.Counts), nil
}

func encodePage(page core.QueuePage, withCounts bool) *listQueuesResponse {
	var resp listQueuesResponse
	resp.Body.Queues = make([]queueBody, len(page.Queues))
	for i, queue := range page.Queues {
		resp.Body.Queues[i] = encodeQueue(queue, withCounts)
	}
	resp.Body.NextCursor = page.Next
	return &resp
}
