package sqs

import (
	"context"
	"slices"
	"time"

	"github.com/polymq/polymq/core"
)

type changeMessageVisibilityRequest struct {
	QueueUrl          string
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (s *Server) changeMessageVisibility(ctx context.Context, c *call, req *changeMessageVisibilityRequest) (*noResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	switch {
	case req.ReceiptHandle == "":
		return nil, missing("ReceiptHandle")
	case req.VisibilityTimeout == nil:
		return nil, missing("VisibilityTimeout")
	}
	if err := checkVisibilityTimeout(*req.VisibilityTimeout); err != nil {
		return nil, err
	}
	change := core.VisibilityChange{Handle: req.ReceiptHandle, Timeout: *asSeconds(req.VisibilityTimeout)}
	results, err := s.broker.ChangeVisibility(ctx, changesOf(queue, []core.VisibilityChange{change}))
	if err != nil {
		return nil, err
	}
	return &noResult{}, visibilityError(change, results[0].Err)
}

// maxTotalVisibility bounds how long a receive can hide a message, however often that is changed. The seconds of requests are
// whole ones: in the second of its receive a message can be hidden for all twelve hours.
const maxTotalVisibility = maxVisibilityTimeout*time.Second + time.Second - time.Microsecond

// changesOf asks for changes of a queue's messages. On a FIFO queue a handle is good for as long as it
// hides its message; on a standard queue it stays good.
func changesOf(queue *core.Queue, changes []core.VisibilityChange) core.ChangeVisibilityInput {
	read := slices.Clone(changes)
	for i := range read {
		read[i].Handle = readHandle(read[i].Handle)
	}
	return core.ChangeVisibilityInput{Queue: queue.Name, Changes: read, Newest: queue.FIFO, MaxTotal: maxTotalVisibility}
}

func checkVisibilityTimeout(n int) error {
	if n < 0 || n > maxVisibilityTimeout {
		return invalid(n, "VisibilityTimeout", "Must be between 0 and 43200.")
	}
	return nil
}

// visibilityError says what became of one change.
func visibilityError(change core.VisibilityChange, err error) error {
	if err == nil {
		return nil
	}
	switch core.CodeOf(err) {
	case core.MessageNotFound, core.ReceiptHandleExpired, core.ReceiptHandleSuperseded:
		return invalid(change.Handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case core.VisibilityTooLong:
		return invalid(int(change.Timeout/time.Second), "VisibilityTimeout",
			"Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	return handleError(change.Handle, err)
}
