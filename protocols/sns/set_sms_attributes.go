package sns

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type setSMSAttributesRequest struct {
	Attributes aws.Map[string] `query:"attributes.entry|Attributes.entry,key|Name,value|Value"`
}

const (
	spendLimit   = "MonthlySpendLimit"
	senderID     = "DefaultSenderID"
	smsType      = "DefaultSMSType"
	samplingRate = "DeliveryStatusSuccessSamplingRate"
)

// smsAttributes are the attributes that an account can set.
var smsAttributes = []string{spendLimit, "DeliveryStatusIAMRole", samplingRate, senderID, smsType, "UsageReportS3Bucket"}

// maxSMSAttribute bounds a value.
const maxSMSAttribute = 2048

// setSMSAttributes sets attributes of the account; an empty value removes one.
func (s *Server) setSMSAttributes(ctx context.Context, c *call, req *setSMSAttributesRequest) (*emptyResult, error) {
	if len(req.Attributes) == 0 {
		return nil, required("attributes")
	}
	change := map[string]*string{}
	for _, given := range req.Attributes {
		if err := checkSMSAttribute(given.Key, given.Value); err != nil {
			return nil, err
		}
		keep(&change, smsPrefix+given.Key, given.Value)
	}
	return &emptyResult{}, s.broker.SetAccountAttributes(ctx, c.Account, c.Region, change)
}

func checkSMSAttribute(name, value string) error {
	switch {
	case !slices.Contains(smsAttributes, name):
		return invalidParameter.errorf("%s is not a valid attribute", short(name))
	case len(value) > maxSMSAttribute || !core.ValidText([]byte(value)):
		return invalidParameter.errorf("%s is invalid", name)
	case value == "":
		return nil
	}
	switch name {
	case senderID:
		if !isName(value, 11, "") || strings.Trim(value, "0123456789") == "" {
			return invalidParameter.errorf("%s is invalid", name)
		}
	case smsType:
		if value != "Promotional" && value != "Transactional" {
			return invalidParameter.errorf("DefaultSMSType is invalid")
		}
	case samplingRate:
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 100 {
			return invalidParameter.errorf("%s is invalid", name)
		}
	case spendLimit:
		if n, err := strconv.Atoi(value); err != nil || n < 0 {
			return invalidParameter.errorf("%s is invalid", name)
		}
	}
	return nil
}
