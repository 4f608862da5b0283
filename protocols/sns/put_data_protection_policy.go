package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type putDataProtectionPolicyRequest struct {
	ResourceArn          *string
	DataProtectionPolicy *string
}

// putDataProtectionPolicy keeps a policy; an empty one removes it.
func (s *Server) putDataProtectionPolicy(ctx context.Context, c *call, req *putDataProtectionPolicyRequest) (*noResult, error) {
	name, err := c.resourceName(req.ResourceArn)
	if err != nil {
		return nil, err
	}
	if req.DataProtectionPolicy == nil {
		return nil, required("dataProtectionPolicy")
	}
	if err := checkDataProtection(*req.DataProtectionPolicy); err != nil {
		return nil, err
	}
	var change core.TopicChange
	keep(&change.Attributes, dataProtectionKey, *req.DataProtectionPolicy)
	_, err = s.broker.AlterTopic(ctx, name, change)
	return &noResult{}, asResource(err)
}
