package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

// returnMessages undoes a receive: the messages are visible at once, and the receive does not
// count. Receipt handles that are not their message's newest are passed over.
func (s *Server) returnMessages(ctx context.Context, req *handlesRequest) (*struct{}, error) {
	messages := make([]core.Message, len(req.Body.ReceiptHandles))
	for i, handle := range req.Body.ReceiptHandles {
		messages[i].Handle = handle
	}
	if err := s.broker.ReturnMessages(ctx, req.queue(ctx, req.Name), messages); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}
