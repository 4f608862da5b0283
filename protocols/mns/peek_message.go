package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type peekMessageRequest struct{}

func (s *Server) peekMessage(ctx context.Context, c *call, _ *peekMessageRequest) (*receivedMessages, error) {
	return s.peek(ctx, c, 1)
}

// peek shows up to limit visible messages and changes nothing; none at all is an error of the protocol.
func (s *Server) peek(ctx context.Context, c *call, limit int) (*receivedMessages, error) {
	queue, err := s.broker.Queue(ctx, c.queue)
	if err != nil {
		return nil, err
	}
	page, err := s.broker.PeekMessages(ctx, core.PeekInput{Queue: c.queue, Limit: limit, Log: true})
	if err != nil {
		return nil, err
	}
	if len(page.Messages) == 0 {
		return nil, errNoMessage
	}
	return &receivedMessages{call: c, rule: queue.Bodies, messages: page.Messages, peeked: true}, nil
}
