package smq

import (
	"context"
	"encoding/json"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

type subscribeRequest struct {
	subscriptionRequest
	Endpoint              string `required:"true"`
	PushType              string `required:"true"`
	MessageTag            string
	NotifyContentFormat   string
	NotifyStrategy        string
	DlqPolicy             *dlqPolicy
	StsRoleArn            *string
	DmAttributes          *string
	DysmsAttributes       *string
	KafkaAttributes       *string
	TenantRateLimitPolicy *rateLimit
}

// subscribe makes a subscription. One that is there already is fine if it has the same attributes. Its
// answer is a text.
func (s *Server) subscribe(ctx context.Context, c *call, req *subscribeRequest) (string, error) {
	attributes := mns.SubscriptionAttributes{
		Endpoint: req.Endpoint, FilterTag: req.MessageTag, NotifyStrategy: req.NotifyStrategy, NotifyContentFormat: req.NotifyContentFormat, PushType: req.PushType,
	}
	in, err := attributes.New(req.name(c), c.BaseURL)
	if err != nil {
		return "", err
	}
	if in.DeadLetter, err = s.target(ctx, c, req.DlqPolicy); err != nil {
		return "", err
	}
	kept, err := req.kept()
	if err != nil {
		return "", err
	}
	for name, value := range values(kept) {
		in.Attributes[name] = value
	}
	in.Rate = req.TenantRateLimitPolicy.rate()
	existing, created, err := s.broker.Subscribe(ctx, in)
	if err != nil {
		return "", err
	}
	if !created && (existing.DeadLetter != in.DeadLetter || !attributes.Same(&existing) || differs(existing.Attributes, kept)) {
		return "", core.Errorf(core.SubscriptionExists, "subscription %q exists with other attributes", req.SubscriptionName)
	}
	text, err := json.Marshal(succeeded)
	return string(text), err
}

// kept gives what is kept with the subscription.
func (r *subscribeRequest) kept() (map[string]*string, error) {
	change := map[string]*string{}
	for name, value := range map[string]*string{keptStsRoleArn: r.StsRoleArn, keptDysms: r.DysmsAttributes, keptKafka: r.KafkaAttributes} {
		if err := keep(change, name, value); err != nil {
			return nil, err
		}
	}
	if r.DmAttributes != nil {
		if !json.Valid([]byte(*r.DmAttributes)) || len(*r.DmAttributes) > maxKeptLength {
			return nil, openapi.InvalidParameter("DmAttributes", "must be a JSON document of its form")
		}
		change[mns.AttributeMail] = r.DmAttributes
	}
	if r.DlqPolicy.given() {
		if err := keepPolicy(change, r.DlqPolicy); err != nil {
			return nil, err
		}
	}
	limit, err := r.TenantRateLimitPolicy.kept()
	if limit != nil {
		change[mns.AttributeRate] = limit
	}
	return change, err
}

// rate gives how many pushes a second a policy allows; 0 is any number.
func (p *rateLimit) rate() int {
	if !p.enabled() {
		return 0
	}
	return int(p.MaxReceivesPerSecond)
}
