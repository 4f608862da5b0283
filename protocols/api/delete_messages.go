package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

// handlesRequest names received messages.
type handlesRequest struct {
	OfQueue
	Body struct {
		ReceiptHandles []string `json:"receipt_handles" minItems:"1" maxItems:"100" nullable:"false"`
	}
}

// failure is one message of a call that could not be dealt with.
type failure struct {
	ReceiptHandle string    `json:"receipt_handle"`
	Code          core.Code `json:"code" example:"MessageNotFound"`
	Detail        string    `json:"detail" example:"the message is gone"`
}

func failureOf(ctx context.Context, handle string, err error) failure {
	p := newProblemOf(ctx, err)
	return failure{ReceiptHandle: handle, Code: p.Code, Detail: p.Detail}
}

// failuresOf gives the failures of a call with an error, or none, for each handle.
func failuresOf(ctx context.Context, handles []string, errs []error) []failure {
	failures := []failure{}
	for i, err := range errs {
		if err != nil {
			failures = append(failures, failureOf(ctx, handles[i], err))
		}
	}
	return failures
}

type deleteMessagesResponse struct {
	Body struct {
		Failed []failure `json:"failed" nullable:"false" doc:"Those that were not deleted"`
	}
}

// deleteMessages deletes messages by any of their receipt handles. A message that is gone already
// is MessageNotFound.
func (s *Server) deleteMessages(ctx context.Context, req *handlesRequest) (*deleteMessagesResponse, error) {
	errs, err := s.broker.DeleteMessages(ctx, core.DeleteInput{Queue: req.queue(ctx, req.Name), Handles: req.Body.ReceiptHandles})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp deleteMessagesResponse
	resp.Body.Failed = failuresOf(ctx, req.Body.ReceiptHandles, errs)
	return &resp, nil
}
