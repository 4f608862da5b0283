package sns

import (
	"context"

	"github.com/polymq/polymq/protocols/aws"
)

type attributesResult struct {
	Attributes aws.Map[string] `query:"Attributes.entry,key,value"`
}

// getTopicAttributes shows all attributes of a topic.
func (s *Server) getTopicAttributes(ctx context.Context, c *call, req *topicRequest) (*attributesResult, error) {
	name, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	topic, err := s.broker.DescribeTopic(ctx, name)
	if err != nil {
		return nil, err
	}
	return &attributesResult{shownTopic(&topic)}, nil
}
