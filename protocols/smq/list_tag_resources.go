package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/openapi"
)

type listTagResourcesRequest struct {
	resourcesRequest
	ResourceId []string `required:"true"`
	Tag        []openapi.Tag
}

type tagResourcesData struct{ TagResource []resourceTagData }

type resourceTagData struct{ ResourceType, ResourceId, TagKey, TagValue string }

// listTagResources gives the tags of the resources that are named and have all tags that are asked for.
func (s *Server) listTagResources(ctx context.Context, c *call, req *listTagResourcesRequest) (*tagResourcesAnswer, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	data := tagResourcesData{TagResource: []resourceTagData{}}
	for _, name := range req.ResourceId {
		tags, err := s.tags(ctx, c, req.ResourceType, name)
		if err != nil {
			return nil, err
		}
		if !tagged(tags, req.Tag) {
			continue
		}
		for _, t := range tagsOf(tags) {
			data.TagResource = append(data.TagResource, resourceTagData{req.ResourceType, name, t.TagKey, t.TagValue})
		}
	}
	return &tagResourcesAnswer{c.ID(), data}, nil
}

// tagResourcesAnswer is an answer of the general form of tags, without the envelope of other actions.
type tagResourcesAnswer struct {
	RequestId    string
	TagResources tagResourcesData
}
