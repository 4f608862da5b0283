package sns

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/polymq/polymq/core"
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
	return &noResult{}, untilDone(func() (bool, error) { return s.setEndpoint(ctx, name, req.Attributes) })
}

// setEndpoint changes an endpoint, done false where somebody else changes it meanwhile.
func (s *Server) setEndpoint(ctx context.Context, name platformName, given aws.Map[string]) (done bool, err error) {
	text, ok, err := s.broker.Record(ctx, name.record())
	if err != nil {
		return false, err
	}
	if !ok {
		return false, notFound.errorf("Endpoint does not exist")
	}
	attributes := map[string]string{}
	if err := json.Unmarshal([]byte(text), &attributes); err != nil {
		return false, fmt.Errorf("read platform endpoint %s: %w", name.id, err)
	}
	was := attributes[deviceToken]
	for _, pair := range given {
		attributes[pair.Key] = pair.Value
	}
	changes, err := s.tokenChanges(ctx, name, was, attributes[deviceToken])
	if err != nil {
		return false, err
	}
	return s.broker.ChangeRecords(ctx, append(changes, core.RecordChange{Name: name.record(), Was: text, Value: jsonText(attributes)})...)
}
