package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listTagsResult struct {
	Tags []tag `query:"Tags.member"`
}

// listTagsForResource gives the tags of a topic: none when it has been deleted, as recorded.
func (s *Server) listTagsForResource(ctx context.Context, c *call, req *resourceRequest) (*listTagsResult, error) {
	name, err := c.resourceName(req.ResourceArn)
	if err != nil {
		return nil, err
	}
	topic, err := s.broker.DescribeTopic(ctx, name)
	if err != nil && core.CodeOf(err) != core.TopicNotFound {
		return nil, err
	}
	return &listTagsResult{tagsOf(&topic)}, nil
}
