package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listSubscriptionsRequest struct {
	OfTopic
	Prefix string `query:"prefix" maxLength:"256" doc:"Only subscriptions whose names begin so"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most subscriptions to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listSubscriptionsResponse struct {
	Body struct {
		Subscriptions []subscriptionBody `json:"subscriptions" nullable:"false"`
		NextCursor    string             `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listSubscriptions(ctx context.Context, req *listSubscriptionsRequest) (*listSubscriptionsResponse, error) {
	page, err := s.broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{
		Topic: req.topic(ctx, req.Topic), Prefix: req.Prefix, After: req.Cursor, Limit: req.Limit,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listSubscriptionsResponse
	resp.Body.Subscriptions = make([]subscriptionBody, len(page.Subscriptions))
	for i, sub := range page.Subscriptions {
		resp.Body.Subscriptions[i] = s.subscriptionBody(sub).shownTo(ctx)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}
