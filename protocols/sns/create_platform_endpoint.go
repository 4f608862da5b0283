package sns

import (
	"context"
	"slices"

	"github.com/polymq/polymq/core"
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
// as those given.
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
	name := application
	err = untilDone(func() (done bool, err error) {
		name, done, err = s.makeEndpoint(ctx, application, wanted, given)
		return done, err
	})
	if err != nil {
		return nil, err
	}
	return &endpointResult{name.arn()}, nil
}

// makeEndpoint makes an endpoint, or finds the one of that token, done false where somebody else makes or removes it meanwhile.
func (s *Server) makeEndpoint(ctx context.Context, name platformName, wanted map[string]string, given aws.Map[string]) (made platformName, done bool, err error) {
	var changes []core.RecordChange
	id, known, err := s.broker.Record(ctx, name.device(wanted[deviceToken]))
	if err != nil {
		return name, false, err
	}
	if !known {
		id = caller.RequestID()
		changes = append(changes, core.RecordChange{Name: name.device(wanted[deviceToken]), Value: id})
	}
	name.id = id
	endpoint, there, err := s.endpoint(ctx, name)
	if err != nil {
		return name, false, err
	}
	if !there {
		done, err := s.broker.ChangeRecords(ctx, append(changes, core.RecordChange{Name: name.record(), Value: jsonText(wanted)})...)
		return name, done, err
	}
	for _, pair := range given {
		if endpoint.Attributes[pair.Key] != pair.Value {
			return name, false, tokenTaken(name)
		}
	}
	return name, true, nil
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
