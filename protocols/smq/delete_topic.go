package smq

import (
	"context"

	"github.com/polymq/polymq/core"
)

type deleteTopicRequest struct {
	TopicName string `required:"true"`
}

// deleteTopic deletes a topic and its subscriptions; that it is gone already is no error.
func (s *Server) deleteTopic(ctx context.Context, c *call, req *deleteTopicRequest) (*result, error) {
	err := s.broker.DeleteTopic(ctx, c.topicName(req.TopicName))
	if core.CodeOf(err) == core.TopicNotFound {
		err = nil
	}
	return succeeded, err
}
