package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type tagResourceRequest struct {
	ResourceArn *string
	Tags        []tag `query:"Tags.member"`
}

// tagResource sets tags of a topic.
func (s *Server) tagResource(ctx context.Context, c *call, req *tagResourceRequest) (*emptyResult, error) {
	name, err := c.resourceName(req.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(req.Tags)
	if err != nil {
		return nil, err
	}
	_, err = s.broker.EditTopic(ctx, name, func(topic core.Topic) (core.TopicChange, error) {
		change := core.TopicChange{Tags: map[string]*string{}}
		for key, value := range tags {
			change.Tags[key] = &value
		}
		if len(change.Apply(topic).Tags) > maxTags {
			return change, errTooManyTags
		}
		return change, nil
	})
	return &emptyResult{}, asResource(err)
}
