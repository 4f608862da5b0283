package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteMessageBatchRequest struct {
	QueueUrl string
	Entries  []deleteEntry `query:"DeleteMessageBatchRequestEntry"`
}

type deleteEntry struct {
	Id            string
	ReceiptHandle string
}

type deleteMessageBatchResult struct {
	Successful []doneEntry   `query:"DeleteMessageBatchResultEntry"`
	Failed     []failedEntry `query:"BatchResultErrorEntry"`
}

func (s *Server) deleteMessageBatch(ctx context.Context, c *call, req *deleteMessageBatchRequest) (*deleteMessageBatchResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(req.Entries, "DeleteMessageBatchRequestEntry", func(e *deleteEntry) string { return e.Id }); err != nil {
		return nil, err
	}
	handles := make([]string, len(req.Entries))
	for i := range req.Entries {
		handles[i] = readHandle(req.Entries[i].ReceiptHandle)
	}
	errs, err := s.broker.DeleteMessages(ctx, core.DeleteInput{Queue: queue.Name, Handles: handles})
	if err != nil {
		return nil, err
	}
	result := &deleteMessageBatchResult{Successful: make([]doneEntry, 0, len(req.Entries))}
	for i := range req.Entries {
		if err := deleteError(req.Entries[i].ReceiptHandle, errs[i]); err != nil {
			result.Failed = append(result.Failed, failed(req.Entries[i].Id, err))
		} else {
			result.Successful = append(result.Successful, doneEntry{req.Entries[i].Id})
		}
	}
	return result, nil
}
