package sns

import (
	"context"
	"slices"
	"strings"

	"github.com/polymq/polymq/protocols/aws"
)

type getSMSAttributesRequest struct {
	Attributes []string `query:"attributes.member"`
}

type smsAttributesResult struct {
	Attributes aws.Map[string] `json:"attributes" query:"attributes.entry,key,value"`
}

// smsPrefix stands before the names of an account's SMS attributes.
const smsPrefix = "sns.sms."

// getSMSAttributes shows the attributes that are asked for and set, or all.
func (s *Server) getSMSAttributes(ctx context.Context, c *call, req *getSMSAttributesRequest) (*smsAttributesResult, error) {
	kept, err := s.broker.AccountAttributes(ctx, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	result := new(smsAttributesResult)
	for _, name := range smsAttributes {
		value := kept[smsPrefix+name]
		if value == "" && name == spendLimit {
			value = "1"
		}
		if value != "" && (len(req.Attributes) == 0 || slices.Contains(req.Attributes, name)) {
			result.Attributes = append(result.Attributes, aws.Pair[string]{Key: name, Value: value})
		}
	}
	slices.SortFunc(result.Attributes, func(a, b aws.Pair[string]) int { return strings.Compare(a.Key, b.Key) })
	return result, nil
}
