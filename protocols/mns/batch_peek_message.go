package mns

import "context"

type batchPeekMessageRequest struct {
	NumOfMessages *int `query:"numOfMessages"`
}

func (s *Server) batchPeekMessage(ctx context.Context, c *call, req *batchPeekMessageRequest) (*receivedMessages, error) {
	if err := checkRange("numOfMessages", req.NumOfMessages, 1, maxBatch, "messages"); err != nil {
		return nil, err
	}
	shown, err := s.peek(ctx, c, *req.NumOfMessages)
	if err != nil {
		return nil, err
	}
	shown.batch = true
	return shown, nil
}
