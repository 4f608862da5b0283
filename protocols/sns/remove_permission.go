package sns

import (
	"context"
	"slices"
)

type removePermissionRequest struct {
	TopicArn *string
	Label    *string
}

// removePermission removes a statement from the topic's policy; one that is not there is no error.
func (s *Server) removePermission(ctx context.Context, c *call, req *removePermissionRequest) (*noResult, error) {
	name, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	if req.Label == nil {
		return nil, required("label")
	}
	return &noResult{}, s.editPolicy(ctx, name, func(p *accessPolicy) error {
		if i := p.find(*req.Label); i >= 0 {
			p.Statement = slices.Delete(p.Statement, i, i+1)
		}
		return nil
	})
}
