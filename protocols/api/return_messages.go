package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type returnMessagesResponse struct {
	Body struct {
		Failed []failure `json:"failed" nullable:"false" doc:"Those that were not returned"`
	}
}

// returnMessages undoes a receive: the messages are visible at once, and the receive does not
// count. Only a message's newest receipt handle returns it.
func (s *Server) returnMessages(ctx context.Context, req *handlesRequest) (*returnMessagesResponse, error) {
	messages := make([]core.Message, len(req.Body.ReceiptHandles))
	for i, handle := range req.Body.ReceiptHandles {
		messages[i].Handle = handle
	}
	errs, err := s.broker.ReturnMessages(ctx, req.queue(ctx, req.Name), messages)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp returnMessagesResponse
	resp.Body.Failed = failuresOf(ctx, req.Body.ReceiptHandles, errs)
	return &resp, nil
}
