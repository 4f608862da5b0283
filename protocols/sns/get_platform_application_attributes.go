package sns

import "context"

// getPlatformApplicationAttributes shows the attributes of an application, never its credentials.
func (s *Server) getPlatformApplicationAttributes(ctx context.Context, _ *call, req *platformApplicationRequest) (*attributesResult, error) {
	name, err := readApplicationARN(req.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	attributes, err := s.mustHaveApplication(ctx, name)
	if err != nil {
		return nil, err
	}
	return &attributesResult{sortedMap(attributes)}, nil
}
