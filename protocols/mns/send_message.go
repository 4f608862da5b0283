package mns

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
)

// sentMessage is a message with what became of it.
type sentMessage struct {
	core.Sent
	body []byte
}

type sendMessageResponse struct{ sentMessage }

func (r *sendMessageResponse) write(a *answer) {
	a.status = http.StatusCreated
	a.root("Message")
	a.writeSent(&r.sentMessage)
	a.end("Message")
}

func (a *answer) writeSent(m *sentMessage) {
	a.digits("MessageId", m.ID)
	a.digest(m.body)
	if m.Handle != "" { // of a delayed message, which can be deleted before it is visible
		a.text("ReceiptHandle", m.Handle)
	}
}

func (s *Server) sendMessage(ctx context.Context, c *call, req *messageElement) (*sendMessageResponse, error) {
	queue, err := s.broker.Queue(ctx, c.queue)
	if err != nil {
		return nil, err
	}
	message, err := req.message(c, queue)
	if err != nil {
		return nil, err
	}
	sent, err := s.broker.SendMessages(ctx, core.SendInput{Queue: c.queue, Messages: []core.NewMessage{message}})
	if err != nil {
		return nil, err
	}
	return &sendMessageResponse{sentMessage{sent[0], message.Body}}, nil
}
