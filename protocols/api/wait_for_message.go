package api

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

type waitForMessageRequest struct {
	OfQueue
	Match   string  `query:"match" maxLength:"1024" doc:"Text that the body, an attribute's value or the id contains; any message when absent"`
	Timeout float64 `query:"timeout" default:"10" minimum:"0" maximum:"100" doc:"Seconds to wait for such a message"`
}

type waitForMessageResponse struct {
	Body messageBody
}

// waitForMessage lets a test see that a message arrived, without taking it from whom it is meant for. It
// is refused unless the server runs in test mode.
func (s *Server) waitForMessage(ctx context.Context, req *waitForMessageRequest) (*waitForMessageResponse, error) {
	if err := s.inTestMode("nobody waits for messages without receiving them"); err != nil {
		return nil, failed(ctx, err)
	}
	name := req.queue(ctx, req.Name)
	queue, err := s.broker.Queue(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	wait := time.Duration(req.Timeout * float64(time.Second))
	message, err := s.broker.AwaitMessage(ctx, core.AwaitInput{Queue: name, Matches: matching(req.Match, queue.Bodies), Wait: wait})
	if err == nil && message == nil {
		err = core.Errorf(core.MessageNotFound, "no message of queue %q matched within %v", req.Name, wait)
	}
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &waitForMessageResponse{Body: encodeMessage(message, queue.Bodies)}, nil
}

// matching tells the messages that contain a text, their bodies as the API shows them.
func matching(text string, rule core.BodyRule) func(*core.Message) bool {
	return func(m *core.Message) bool {
		if strings.Contains(m.ID.UUID(), text) || bytes.Contains(core.EncodeBody(m.Body, m.Form, rule, core.ReadsText), []byte(text)) {
			return true
		}
		for _, a := range m.Attributes {
			if bytes.Contains(a.Value, []byte(text)) {
				return true
			}
		}
		return false
	}
}
