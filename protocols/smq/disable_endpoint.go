package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/mns"
)

type disableEndpointRequest struct{ endpointRequest }

// disableEndpoint makes the data plane refuse all of the account's requests.
func (s *Server) disableEndpoint(ctx context.Context, c *call, req *disableEndpointRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	return s.changeEndpoint(ctx, c, func(endpoint *mns.Endpoint) error {
		endpoint.Disabled = true
		return nil
	})
}
