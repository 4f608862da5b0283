package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type setTopicAttributesRequest struct {
	TopicArn       *string
	AttributeName  *string
	AttributeValue string
}

// setTopicAttributes sets one attribute.
func (s *Server) setTopicAttributes(ctx context.Context, c *call, req *setTopicAttributesRequest) (*noResult, error) {
	name, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	if req.AttributeName == nil {
		return nil, required("attributeName")
	}
	topic, err := s.broker.DescribeTopic(ctx, name)
	if err != nil {
		return nil, err
	}
	attribute, known := topicAttributeOf(*req.AttributeName)
	if !known || attribute.set == nil || attribute.fifo && !topic.FIFO {
		return nil, invalid("AttributeName")
	}
	var change core.TopicChange
	if err := attribute.set(&change, req.AttributeValue); err != nil {
		return nil, invalid("%s", err.Error())
	}
	_, err = s.broker.AlterTopic(ctx, name, change)
	return &noResult{}, err
}
