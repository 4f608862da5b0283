package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type untagResourceRequest struct {
	ResourceArn *string
	TagKeys     []string `query:"TagKeys.member"`
}

// untagResource removes tags of a topic; those that it does not have are no error.
func (s *Server) untagResource(ctx context.Context, c *call, req *untagResourceRequest) (*emptyResult, error) {
	name, err := c.resourceName(req.ResourceArn)
	if err != nil {
		return nil, err
	}
	change := core.TopicChange{Tags: map[string]*string{}}
	for _, key := range req.TagKeys {
		change.Tags[key] = nil
	}
	_, err = s.broker.AlterTopic(ctx, name, change)
	return &emptyResult{}, asResource(err)
}
