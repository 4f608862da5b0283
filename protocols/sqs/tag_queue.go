package sqs

import (
	"context"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type tagQueueRequest struct {
	QueueUrl string
	Tags     aws.Map[string] `query:"Tag|Tags,Key,Value"`
}

// Bounds of tags.
const (
	maxTags          = 50
	maxTagKeyChars   = 128
	maxTagValueChars = 256
)

// tagQueue adds tags, and changes those of the same keys.
func (s *Server) tagQueue(ctx context.Context, c *call, req *tagQueueRequest) (*noResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(req.Tags) == 0 {
		return nil, missing("Tags")
	}
	tags, err := newTags(queue.Name.Name, req.Tags)
	if err != nil {
		return nil, err
	}
	change := core.QueueChange{Tags: map[string]*string{}}
	for key, value := range tags {
		change.Tags[key] = &value
	}
	_, err = s.broker.EditQueue(ctx, queue.Name, func(queue core.Queue) (core.QueueChange, error) {
		if len(change.Apply(queue).Tags) > maxTags {
			return change, tooManyTags(queue.Name.Name)
		}
		return change, nil
	})
	return &noResult{}, err
}

// newTags checks tags that are given to a queue.
func newTags(queue string, given aws.Map[string]) (map[string]string, error) {
	tags := make(map[string]string, len(given))
	for _, tag := range given {
		switch n := utf8.RuneCountInString(tag.Key); {
		case n < 1 || n > maxTagKeyChars:
			return nil, invalidParameter.errorf("Tag keys must be between 1 and %d characters in length.", maxTagKeyChars)
		case utf8.RuneCountInString(tag.Value) > maxTagValueChars:
			return nil, invalidParameter.errorf("Tag values must be between 0 and %d characters in length.", maxTagValueChars)
		case !core.ValidText([]byte(tag.Key)) || !core.ValidText([]byte(tag.Value)):
			return nil, invalidParameter.errorf("Tags must have no control characters.")
		}
		tags[tag.Key] = tag.Value
	}
	if len(tags) > maxTags {
		return nil, tooManyTags(queue)
	}
	return tags, nil
}

func tooManyTags(queue string) error {
	return invalidParameter.errorf("Too many tags added for queue %s.", queue)
}
