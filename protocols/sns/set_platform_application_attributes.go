package sns

import (
	"context"
	"maps"

	"github.com/polymq/polymq/protocols/aws"
)

type setPlatformApplicationAttributesRequest struct {
	PlatformApplicationArn *string
	Attributes             aws.Map[string] `query:"Attributes.entry,key|Name,value|Value"`
}

// setPlatformApplicationAttributes changes attributes of an application.
func (s *Server) setPlatformApplicationAttributes(ctx context.Context, _ *call, req *setPlatformApplicationAttributesRequest) (*noResult, error) {
	name, err := readApplicationARN(req.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, required("attributes")
	}
	kept, err := checkApplicationAttributes(name.platform, req.Attributes)
	if err != nil {
		return nil, err
	}
	attributes, err := s.mustHaveApplication(ctx, name)
	if err != nil {
		return nil, err
	}
	maps.Copy(attributes, kept)
	if ok, err := s.broker.SetRecord(ctx, name.record(), jsonText(attributes)); err != nil || !ok {
		if err == nil {
			err = notFound.errorf("PlatformApplication does not exist")
		}
		return nil, err
	}
	return &noResult{}, nil
}
