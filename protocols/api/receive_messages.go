package api

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

type receiveMessagesRequest struct {
	OfQueue
	Body struct {
		Limit                    int    `json:"limit,omitempty" default:"1" minimum:"1" maximum:"100" doc:"Most messages to receive"`
		WaitSeconds              *int   `json:"wait_seconds,omitempty" minimum:"0" maximum:"30" doc:"How long to wait for a first message; else the queue's"`
		AttemptID                string `json:"attempt_id,omitempty" maxLength:"128" pattern:"^[!-~]+$" patternDescription:"1 to 128 printable ASCII characters" doc:"Of a FIFO queue: another receive with the same one, within five minutes, gets the same messages, while they are as this one left them"`
		VisibilityTimeoutSeconds *int   `json:"visibility_timeout_seconds,omitempty" minimum:"0" maximum:"43200" doc:"For how long to hide the messages; else the queue's"`
	}
}

type receiveMessagesResponse struct {
	Body struct {
		Messages []messageBody `json:"messages" nullable:"false" doc:"None when the wait is over"`
	}
}

// receiveMessages receives messages. Those that no longer reach the client go back.
func (s *Server) receiveMessages(ctx context.Context, req *receiveMessagesRequest) (*receiveMessagesResponse, error) {
	name := req.queue(ctx, req.Name)
	queue, err := s.broker.Queue(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	messages, err := s.broker.ReceiveMessages(ctx, core.ReceiveInput{
		Queue: name, Limit: req.Body.Limit, AttemptID: req.Body.AttemptID,
		Wait: seconds(req.Body.WaitSeconds), VisibilityTimeout: seconds(req.Body.VisibilityTimeoutSeconds),
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	if len(messages) > 0 {
		exchangeOf(ctx).undo = func() { s.giveBack(ctx, name, messages) }
		if ctx.Err() != nil {
			s.giveBack(ctx, name, messages)
			return nil, failed(ctx, ctx.Err())
		}
	}
	var resp receiveMessagesResponse
	resp.Body.Messages = encodeMessages(ctx, messages, queue.Bodies)
	return &resp, nil
}

// giveBackTimeout bounds what is done for a client that is gone.
const giveBackTimeout = 5 * time.Second

// giveBack returns messages that did not reach their receiver. If that fails, they come back with
// their visibility timeout.
func (s *Server) giveBack(ctx context.Context, name core.QueueName, messages []core.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTimeout)
	defer cancel()
	if _, err := s.broker.ReturnMessages(ctx, name, messages); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Stringer("queue", name).Int("messages", len(messages)).Msg("could not return messages of a client that is gone")
	}
}
