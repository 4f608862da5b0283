package mns

import "context"

type batchReceiveMessageRequest struct {
	NumOfMessages *int `query:"numOfMessages"`
	WaitSeconds   *int `query:"waitseconds"`
}

func (s *Server) batchReceiveMessage(ctx context.Context, c *call, req *batchReceiveMessageRequest) (*receivedMessages, error) {
	if err := checkRange("numOfMessages", req.NumOfMessages, 1, maxBatch, "messages"); err != nil {
		return nil, err
	}
	received, err := s.receive(ctx, c, *req.NumOfMessages, req.WaitSeconds)
	if err != nil {
		return nil, err
	}
	received.batch = true
	return received, nil
}
