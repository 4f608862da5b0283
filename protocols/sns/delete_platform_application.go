package sns

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
)

type platformApplicationRequest struct {
	PlatformApplicationArn *string
}

// deletePlatformApplication removes an application with its endpoints; one that is not there is no
// error.
func (s *Server) deletePlatformApplication(ctx context.Context, _ *call, req *platformApplicationRequest) (*noResult, error) {
	name, err := readApplicationARN(req.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	if _, err := s.broker.DeleteRecord(ctx, name.record()); err != nil {
		return nil, err
	}
	prefix := name.platform + "/" + name.name + "/"
	for {
		page, err := s.broker.ListRecords(ctx, core.ListRecordsInput{
			Account: name.account, Region: name.region, Kind: endpointKind, Prefix: prefix, Limit: core.MaxListed,
		})
		if err != nil || len(page.Records) == 0 {
			return &noResult{}, err
		}
		for _, record := range page.Records {
			name.id = strings.TrimPrefix(record.Name, prefix)
			if err := s.dropEndpoint(ctx, name); err != nil {
				return nil, err
			}
		}
	}
}
