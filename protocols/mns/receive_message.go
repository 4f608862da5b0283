package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type receiveMessageRequest struct {
	WaitSeconds *int `query:"waitseconds"`
}

// receivedMessages is the answer of all that hands out messages.
type receivedMessages struct {
	call     *call
	rule     core.BodyRule
	messages []core.Message
	peeked   bool // nothing was received, messages are only shown
	batch    bool
}

func (r *receivedMessages) write(a *answer) {
	if !r.batch {
		a.root("Message")
		a.writeMessage(r.call, &r.messages[0], r.rule)
		a.end("Message")
		return
	}
	a.list("Messages")
	for i := range r.messages {
		a.item("Message")
		a.writeMessage(r.call, &r.messages[i], r.rule)
		a.end("Message")
	}
	a.endList("Messages")
}

func (s *Server) receiveMessage(ctx context.Context, c *call, req *receiveMessageRequest) (*receivedMessages, error) {
	return s.receive(ctx, c, 1, req.WaitSeconds)
}

// receive hides up to limit messages and hands them out; none at all is an error of the protocol.
func (s *Server) receive(ctx context.Context, c *call, limit int, wait *int) (*receivedMessages, error) {
	if err := checkRange("waitseconds", wait, 0, maxWait, "seconds"); err != nil {
		return nil, err
	}
	queue, err := s.broker.Queue(ctx, c.queue) // for its rule of bodies, and first: later, an error would hide messages
	if err != nil {
		return nil, err
	}
	if err := s.meters.take(queue); err != nil {
		return nil, err
	}
	received, err := s.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: c.queue, Limit: limit, Wait: seconds(wait), OnePerGroup: true, DeadOnTime: true, Unbounded: true})
	if err != nil {
		return nil, err
	}
	if len(received) == 0 {
		return nil, errNoMessage
	}
	return &receivedMessages{call: c, rule: queue.Bodies, messages: received}, nil
}
