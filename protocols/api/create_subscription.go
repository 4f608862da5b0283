package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// SubscriptionSettings are those that a request may name, and that can be changed.
type SubscriptionSettings struct {
	Raw         *bool         `json:"raw,omitempty" doc:"Deliver messages as they were published, without an envelope"`
	Filter      *string       `json:"filter,omitempty" maxLength:"262144" doc:"sns: a filter policy; mns: a tag; empty: every message" example:"{\"region\": [\"eu\"]}"`
	FilterScope *string       `json:"filter_scope,omitempty" enum:"MessageAttributes,MessageBody" doc:"What a filter policy is matched with; else MessageAttributes"`
	Retries     *[]retryPhase `json:"retries,omitempty" maxItems:"8" nullable:"false" doc:"When a delivery that failed is tried again; none: as the format has it"`
	DeadLetter  *string       `json:"dead_letter_queue,omitempty" maxLength:"256" doc:"Queue of the topic's account and region for what cannot be delivered; empty: none"`
	Rate        *int          `json:"rate,omitempty" minimum:"0" maximum:"1000000" doc:"Most messages pushed in a second; 0: no limit"`

	ProtocolAttributes map[string]*string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names; null removes one, those that are not named stay; not checked"`
}

func (s SubscriptionSettings) change(topic core.TopicName, filter core.Filter) core.SubscriptionChange {
	c := core.SubscriptionChange{Raw: s.Raw, Rate: s.Rate, Attributes: s.ProtocolAttributes}
	if s.Filter != nil || s.FilterScope != nil {
		if s.Filter != nil {
			filter.Text = *s.Filter
		}
		if s.FilterScope != nil {
			filter.Scope = *s.FilterScope
		}
		c.Filter = &filter
	}
	if s.Retries != nil {
		policy := decodeRetries(*s.Retries)
		c.Retries = &policy
	}
	if s.DeadLetter != nil {
		queue := core.QueueName{}
		if *s.DeadLetter != "" {
			queue = core.QueueName{Account: topic.Account, Region: topic.Region, Name: *s.DeadLetter}
		}
		c.DeadLetter = &queue
	}
	return c
}

type createSubscriptionRequest struct {
	OfTopic
	Body struct {
		Name   string `json:"name,omitempty" maxLength:"255" pattern:"^[A-Za-z0-9_-]+$" patternDescription:"1 to 255 letters, digits, '-' and '_'" doc:"Else a UUID, and the same endpoint is subscribed once"`
		Format string `json:"format,omitempty" enum:"sns,mns" doc:"Whose envelope messages get; else sns"`
		Queue  string `json:"queue,omitempty" maxLength:"256" doc:"Subscribe this queue of the topic's account and region" example:"orders"`
		URL    string `json:"url,omitempty" maxLength:"4096" doc:"Subscribe this HTTP endpoint, without asking it to confirm"`
		Email  string `json:"email,omitempty" maxLength:"320" doc:"Subscribe this address"`
		Phone  string `json:"phone,omitempty" maxLength:"32" doc:"Subscribe this number"`
		SubscriptionSettings
	}
}

type createSubscriptionResponse struct {
	Status int
	Body   subscriptionBody
}

// createSubscription subscribes a queue or an endpoint. One that exists is given back, if it leads to the
// same endpoint, and is a SubscriptionExists otherwise.
func (s *Server) createSubscription(ctx context.Context, req *createSubscriptionRequest) (*createSubscriptionResponse, error) {
	topic := req.topic(ctx, req.Topic)
	in, err := req.decode(topic)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if base := caller.BaseAttribute(in.Format); in.Attributes[base] == "" {
		in.Attributes = maps.Clone(in.Attributes)
		if in.Attributes == nil {
			in.Attributes = map[string]string{}
		}
		in.Attributes[base] = exchangeOf(ctx).caller.BaseURL
	}
	if err := s.mustExist(ctx, in.Queue, in.DeadLetter); err != nil {
		return nil, failed(ctx, err)
	}
	sub, created, err := s.broker.Subscribe(ctx, in)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if created {
		return &createSubscriptionResponse{http.StatusCreated, encodeSubscription(sub)}, nil
	}
	if sub.Endpoint != in.Endpoint || sub.Format != in.Format || sub.Raw != in.Raw || sub.Filter != in.Filter || sub.DeadLetter != in.DeadLetter || sub.Rate != in.Rate {
		return nil, failed(ctx, core.Errorf(core.SubscriptionExists, "subscription %q exists with other settings", sub.Name.Name))
	}
	return &createSubscriptionResponse{http.StatusOK, encodeSubscription(sub)}, nil
}

// phoneNumber is what SNS subscribes: a number of E.164, with single separators.
var phoneNumber = regexp.MustCompile(`^\+?[1-9]([-./]?[0-9]){1,14}$`)

// mustExist refuses queues that do not exist: SNS and MNS subscribe those too, for whom a policy or another account may make them later;
// here it is a slip of the pen.
func (s *Server) mustExist(ctx context.Context, names ...core.QueueName) error {
	for _, name := range names {
		if name == (core.QueueName{}) {
			continue
		}
		if _, err := s.broker.Queue(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// decode checks what the schema cannot say, and gives the subscription as its format would have made it.
func (req *createSubscriptionRequest) decode(topic core.TopicName) (core.NewSubscription, error) {
	body := &req.Body
	in := core.NewSubscription{Name: core.SubscriptionName{Topic: topic, Name: body.Name}, Format: cmp.Or(body.Format, sns)}
	if err := checkProtocolAttributes(body.ProtocolAttributes); err != nil {
		return in, err
	}
	given := 0
	for _, endpoint := range []string{body.Queue, body.URL, body.Email, body.Phone} {
		if endpoint != "" {
			given++
		}
	}
	if given != 1 {
		return in, core.Errorf(core.InvalidArgument, "a subscription is of one queue, url, email or phone; %d are given", given)
	}
	switch {
	case body.Queue != "":
		in.Queue = core.QueueName{Account: topic.Account, Region: topic.Region, Name: body.Queue}
	case body.URL != "":
		if u, err := url.Parse(body.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return in, core.Errorf(core.InvalidArgument, "the url must be http://host or https://host, was %q", body.URL)
		}
	case body.Email != "":
		if address, err := mail.ParseAddress(body.Email); err != nil || address.Address != body.Email {
			return in, core.Errorf(core.InvalidArgument, "%q is no mail address", body.Email)
		}
	case in.Format == sns:
		if !phoneNumber.MatchString(body.Phone) {
			return in, core.Errorf(core.InvalidArgument, "%q is no phone number, such as +15551234567", body.Phone)
		}
	}
	if in.Protocol, in.Endpoint = endpointOf(in.Format, in.Queue, body.URL, body.Email, body.Phone); in.Format == sns && body.Filter != nil && body.FilterScope == nil {
		in.Filter.Scope = "MessageAttributes"
	}
	change := body.change(topic, in.Filter)
	made := change.Apply(core.Subscription{})
	in.Attributes = made.Attributes
	in.Raw, in.Filter, in.Retries, in.DeadLetter, in.Rate = made.Raw, made.Filter, made.Retries, made.DeadLetter, made.Rate
	return in, nil
}

// The formats, which the protocols register.
const (
	sns = "sns"
	mns = "mns"
)

// endpointOf gives protocol and endpoint as a format writes them.
func endpointOf(format string, queue core.QueueName, address, email, phone string) (protocol, endpoint string) {
	isQueue := queue != (core.QueueName{})
	switch {
	case isQueue && format == mns:
		return "queue", "acs:mns:" + queue.Region + ":" + queue.Account + ":queues/" + queue.Name
	case isQueue:
		return "sqs", "arn:aws:sqs:" + queue.Region + ":" + queue.Account + ":" + queue.Name
	case address != "":
		u, _ := url.Parse(address) // decode has seen to it
		return u.Scheme, address
	case email != "" && format == mns:
		return "mail", "mail:directmail:" + email
	case email != "":
		return "email", email
	case format == mns:
		return "sms", "sms:directsms:" + phone
	}
	return "sms", phone
}
