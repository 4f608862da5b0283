package sns

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/polymq/polymq/core"
)

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
	return untilDone(func() (bool, error) {
		text, ok, err := s.broker.Record(ctx, name.record())
		if err != nil || !ok {
			return true, err
		}
		var attributes map[string]string
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			return false, fmt.Errorf("read platform endpoint %s: %w", name.id, err)
		}
		changes, err := s.tokenChanges(ctx, name, attributes[deviceToken], "")
		if err != nil {
			return false, err
		}
		return s.broker.ChangeRecords(ctx, append(changes, core.RecordChange{Name: name.record(), Was: text})...)
	})
}
