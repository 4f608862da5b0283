package smq

import "context"

type disableEndpointRequest struct{ endpointRequest }

// disableEndpoint makes the data plane refuse all of the account's requests.
func (s *Server) disableEndpoint(ctx context.Context, c *call, req *disableEndpointRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	return nil, s.gate.Disable(ctx, c.Account, c.Region, true)
}
