package smq

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

type createTopicRequest struct {
	TopicName string `required:"true"`
	TopicType string
	topicAttributes
	Tag []openapi.Tag
}

// createTopic makes a topic. One that is there already is fine if it has the same attributes.
func (s *Server) createTopic(ctx context.Context, c *call, req *createTopicRequest) (*result, error) {
	if err := mns.CheckTopicName(req.TopicName); err != nil {
		return nil, err
	}
	fifo, err := isFIFO("TopicType", req.TopicType)
	if err != nil {
		return nil, err
	}
	change, err := req.change()
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(req.Tag)
	if err != nil {
		return nil, err
	}
	settings := change.Apply(core.Topic{TopicSettings: mns.DefaultTopicSettings()}).TopicSettings
	existing, created, err := s.broker.CreateTopic(ctx, core.NewTopic{
		Name: c.topicName(req.TopicName), FIFO: fifo, Settings: settings, Attributes: values(change.Attributes), Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	if !created && (existing.FIFO != fifo || !mns.SameTopic(&existing, settings) || differs(existing.Attributes, change.Attributes)) {
		return nil, core.Errorf(core.TopicExists, "topic %q exists with other attributes", req.TopicName)
	}
	return succeeded, nil
}
