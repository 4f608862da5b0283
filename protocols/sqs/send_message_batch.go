package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type sendMessageBatchRequest struct {
	QueueUrl string
	Entries  []sendEntry `query:"SendMessageBatchRequestEntry"`
}

type sendEntry struct {
	Id string
	newMessage
}

type sendMessageBatchResult struct {
	Successful []sentEntry   `query:"SendMessageBatchResultEntry"`
	Failed     []failedEntry `query:"BatchResultErrorEntry"`
}

type sentEntry struct {
	Id string
	sentMessage
}

// maxBatchSize bounds a batch of messages, whatever the queue allows a single one.
const maxBatchSize = 1 << 20

// sendMessageBatch sends the messages that can be sent, and says of each of the others why not.
func (s *Server) sendMessageBatch(ctx context.Context, c *call, req *sendMessageBatchRequest) (*sendMessageBatchResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	if queue.FIFO {
		if err := req.checkFIFOEntries(queue); err != nil {
			return nil, err
		}
	}
	result := &sendMessageBatchResult{Successful: make([]sentEntry, 0, len(req.Entries))}
	messages := make([]core.NewMessage, 0, len(req.Entries))
	for i := range req.Entries {
		entry := &req.Entries[i]
		message, sent, err := c.prepare(queue, &entry.newMessage, "cannot be validated")
		if err != nil {
			result.Failed = append(result.Failed, failed(entry.Id, err))
			continue
		}
		messages = append(messages, message)
		result.Successful = append(result.Successful, sentEntry{entry.Id, sent})
	}
	if len(messages) == 0 {
		return result, nil
	}
	sent, err := s.broker.SendMessages(ctx, core.SendInput{Queue: queue.Name, Messages: messages})
	if err != nil {
		return nil, err
	}
	for i := range sent {
		result.Successful[i].MessageId, result.Successful[i].SequenceNumber = sent[i].ID.UUID(), sent[i].Sequence
	}
	return result, nil
}

func (req *sendMessageBatchRequest) check() error {
	if err := checkBatch(req.Entries, "SendMessageBatchRequestEntry", func(e *sendEntry) string { return e.Id }); err != nil {
		return err
	}
	size := 0
	for i := range req.Entries {
		size += req.Entries[i].size()
	}
	if size > maxBatchSize {
		return batchTooLong.errorf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBatchSize, size)
	}
	return nil
}
