package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteTopicRequest struct{}

// deleteTopic deletes a topic and its subscriptions; that it is gone already is no error.
func (s *Server) deleteTopic(ctx context.Context, c *call, _ *deleteTopicRequest) (done, error) {
	err := s.broker.DeleteTopic(ctx, c.topic)
	if core.CodeOf(err) == core.TopicNotFound {
		err = nil
	}
	return done{}, err
}
