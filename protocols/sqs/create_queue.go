package sqs

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type createQueueRequest struct {
	QueueName  string
	Attributes aws.Map[string] `query:"Attribute,Name,Value"`
	Tags       aws.Map[string] `json:"tags" query:"Tag,Key,Value"`
}

type queueURLResult struct {
	QueueUrl string
}

// createQueue makes a queue, or finds one of that name whose attributes are as those given.
// Others are not compared, nor are tags.
func (s *Server) createQueue(ctx context.Context, c *call, req *createQueueRequest) (*queueURLResult, error) {
	isFIFO, err := checkNewName(req)
	if err != nil {
		return nil, err
	}
	name := core.QueueName{Account: c.Account, Region: c.Region, Name: req.QueueName}
	change := attributeChange{name: name, fifo: isFIFO}
	if err := change.set(req.Attributes); err != nil {
		return nil, err
	}
	tags, err := newTags(req.QueueName, req.Tags)
	if err != nil {
		return nil, err
	}
	wanted := change.Apply(core.Queue{FIFO: isFIFO, Settings: core.DefaultSettings()})
	if err := checkThroughput(wanted); err != nil {
		return nil, err
	}
	if err := s.checkNotJustDeleted(ctx, name); err != nil {
		return nil, err
	}
	queue, created, err := s.broker.CreateQueue(ctx, core.NewQueue{
		Name:       name,
		FIFO:       isFIFO,
		Settings:   wanted.Settings,
		Attributes: wanted.Attributes,
		Tags:       tags,
	})
	if err != nil {
		given, _ := req.Attributes.Get(redrivePolicy)
		return nil, redriveError(given, err)
	}
	if !created {
		if err := compareAttributes(queue, &change, req.Attributes); err != nil {
			return nil, err
		}
	}
	return &queueURLResult{c.url(queue.Name)}, nil
}

// compareAttributes fails when an attribute that was given is not what the queue has.
func compareAttributes(queue core.Queue, change *attributeChange, given aws.Map[string]) error {
	wanted := change.Apply(queue)
	wanted.FIFO = change.fifo
	for _, pair := range given {
		attribute, _ := queueAttributeOf(pair.Key)
		same := attribute.same
		if same == nil {
			same = func(a, b string) bool { return a == b }
		}
		if !same(attribute.shown(&queue), attribute.shown(&wanted)) {
			return queueNameExists.errorf("A queue already exists with the same name and a different value for attribute %s", pair.Key)
		}
	}
	return nil
}

// Names of queues.
const (
	maxNameLength = 80
	fifoSuffix    = ".fifo"
)

// checkNewName checks the name, and that it fits the type of queue that is asked for.
func checkNewName(req *createQueueRequest) (isFIFO bool, err error) {
	if req.QueueName == "" {
		return false, missing("QueueName")
	}
	stem, hasSuffix := strings.CutSuffix(req.QueueName, fifoSuffix)
	isFIFO, err = wantsFIFO(req)
	switch valid := isQueueName(stem) && len(req.QueueName) <= maxNameLength; {
	case err != nil:
		return false, err
	case isFIFO && !(valid && hasSuffix):
		return false, invalidParameter.errorf("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length")
	case !isFIFO && (!valid || hasSuffix):
		return false, invalidParameter.errorf("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return isFIFO, nil
}

// wantsFIFO says whether a FIFO queue is asked for.
func wantsFIFO(req *createQueueRequest) (bool, error) {
	value, given := req.Attributes.Get(fifoQueue)
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, unknownAttribute(fifoQueue) // of a standard queue
	}
	if given {
		return false, invalidAttributeValue(fifoQueue)
	}
	return false, nil
}

func isQueueName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != ""
}
