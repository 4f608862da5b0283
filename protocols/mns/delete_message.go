package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteMessageRequest struct {
	ReceiptHandle string `query:"ReceiptHandle"`
}

// deleteMessage deletes by the message's newest handle, and only while it is hidden.
func (s *Server) deleteMessage(ctx context.Context, c *call, req *deleteMessageRequest) (done, error) {
	if req.ReceiptHandle == "" {
		return done{}, errNoHandle
	}
	results, err := s.broker.DeleteMessages(ctx, core.DeleteInput{Queue: c.queue, Handles: []string{req.ReceiptHandle}, Newest: true})
	if err != nil {
		return done{}, err
	}
	return done{}, results[0]
}
