package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listTopicsRequest struct {
	Scope
	Prefix string `query:"prefix" maxLength:"256" doc:"Only topics whose names begin so"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most topics to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listTopicsResponse struct {
	Body struct {
		Topics     []topicBody `json:"topics" nullable:"false"`
		NextCursor string      `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listTopics(ctx context.Context, req *listTopicsRequest) (*listTopicsResponse, error) {
	names := req.topic(ctx, "")
	page, err := s.broker.ListTopics(ctx, core.ListTopicsInput{
		Account: names.Account, Region: names.Region, Prefix: req.Prefix, After: req.Cursor, Limit: req.Limit,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listTopicsResponse
	resp.Body.Topics = make([]topicBody, len(page.Topics))
	for i, topic := range page.Topics {
		resp.Body.Topics[i] = encodeTopic(topic, false)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}
