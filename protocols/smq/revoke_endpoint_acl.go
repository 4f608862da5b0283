package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/mns"
)

type revokeEndpointAclRequest struct{ aclRequest }

// revokeEndpointAcl takes networks off the list of those that may use the endpoint.
func (s *Server) revokeEndpointAcl(ctx context.Context, c *call, req *revokeEndpointAclRequest) (none, error) {
	networks, err := req.networks()
	if err != nil {
		return nil, err
	}
	return nil, s.gate.Allow(ctx, c.Account, c.Region, func(allowed []mns.Allowed) ([]mns.Allowed, error) {
		return without(allowed, networks), nil
	})
}
