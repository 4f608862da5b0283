package sns

import (
	"context"
	"errors"

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

// publishBatch publishes the messages of a batch. An entry without text or with a wrong subject fails by itself; where another thing is
// wrong with one of them, none is published, as recorded.
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
	in, ids, failed, err := c.prepareBatch(req, topic)
	if err != nil {
		return nil, err
	}
	result := &publishBatchResult{Failed: failed}
	if len(in.Messages) == 0 {
		return result, nil
	}
	published, err := s.broker.Publish(ctx, in)
	if err != nil {
		return nil, err
	}
	for i, p := range published {
		result.Successful = append(result.Successful, publishedEntry{ids[i], p.ID.UUID(), p.Sequence})
	}
	return result, nil
}

// prepareBatch gives the messages to publish with the ids of their entries, and the entries that fail.
func (c *call) prepareBatch(req *publishBatchRequest, topic *core.Topic) (in core.PublishInput, ids []string, failed []failedEntry, err error) {
	in.Topic = topic.Name
	for i := range req.PublishBatchRequestEntries {
		entry := &req.PublishBatchRequestEntries[i]
		m, err := c.prepare(&entry.message, entryPath(i), topic.MaxMessageSize, "")
		if errors.Is(err, errSubject) || errors.Is(err, errEmpty) {
			f := faultOf(err)
			failed = append(failed, failedEntry{*entry.Id, f.code, f.message, true})
			continue
		}
		if err == nil {
			err = entry.group(&m, topic)
		}
		if err != nil {
			return in, nil, nil, err
		}
		in.Messages, ids = append(in.Messages, m), append(ids, *entry.Id)
	}
	return in, ids, failed, nil
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
