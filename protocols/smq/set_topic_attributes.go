package smq

import "context"

type setTopicAttributesRequest struct {
	TopicName string `required:"true"`
	topicAttributes
}

// setTopicAttributes changes those attributes that are given.
func (s *Server) setTopicAttributes(ctx context.Context, c *call, req *setTopicAttributesRequest) (*result, error) {
	change, err := req.change()
	if err != nil {
		return nil, err
	}
	_, err = s.broker.AlterTopic(ctx, c.topicName(req.TopicName), change)
	return succeeded, err
}
