package sns

import (
	"context"
	"fmt"
	"slices"

	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

type createPlatformEndpointRequest struct {
	PlatformApplicationArn *string
	Token                  *string
	CustomUserData         *string
	Attributes             aws.Map[string] `query:"Attributes.entry,key|Name,value|Value"`
}

type endpointResult struct {
	EndpointArn string
}

// createPlatformEndpoint makes an endpoint, or finds the one of that token, whose attributes must be
// as those given. SDKs' users read its ARN out of the error's text.
func (s *Server) createPlatformEndpoint(ctx context.Context, _ *call, req *createPlatformEndpointRequest) (*endpointResult, error) {
	application, err := readApplicationARN(req.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	if req.Token == nil {
		return nil, required("token")
	}
	if reason := checkDeviceToken(*req.Token); reason != "" {
		return nil, invalid("Token Reason: %s", reason)
	}
	given := req.given()
	if err := checkEndpointAttributes(given); err != nil {
		return nil, err
	}
	if _, err := s.mustHaveApplication(ctx, application); err != nil {
		return nil, err
	}
	wanted := map[string]string{enabled: "true", customUserData: ""}
	for _, pair := range given {
		wanted[pair.Key] = pair.Value
	}
	id, _, err := s.broker.CreateRecord(ctx, application.device(wanted[deviceToken]), caller.RequestID())
	if err != nil {
		return nil, err
	}
	name := application
	name.id = id
	if _, created, err := s.broker.CreateRecord(ctx, name.record(), jsonText(wanted)); err != nil || created {
		return &endpointResult{name.arn()}, err
	}
	endpoint, ok, err := s.endpoint(ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("endpoint %s was deleted while it was made", name.arn())
	}
	for _, pair := range given {
		if endpoint.Attributes[pair.Key] != pair.Value {
			return nil, invalid("Token Reason: Endpoint %s already exists with the same Token, but different attributes.", name.arn())
		}
	}
	return &endpointResult{name.arn()}, nil
}

// given gives the attributes that are asked for; those named as attributes count, where the parameters of the same name say otherwise.
func (req *createPlatformEndpointRequest) given() aws.Map[string] {
	given := slices.Clone(req.Attributes)
	if _, named := given.Get(deviceToken); !named {
		given = append(given, aws.Pair[string]{Key: deviceToken, Value: *req.Token})
	}
	if _, named := given.Get(customUserData); !named && req.CustomUserData != nil {
		given = append(given, aws.Pair[string]{Key: customUserData, Value: *req.CustomUserData})
	}
	return given
}
