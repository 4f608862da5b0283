package sns

import "context"

type endpointRequest struct {
	EndpointArn *string
}

// deleteEndpoint removes an endpoint; one that is not there is no error. Subscriptions of it stay.
func (s *Server) deleteEndpoint(ctx context.Context, _ *call, req *endpointRequest) (*noResult, error) {
	name, err := endpointName(req.EndpointArn)
	if err != nil {
		return nil, err
	}
	return &noResult{}, s.dropEndpoint(ctx, name)
}

// dropEndpoint removes an endpoint, and what finds it by its token.
func (s *Server) dropEndpoint(ctx context.Context, name platformName) error {
	endpoint, ok, err := s.endpoint(ctx, name)
	if err != nil || !ok {
		return err
	}
	if _, err := s.broker.DeleteRecord(ctx, name.record()); err != nil {
		return err
	}
	_, err = s.broker.DeleteRecord(ctx, name.device(endpoint.Attributes[deviceToken]))
	return err
}
