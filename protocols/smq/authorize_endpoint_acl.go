package smq

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

type authorizeEndpointAclRequest struct{ aclRequest }

// authorizeEndpointAcl lets networks use the endpoint; those that could already still can.
func (s *Server) authorizeEndpointAcl(ctx context.Context, c *call, req *authorizeEndpointAclRequest) (none, error) {
	networks, err := req.networks()
	if err != nil {
		return nil, err
	}
	return nil, s.gate.Allow(ctx, c.Account, c.Region, func(allowed []mns.Allowed) ([]mns.Allowed, error) {
		for _, network := range networks {
			if !slices.ContainsFunc(allowed, func(a mns.Allowed) bool { return a.Cidr == network }) {
				allowed = append(allowed, mns.Allowed{Cidr: network, CreatedAt: time.Now().UnixMilli()})
			}
		}
		if len(allowed) > mns.MaxAllowed {
			return nil, openapi.InvalidParameter("CidrList", "makes more than "+strconv.Itoa(mns.MaxAllowed)+" networks")
		}
		return allowed, nil
	})
}
