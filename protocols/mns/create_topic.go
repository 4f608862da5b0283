package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

// createTopic makes a topic. One that is there already is fine if it has the same attributes.
func (s *Server) createTopic(ctx context.Context, c *call, req *TopicAttributes) (*createdResponse, error) {
	if err := CheckTopicName(c.topic.Name); err != nil {
		return nil, err
	}
	settings, err := req.Settings()
	if err != nil {
		return nil, err
	}
	existing, created, err := s.broker.CreateTopic(ctx, core.NewTopic{Name: c.topic, Settings: settings})
	if err != nil {
		return nil, err
	}
	if !created && !SameTopic(&existing, settings) {
		return nil, core.Errorf(core.TopicExists, "topic %q exists with other attributes", c.topic.Name)
	}
	return &createdResponse{url: c.topicURL(c.topic.Name), created: created}, nil
}
