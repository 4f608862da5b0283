package sns

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/polymq/polymq/protocols/aws"
)

type setEndpointAttributesRequest struct {
	EndpointArn *string
	Attributes  aws.Map[string] `query:"Attributes.entry,key|Name,value|Value"`
}

// setEndpointAttributes changes attributes of an endpoint. A new token must be nobody else's, and frees the old one.
func (s *Server) setEndpointAttributes(ctx context.Context, _ *call, req *setEndpointAttributesRequest) (*noResult, error) {
	name, _, err := s.mustHaveEndpoint(ctx, req.EndpointArn)
	if err != nil {
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, required("attributes")
	}
	if err := checkEndpointAttributes(req.Attributes); err != nil {
		return nil, err
	}
	var was, is string
	ok, err := s.broker.EditRecord(ctx, name.record(), func(text string) (string, error) {
		attributes := map[string]string{}
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			return "", fmt.Errorf("read platform endpoint %s: %w", name.id, err)
		}
		was = attributes[deviceToken]
		for _, pair := range req.Attributes {
			attributes[pair.Key] = pair.Value
		}
		is = attributes[deviceToken]
		return jsonText(attributes), s.takeToken(ctx, name, was, is)
	})
	if err == nil && !ok {
		err = notFound.errorf("Endpoint does not exist")
	}
	if err == nil && was != is {
		_, err = s.broker.DeleteRecord(ctx, name.device(was))
	}
	return &noResult{}, err
}

// takeToken makes a token the endpoint's, unless it has been.
func (s *Server) takeToken(ctx context.Context, name platformName, was, is string) error {
	if was == is {
		return nil
	}
	owner, created, err := s.broker.CreateRecord(ctx, name.device(is), name.id)
	if err == nil && !created && owner != name.id {
		name.id = owner
		err = invalid("Token Reason: Endpoint %s already exists with the same Token, but different attributes.", name.arn())
	}
	return err
}
