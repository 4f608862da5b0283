package sqs

import (
	"context"
	"strconv"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// PeekPath is where LocalStack's users look at a queue's messages without receiving them, either with
// ?QueueUrl=… or with /REGION/ACCOUNT/NAME behind it. The answer is that of a receive.
const PeekPath = "/_aws/sqs/messages"

// maxPeeked bounds the messages of one answer.
const maxPeeked = 1000

// peekedHandle stands where a receive gives a receipt handle, as in LocalStack's answers: who looks at messages cannot delete them.
const peekedHandle = "SQS/BACKDOOR/ACCESS"

type peekMessagesRequest struct {
	QueueUrl string
}

// shownMessages says which messages are shown besides the visible ones.
type shownMessages struct {
	inFlight, delayed bool
}

// peeking is the action behind PeekPath, which is none of SQS's.
var peeking = typed((*Server).peekMessages)

// peekMessages shows messages with all their attributes, and changes nothing. Whether they are in flight or delayed is told where
// those are asked for.
func (s *Server) peekMessages(ctx context.Context, c *call, req *peekMessagesRequest) (*receiveMessageResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	show := receiveMessageRequest{MessageSystemAttributeNames: []string{allAttributes}, MessageAttributeNames: []string{allAttributes}}
	page := core.PeekInput{Queue: queue.Name, Limit: core.MaxBatch, Hidden: c.shown != shownMessages{}}
	now, err := s.broker.AdvanceClock(ctx, queue.Name.Account, 0)
	if err != nil {
		return nil, err
	}
	result := &receiveMessageResult{}
	for len(result.Messages) < maxPeeked {
		found, err := s.broker.PeekMessages(ctx, page)
		if err != nil {
			return nil, err
		}
		for i := range found.Messages {
			m := &found.Messages[i]
			hidden := m.VisibleAt.After(now)
			delayed, inFlight := hidden && m.ReceiveCount == 0, hidden && m.ReceiveCount > 0
			if delayed && !c.shown.delayed || inFlight && !c.shown.inFlight {
				continue
			}
			shown := show.show(queue, m)
			shown.ReceiptHandle = peekedHandle
			if c.shown.inFlight {
				shown.Attributes = append(shown.Attributes, aws.Pair[string]{Key: "IsVisible", Value: strconv.FormatBool(!inFlight)})
			}
			if c.shown.delayed {
				shown.Attributes = append(shown.Attributes, aws.Pair[string]{Key: "IsDelayed", Value: strconv.FormatBool(delayed)})
			}
			result.Messages = append(result.Messages, shown)
		}
		if page.After = found.Next; page.After == "" {
			break
		}
	}
	return result, nil
}
