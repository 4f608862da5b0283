package sns

import (
	"context"
	"maps"

	"github.com/polymq/polymq/protocols/aws"
)

type setEndpointAttributesRequest struct {
	EndpointArn *string
	Attributes  aws.Map[string] `query:"Attributes.entry,key|Name,value|Value"`
}

// setEndpointAttributes changes attributes of an endpoint.
func (s *Server) setEndpointAttributes(ctx context.Context, _ *call, req *setEndpointAttributesRequest) (*noResult, error) {
	name, endpoint, err := s.mustHaveEndpoint(ctx, req.EndpointArn)
	if err != nil {
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, required("attributes")
	}
	if err := checkEndpointAttributes(req.Attributes); err != nil {
		return nil, err
	}
	changed := maps.Clone(endpoint.Attributes)
	for _, pair := range req.Attributes {
		changed[pair.Key] = pair.Value
	}
	if was, is := endpoint.Attributes[deviceToken], changed[deviceToken]; was != is {
		owner, created, err := s.broker.CreateRecord(ctx, name.device(is), name.id)
		if err != nil {
			return nil, err
		}
		if !created && owner != name.id {
			name.id = owner
			return nil, invalid("Token Reason: Endpoint %s already exists with the same Token, but different attributes.", name.arn())
		}
		if _, err := s.broker.DeleteRecord(ctx, name.device(was)); err != nil {
			return nil, err
		}
	}
	if ok, err := s.broker.SetRecord(ctx, name.record(), jsonText(changed)); err != nil || !ok {
		if err == nil {
			err = notFound.errorf("Endpoint does not exist")
		}
		return nil, err
	}
	return &noResult{}, nil
}
