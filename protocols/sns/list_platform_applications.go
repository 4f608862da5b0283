package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/polymq/polymq/protocols/aws"
)

type listPlatformApplicationsResult struct {
	PlatformApplications []platformApplication `query:"PlatformApplications.member"`
	NextToken            string
}

type platformApplication struct {
	PlatformApplicationArn string
	Attributes             aws.Map[string] `query:"Attributes.entry,key,value"`
}

// listPlatformApplications gives a page of the account's applications.
func (s *Server) listPlatformApplications(ctx context.Context, c *call, req *pageRequest) (*listPlatformApplicationsResult, error) {
	page, err := s.listRecords(ctx, c, applicationKind, "", req.NextToken, pageSize)
	if err != nil {
		return nil, err
	}
	result := &listPlatformApplicationsResult{NextToken: page.Next}
	for _, record := range page.Records {
		var attributes map[string]string
		if err := json.Unmarshal([]byte(record.Value), &attributes); err != nil {
			return nil, fmt.Errorf("read platform application %s: %w", record.Name, err)
		}
		name := platformName{account: c.Account, region: c.Region}
		name.platform, name.name, _ = strings.Cut(record.Name, "/")
		result.PlatformApplications = append(result.PlatformApplications, platformApplication{name.arn(), sortedMap(attributes)})
	}
	return result, nil
}
