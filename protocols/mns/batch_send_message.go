package mns

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
)

type batchSendMessageRequest struct {
	Messages list[messageElement] `xml:"Message"`
}

type batchSendMessageResponse struct{ messages []sentMessage }

func (r *batchSendMessageResponse) write(a *answer) {
	a.status = http.StatusCreated
	a.list("Messages")
	for i := range r.messages {
		a.item("Message")
		a.writeSent(&r.messages[i])
		a.end("Message")
	}
	a.endList("Messages")
}

// batchSendMessage sends all messages or, if one is not as it should be, none.
func (s *Server) batchSendMessage(ctx context.Context, c *call, req *batchSendMessageRequest) (*batchSendMessageResponse, error) {
	queue, err := s.broker.Queue(ctx, c.queue)
	if err != nil {
		return nil, err
	}
	in := core.SendInput{Queue: c.queue, Messages: make([]core.NewMessage, len(req.Messages))}
	count, size := len(req.Messages), 0
	if err := checkRange("a batch", &count, 1, maxBatch, "messages"); err != nil {
		return nil, err
	}
	for i := range req.Messages {
		if in.Messages[i], err = req.Messages[i].message(c, queue); err != nil {
			return nil, err
		}
		size += len(in.Messages[i].Body)
	}
	if err := checkRange("a batch", &size, 1, max(maxBatchBytes, queue.MaxMessageSize), "bytes of bodies"); err != nil {
		return nil, err
	}
	sent, err := s.broker.SendMessages(ctx, in)
	if err != nil {
		return nil, err
	}
	resp := &batchSendMessageResponse{make([]sentMessage, len(sent))}
	for i := range sent {
		resp.messages[i] = sentMessage{sent[i], in.Messages[i].Body}
	}
	return resp, nil
}
