package sns

import "context"

// getEndpointAttributes shows the attributes of an endpoint.
func (s *Server) getEndpointAttributes(ctx context.Context, _ *call, req *endpointRequest) (*attributesResult, error) {
	_, endpoint, err := s.mustHaveEndpoint(ctx, req.EndpointArn)
	if err != nil {
		return nil, err
	}
	return &attributesResult{endpoint.shown()}, nil
}
