package smq

import "context"

type enableEndpointRequest struct{ endpointRequest }

// enableEndpoint makes the data plane take the account's requests again.
func (s *Server) enableEndpoint(ctx context.Context, c *call, req *enableEndpointRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	return nil, s.gate.Disable(ctx, c.Account, c.Region, false)
}
