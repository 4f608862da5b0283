package smq

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

type createQueueRequest struct {
	QueueName string `required:"true"`
	QueueType string
	queueAttributes
	Tag []openapi.Tag
}

// createQueue makes a queue. One that is there already is fine if it has the same attributes.
func (s *Server) createQueue(ctx context.Context, c *call, req *createQueueRequest) (*result, error) {
	if err := mns.CheckQueueName(req.QueueName); err != nil {
		return nil, err
	}
	fifo, err := isFIFO("QueueType", req.QueueType)
	if err != nil {
		return nil, err
	}
	change, err := req.change(req.QueueName)
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(req.Tag)
	if err != nil {
		return nil, err
	}
	settings := change.Apply(core.Queue{Settings: mns.DefaultSettings()}).Settings
	existing, created, err := s.broker.CreateQueue(ctx, core.NewQueue{
		Name: c.queueName(req.QueueName), FIFO: fifo, Settings: settings, Attributes: values(change.Attributes), Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	if !created && (existing.FIFO != fifo || existing.DeadLetter != settings.DeadLetter || !mns.SameQueue(&existing, settings) || differs(existing.Attributes, change.Attributes)) {
		return nil, core.Errorf(core.QueueExists, "queue %q exists with other attributes", req.QueueName)
	}
	return succeeded, nil
}
