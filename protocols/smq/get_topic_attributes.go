package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/openapi"
)

type getTopicAttributesRequest struct {
	TopicName string `required:"true"`
	Tag       []openapi.Tag
}

func (s *Server) getTopicAttributes(ctx context.Context, c *call, req *getTopicAttributesRequest) (*topicData, error) {
	topic, err := s.broker.DescribeTopic(ctx, c.topicName(req.TopicName))
	return c.topicData(&topic), err
}
