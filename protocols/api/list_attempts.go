package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listAttemptsRequest struct {
	Scope
	Topic        string `query:"topic" maxLength:"256" doc:"Only of this topic"`
	Subscription string `query:"subscription" maxLength:"256" doc:"Only of the subscription of this name"`
	Limit        int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most entries to list"`
	Cursor       string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

func (r *listAttemptsRequest) input(ctx context.Context) core.ListDeliveriesInput {
	return core.ListDeliveriesInput{Topic: r.topic(ctx, r.Topic), Subscription: r.Subscription, After: r.Cursor, Limit: r.Limit}
}

type listAttemptsResponse struct {
	Body struct {
		Attempts   []attemptBody `json:"attempts" nullable:"false" doc:"The newest first"`
		NextCursor string        `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// listAttempts shows the last attempts to deliver.
func (s *Server) listAttempts(ctx context.Context, req *listAttemptsRequest) (*listAttemptsResponse, error) {
	page, err := s.broker.ListAttempts(ctx, req.input(ctx))
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listAttemptsResponse
	resp.Body.Attempts = make([]attemptBody, len(page.Attempts))
	for i, attempt := range page.Attempts {
		attempt.Endpoint = endpointFor(ctx, attempt.Endpoint)
		resp.Body.Attempts[i] = encodeAttempt(attempt)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}

type listOutboxResponse struct {
	Body struct {
		Messages   []keptBody `json:"messages" nullable:"false" doc:"The newest first"`
		NextCursor string     `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// listOutbox shows the messages that there was nowhere to send to.
func (s *Server) listOutbox(ctx context.Context, req *listAttemptsRequest) (*listOutboxResponse, error) {
	page, err := s.broker.ListKept(ctx, req.input(ctx))
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listOutboxResponse
	resp.Body.Messages = make([]keptBody, len(page.Messages))
	for i, m := range page.Messages {
		resp.Body.Messages[i] = encodeKept(m)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}
