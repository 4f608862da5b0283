package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type publishBatchRequest struct {
	TopicArn                   *string
	PublishBatchRequestEntries []batchEntry `query:"PublishBatchRequestEntries.member"`
}

type batchEntry struct {
	Id *string
	message
}

type publishBatchResult struct {
	Successful []publishedEntry `query:"Successful.member"`
	Failed     []failedEntry    `query:"Failed.member"`
}

type publishedEntry struct {
	Id             string
	MessageId      string
	SequenceNumber string
}

type failedEntry struct {
	Id          string
	Code        string
	Message     string
	SenderFault bool
}

// Bounds of batches.
const (
	maxEntries       = 10
	maxEntryIDLength = 80
)

// publishBatch publishes all messages of a batch or, where one of them is wrong, none, as recorded.
func (s *Server) publishBatch(ctx context.Context, c *call, req *publishBatchRequest) (*publishBatchResult, error) {
	name, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	topic, err := s.broker.Topic(ctx, name)
	if err != nil {
		return nil, err
	}
	if most := max(topic.MaxMessageSize, defaultMessageSize); req.size() > most {
		return nil, batchTooLong.errorf("The length of all the messages put together is more than the limit.")
	}
	in := core.PublishInput{Topic: name, Messages: make([]core.NewPublication, len(req.PublishBatchRequestEntries))}
	for i := range req.PublishBatchRequestEntries {
		entry := &req.PublishBatchRequestEntries[i]
		if in.Messages[i], err = c.prepare(&entry.message, entryPath(i), topic.MaxMessageSize); err != nil {
			return nil, err
		}
		if err := entry.group(&in.Messages[i], topic); err != nil {
			return nil, err
		}
	}
	published, err := s.broker.Publish(ctx, in)
	if err != nil {
		return nil, err
	}
	result := new(publishBatchResult)
	for i, p := range published {
		result.Successful = append(result.Successful, publishedEntry{*req.PublishBatchRequestEntries[i].Id, p.ID.UUID(), p.Sequence})
	}
	return result, nil
}

func (req *publishBatchRequest) size() (size int) {
	for i := range req.PublishBatchRequestEntries {
		size += req.PublishBatchRequestEntries[i].size()
	}
	return size
}

// check checks what a batch is made of (specs/sns.md 4.4).
func (req *publishBatchRequest) check() error {
	switch n := len(req.PublishBatchRequestEntries); {
	case n == 0:
		return emptyBatch.errorf("The batch request doesn't contain any entries.")
	case n > maxEntries:
		return tooManyEntries.errorf("The batch request contains more entries than permissible.")
	}
	seen := map[string]bool{}
	for i := range req.PublishBatchRequestEntries {
		id := req.PublishBatchRequestEntries[i].Id
		switch {
		case id == nil:
			return required(entryPath(i) + "id")
		case seen[*id]:
			return idsNotDistinct.errorf("Two or more batch entries in the request have the same Id.")
		}
		seen[*id] = true
	}
	for id := range seen {
		switch {
		case len(id) > maxEntryIDLength:
			return invalidEntryID.errorf("The Id of a batch entry in the batch request is too long: %s", short(id))
		case !isName(id, maxEntryIDLength, "-_"):
			return invalidEntryID.errorf("The Id of a batch entry in the batch request contains an impermissible character: %s", id)
		}
	}
	return nil
}
