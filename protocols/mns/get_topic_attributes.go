package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type getTopicAttributesRequest struct{}

type getTopicAttributesResponse struct{ topic core.Topic }

func (r *getTopicAttributesResponse) write(a *answer) {
	a.root("Topic")
	a.writeTopic(&r.topic)
	a.end("Topic")
}

func (s *Server) getTopicAttributes(ctx context.Context, c *call, _ *getTopicAttributesRequest) (*getTopicAttributesResponse, error) {
	topic, err := s.broker.DescribeTopic(ctx, c.topic)
	return &getTopicAttributesResponse{topic}, err
}
