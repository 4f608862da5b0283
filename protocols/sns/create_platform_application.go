package sns

import (
	"context"
	"maps"
	"slices"

	"github.com/polymq/polymq/protocols/aws"
)

type createPlatformApplicationRequest struct {
	Name       *string
	Platform   *string
	Attributes aws.Map[string] `query:"Attributes.entry,key|Name,value|Value"`
}

type platformApplicationResult struct {
	PlatformApplicationArn string
}

// createPlatformApplication makes an application, or finds the one of that name and platform, whose attributes must be as those given.
// The credentials are not kept, and not compared.
func (s *Server) createPlatformApplication(ctx context.Context, c *call, req *createPlatformApplicationRequest) (*platformApplicationResult, error) {
	switch {
	case req.Name == nil:
		return nil, required("name")
	case req.Platform == nil:
		return nil, required("platform")
	case len(req.Attributes) == 0:
		return nil, required("attributes")
	case !slices.Contains(platforms, *req.Platform):
		return nil, invalid("Platform Reason: %s is not supported", short(*req.Platform))
	case *req.Name == "":
		return nil, invalid(" Reason: cannot be empty")
	case len(*req.Name) > maxPlatformName:
		return nil, invalid("%s Reason: must be at most 256 characters long", short(*req.Name))
	case !isName(*req.Name, maxPlatformName, "_-."):
		return nil, invalid("%s Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'", *req.Name)
	}
	kept, err := checkApplicationAttributes(*req.Platform, req.Attributes)
	if err != nil {
		return nil, err
	}
	if kept[enabled] == "" {
		kept[enabled] = "true"
	}
	name := platformName{account: c.Account, region: c.Region, platform: *req.Platform, name: *req.Name}
	_, created, err := s.broker.CreateRecord(ctx, name.record(), jsonText(kept))
	if err == nil && !created {
		var there map[string]string
		if there, err = s.mustHaveApplication(ctx, name); err == nil && !maps.Equal(there, kept) {
			err = invalid("Name Reason: An application with the same name but different properties already exists")
		}
	}
	return &platformApplicationResult{name.arn()}, err
}
