package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

// PeekPath is where LocalStack's users look at a queue's messages without receiving them, either with
// ?QueueUrl=… or with /REGION/ACCOUNT/NAME behind it. The answer is that of a receive.
const PeekPath = "/_aws/sqs/messages"

// maxPeeked bounds the messages of one answer.
const maxPeeked = 1000

type peekMessagesRequest struct {
	QueueUrl      string
	ShowInvisible bool // those in flight too
	ShowDelayed   bool
}

// peeking is the action behind PeekPath, which is none of SQS's.
var peeking = typed((*Server).peekMessages)

// peekMessages shows messages with all their attributes, and changes nothing.
func (s *Server) peekMessages(ctx context.Context, c *call, req *peekMessagesRequest) (*receiveMessageResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	show := receiveMessageRequest{MessageSystemAttributeNames: []string{allAttributes}, MessageAttributeNames: []string{allAttributes}}
	page := core.PeekInput{Queue: queue.Name, Limit: core.MaxBatch, Hidden: req.ShowInvisible || req.ShowDelayed}
	result := &receiveMessageResult{}
	for len(result.Messages) < maxPeeked {
		found, err := s.broker.PeekMessages(ctx, page)
		if err != nil {
			return nil, err
		}
		for i := range found.Messages {
			result.Messages = append(result.Messages, show.show(queue, &found.Messages[i]))
		}
		if page.After = found.Next; page.After == "" {
			break
		}
	}
	return result, nil
}
