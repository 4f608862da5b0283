package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteMessageRequest struct {
	QueueUrl      string
	ReceiptHandle string
}

// deleteMessage deletes a message. That it is gone already is no error.
func (s *Server) deleteMessage(ctx context.Context, c *call, req *deleteMessageRequest) (*noResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	results, err := s.broker.DeleteMessages(ctx, core.DeleteInput{Queue: name, Handles: []string{readHandle(req.ReceiptHandle)}})
	if err != nil {
		return nil, err
	}
	return &noResult{}, deleteError(req.ReceiptHandle, results[0])
}

// deleteError says what became of one handle.
func deleteError(handle string, err error) error {
	if err == nil || core.CodeOf(err) == core.MessageNotFound {
		return nil
	}
	return handleError(handle, err)
}

// handleError names the handle in an error about it.
func handleError(handle string, err error) error {
	switch code := core.CodeOf(err); {
	case code == core.ReceiptHandleInvalid && handle == "":
		return missing("ReceiptHandle")
	case code == core.ReceiptHandleInvalid:
		return receiptHandle.errorf(`The input receipt handle "%s" is not a valid receipt handle.`, short(handle))
	case code == core.ReceiptHandleExpired, code == core.ReceiptHandleSuperseded:
		return invalid(handle, "ReceiptHandle", "The receipt handle has expired.")
	}
	return err
}
