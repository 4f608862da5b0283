package sns

import (
	"context"
	"maps"
	"strings"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

type publishRequest struct {
	TopicArn    *string
	TargetArn   *string
	PhoneNumber *string
	message
}

type publishResult struct {
	MessageId      string
	SequenceNumber string
}

// publish sends a message to a topic, to a device or to a phone.
func (s *Server) publish(ctx context.Context, c *call, req *publishRequest) (*publishResult, error) {
	parameter, target := "TopicArn", req.TopicArn
	if target == nil {
		parameter, target = "TargetArn", req.TargetArn
	}
	switch {
	case target == nil && req.PhoneNumber == nil:
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	case target == nil:
		return s.publishToPhone(ctx, c, req)
	case req.PhoneNumber != nil || req.TopicArn != nil && req.TargetArn != nil:
		return nil, invalid("TopicArn, TargetArn and PhoneNumber Reason: one of them names where the message goes")
	case req.TopicArn == nil && isEndpointARN(*target):
		return s.publishToEndpoint(ctx, c, req)
	}
	name, err := c.readTopicARN(parameter, *target)
	if err != nil {
		return nil, err
	}
	topic, err := s.broker.Topic(ctx, name)
	if err != nil {
		return nil, err
	}
	p, err := c.prepare(&req.message, "", topic.MaxMessageSize, "")
	if err != nil {
		return nil, err
	}
	if err := req.group(&p, topic); err != nil {
		return nil, err
	}
	published, err := s.broker.Publish(ctx, core.PublishInput{Topic: name, Messages: []core.NewPublication{p}})
	if err != nil {
		return nil, err
	}
	return &publishResult{published[0].ID.UUID(), published[0].Sequence}, nil
}

// publishToPhone keeps an SMS, which polymq has nowhere to send. One to a phone that has opted out is lost, and the publisher is not
// told: SNS's model has no error for that here.
func (s *Server) publishToPhone(ctx context.Context, c *call, req *publishRequest) (*publishResult, error) {
	p, err := c.prepare(&req.message, "", maxMessageSize, "")
	if err != nil {
		return nil, err
	}
	number := *req.PhoneNumber
	if !isPhoneNumber(number) {
		return nil, invalid("PhoneNumber Reason: %s is not valid to publish to", short(number))
	}
	out, err := s.broker.OptedOut(ctx, c.phone(number))
	if err != nil {
		return nil, err
	}
	if out {
		zerolog.Ctx(ctx).Info().Str("protocol", "sns").Str("account", c.Account).Msg("an SMS to a phone that has opted out is lost")
		return &publishResult{MessageId: caller.RequestID()}, nil
	}
	return s.keep(ctx, c, &p, "sms", number, p.Bodies["sms"])
}

// publishToEndpoint keeps a message to a device.
func (s *Server) publishToEndpoint(ctx context.Context, c *call, req *publishRequest) (*publishResult, error) {
	name, err := readEndpointARN(*req.TargetArn)
	if err != nil {
		return nil, err
	}
	endpoint, ok, err := s.endpoint(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, invalid("TargetArn Reason: No endpoint found for the target arn specified")
	case !strings.EqualFold(endpoint.Attributes[enabled], "true"):
		return nil, endpointDisabled.errorf("Endpoint is disabled")
	}
	application, ok, err := s.application(ctx, name.application())
	if err != nil {
		return nil, err
	}
	if ok && strings.EqualFold(application[enabled], "false") {
		return nil, platformDisabled.errorf("Platform application is disabled")
	}
	p, err := c.prepare(&req.message, "", maxMessageSize, name.platform)
	if err != nil {
		return nil, err
	}
	if len(p.Bodies) > 0 {
		p.Extra = map[string]string{structuredKey: *req.Message}
	}
	return s.keep(ctx, c, &p, "application", *req.TargetArn, p.Bodies[name.platform])
}

// structuredKey keeps what was published with a body for each platform, of which a device has one, as it was.
const structuredKey = "sns.Message"

// keep puts a message into the outbox: the body given, or else the one for everybody.
func (s *Server) keep(ctx context.Context, c *call, p *core.NewPublication, protocol, to, body string) (*publishResult, error) {
	kept := core.KeptMessage{Account: c.Account, Region: c.Region, Protocol: protocol, To: to, Subject: p.Subject, Body: p.Body, Extra: map[string]string{}}
	if body != "" {
		kept.Body = []byte(body)
	}
	maps.Copy(kept.Extra, p.Extra)
	for _, a := range p.Attributes {
		if a.Type != "Binary" {
			kept.Extra[a.Name] = string(a.Value)
		}
	}
	id, err := s.broker.Keep(ctx, kept)
	if err != nil {
		return nil, err
	}
	return &publishResult{MessageId: id.UUID()}, nil
}
