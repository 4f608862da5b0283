package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/openapi"
)

type untagResourcesRequest struct {
	resourcesRequest
	ResourceId []string `required:"true"`
	TagKey     []string
	All        *bool
}

// untagResources removes tags of every resource that is named: those of the keys, or all.
func (s *Server) untagResources(ctx context.Context, c *call, req *untagResourcesRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	everything := len(req.TagKey) == 0 && req.All != nil && *req.All
	if len(req.TagKey) == 0 && !everything {
		return nil, openapi.Missing("TagKey")
	}
	for _, name := range req.ResourceId {
		tags, err := s.tags(ctx, c, req.ResourceType, name)
		if err != nil {
			return nil, err
		}
		change := map[string]*string{}
		for _, key := range req.TagKey {
			change[key] = nil
		}
		for key := range tags {
			if everything {
				change[key] = nil
			}
		}
		if err := s.changeTags(ctx, c, req.ResourceType, []string{name}, change); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
