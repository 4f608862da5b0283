package sqs

import (
	"context"

	"github.com/polymq/polymq/core"
)

type changeMessageVisibilityBatchRequest struct {
	QueueUrl string
	Entries  []visibilityEntry `query:"ChangeMessageVisibilityBatchRequestEntry"`
}

type visibilityEntry struct {
	Id                string
	ReceiptHandle     string
	VisibilityTimeout *int
}

type changeMessageVisibilityBatchResult struct {
	Successful []doneEntry   `query:"ChangeMessageVisibilityBatchResultEntry"`
	Failed     []failedEntry `query:"BatchResultErrorEntry"`
}

// changeMessageVisibilityBatch makes the changes that can be made, and says of each of the others
// why not.
func (s *Server) changeMessageVisibilityBatch(ctx context.Context, c *call, req *changeMessageVisibilityBatchRequest) (*changeMessageVisibilityBatchResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(req.Entries, "ChangeMessageVisibilityBatchRequestEntry", func(e *visibilityEntry) string { return e.Id }); err != nil {
		return nil, err
	}
	result := new(changeMessageVisibilityBatchResult)
	var changes []core.VisibilityChange
	var ids []string
	for _, entry := range req.Entries {
		change, err := entry.change()
		if err != nil {
			result.Failed = append(result.Failed, failed(entry.Id, err))
			continue
		}
		changes, ids = append(changes, change), append(ids, entry.Id)
	}
	if len(changes) == 0 {
		return result, nil
	}
	results, err := s.broker.ChangeVisibility(ctx, changesOf(queue, changes))
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if err := visibilityError(changes[i], results[i].Err); err != nil {
			result.Failed = append(result.Failed, failed(id, err))
		} else {
			result.Successful = append(result.Successful, doneEntry{id})
		}
	}
	return result, nil
}

func (e *visibilityEntry) change() (core.VisibilityChange, error) {
	if e.VisibilityTimeout == nil {
		return core.VisibilityChange{}, missing("VisibilityTimeout")
	}
	if err := checkVisibilityTimeout(*e.VisibilityTimeout); err != nil {
		return core.VisibilityChange{}, err
	}
	return core.VisibilityChange{Handle: e.ReceiptHandle, Timeout: *asSeconds(e.VisibilityTimeout)}, nil
}
