package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type topicRequest struct {
	TopicArn *string
}

// deleteTopic deletes a topic; one that is not there is no error.
func (s *Server) deleteTopic(ctx context.Context, c *call, req *topicRequest) (*noResult, error) {
	name, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := s.broker.DeleteTopic(ctx, name); err != nil && core.CodeOf(err) != core.TopicNotFound {
		return nil, err
	}
	return &noResult{}, nil
}
