package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type listEndpointsRequest struct {
	PlatformApplicationArn *string
	NextToken              string
}

type listEndpointsResult struct {
	Endpoints []listedEndpoint `query:"Endpoints.member"`
	NextToken string
}

type listedEndpoint struct {
	EndpointArn string
	Attributes  aws.Map[string] `query:"Attributes.entry,key,value"`
}

// listEndpointsByPlatformApplication gives a page of an application's endpoints.
func (s *Server) listEndpointsByPlatformApplication(ctx context.Context, _ *call, req *listEndpointsRequest) (*listEndpointsResult, error) {
	name, err := readApplicationARN(req.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	if _, err := s.mustHaveApplication(ctx, name); err != nil {
		return nil, err
	}
	after, err := readToken(req.NextToken)
	if err != nil {
		return nil, err
	}
	prefix := name.platform + "/" + name.name + "/"
	page, err := s.broker.ListRecords(ctx, core.ListRecordsInput{
		Account: name.account, Region: name.region, Kind: endpointKind, Prefix: prefix, After: after, Limit: pageSize,
	})
	if err != nil {
		return nil, err
	}
	result := &listEndpointsResult{NextToken: makeToken(page.Next)}
	for _, record := range page.Records {
		var endpoint platformEndpoint
		if err := json.Unmarshal([]byte(record.Value), &endpoint.Attributes); err != nil {
			return nil, fmt.Errorf("read platform endpoint %s: %w", record.Name, err)
		}
		name.id = strings.TrimPrefix(record.Name, prefix)
		result.Endpoints = append(result.Endpoints, listedEndpoint{name.arn(), endpoint.shown()})
	}
	return result, nil
}
