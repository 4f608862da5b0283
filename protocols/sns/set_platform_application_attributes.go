package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/polymq/polymq/protocols/aws"
)

type setPlatformApplicationAttributesRequest struct {
	PlatformApplicationArn *string
	Attributes             aws.Map[string] `query:"Attributes.entry,key|Name,value|Value"`
}

// setPlatformApplicationAttributes changes attributes of an application.
func (s *Server) setPlatformApplicationAttributes(ctx context.Context, _ *call, req *setPlatformApplicationAttributesRequest) (*noResult, error) {
	name, err := readApplicationARN(req.PlatformApplicationArn)
	if err != nil {
		return nil, err
	}
	if len(req.Attributes) == 0 {
		return nil, required("attributes")
	}
	kept, err := checkApplicationAttributes(name.platform, req.Attributes)
	if err != nil {
		return nil, err
	}
	ok, err := s.broker.EditRecord(ctx, name.record(), func(text string) (string, error) {
		attributes := map[string]string{}
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			return "", fmt.Errorf("read platform application %s: %w", name.name, err)
		}
		maps.Copy(attributes, kept)
		return jsonText(attributes), nil
	})
	if err == nil && !ok {
		err = notFound.errorf("PlatformApplication does not exist")
	}
	return &noResult{}, err
}
