package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/mns"
)

type enableEndpointRequest struct{ endpointRequest }

// enableEndpoint makes the data plane take the account's requests again.
func (s *Server) enableEndpoint(ctx context.Context, c *call, req *enableEndpointRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	return s.changeEndpoint(ctx, c, func(endpoint *mns.Endpoint) error {
		endpoint.Disabled = false
		return nil
	})
}
