package mns

import "context"

// setTopicAttributes changes those attributes that are given.
func (s *Server) setTopicAttributes(ctx context.Context, c *call, req *TopicAttributes) (done, error) {
	change, err := req.Change()
	if err != nil {
		return done{}, err
	}
	_, err = s.broker.AlterTopic(ctx, c.topic, change)
	return done{}, err
}
