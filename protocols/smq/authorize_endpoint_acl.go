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
	return s.changeEndpoint(ctx, c, func(endpoint *mns.Endpoint) error {
		for _, network := range networks {
			if !slices.ContainsFunc(endpoint.Allowed, func(a mns.Allowed) bool { return a.Cidr == network }) {
				endpoint.Allowed = append(endpoint.Allowed, mns.Allowed{Cidr: network, CreatedAt: time.Now().UnixMilli()})
			}
		}
		if len(endpoint.Allowed) > mns.MaxAllowed {
			return openapi.InvalidParameter("CidrList", "makes more than "+strconv.Itoa(mns.MaxAllowed)+" networks")
		}
		return nil
	})
}
