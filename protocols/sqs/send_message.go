package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type sendMessageRequest struct {
	QueueUrl string
	newMessage
}

func (s *Server) sendMessage(ctx context.Context, c *call, req *sendMessageRequest) (*sentMessage, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	message, result, err := c.prepare(queue, &req.newMessage, "are invalid")
	if err != nil {
		return nil, err
	}
	sent, err := s.broker.SendMessages(ctx, core.SendInput{Queue: queue.Name, Messages: []core.NewMessage{message}})
	if err != nil {
		return nil, err
	}
	result.MessageId, result.SequenceNumber = sent[0].ID.UUID(), sent[0].Sequence
	return &result, nil
}
