package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type peekMessagesRequest struct {
	OfQueue
	Limit  int    `query:"limit" default:"20" minimum:"1" maximum:"100" doc:"Most messages to show"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
	Hidden bool   `query:"hidden" doc:"Show messages in flight and delayed ones too"`
}

type peekMessagesResponse struct {
	Body struct {
		Messages   []messageBody `json:"messages" nullable:"false" doc:"In the order in which they would be received"`
		NextCursor string        `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) peekMessages(ctx context.Context, req *peekMessagesRequest) (*peekMessagesResponse, error) {
	name := req.queue(ctx, req.Name)
	queue, err := s.broker.Queue(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	page, err := s.broker.PeekMessages(ctx, core.PeekInput{Queue: name, Limit: req.Limit, Hidden: req.Hidden, After: req.Cursor})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp peekMessagesResponse
	resp.Body.Messages = encodeMessages(ctx, page.Messages, queue.Bodies)
	resp.Body.NextCursor = page.Next
	return &resp, nil
}
