package sns

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// permission is what an action needs.
type permission struct {
	action string // as policies name it; "" of one that has its own name
	on     target
}

// target is how a request names what it is about.
type target int

const (
	noTarget       target = iota
	wholeAccount          // nothing in particular
	topicMade             // Name
	topic                 // TopicArn, or ResourceArn
	published             // TopicArn, TargetArn or PhoneNumber
	subscription          // SubscriptionArn
	application           // PlatformApplicationArn
	endpoint              // EndpointArn
	confirmedTopic        // TopicArn, and a token that proves what a policy would
)

// permissions says for every action what it needs. A batch needs what a single publish does.
var permissions = map[string]permission{
	"AddPermission":                      {on: topic},
	"CheckIfPhoneNumberIsOptedOut":       {on: wholeAccount},
	"ConfirmSubscription":                {on: confirmedTopic},
	"CreatePlatformApplication":          {on: wholeAccount},
	"CreatePlatformEndpoint":             {on: application},
	"CreateSMSSandboxPhoneNumber":        {on: wholeAccount},
	"CreateTopic":                        {on: topicMade},
	"DeleteEndpoint":                     {on: endpoint},
	"DeletePlatformApplication":          {on: application},
	"DeleteSMSSandboxPhoneNumber":        {on: wholeAccount},
	"DeleteTopic":                        {on: topic},
	"GetDataProtectionPolicy":            {on: topic},
	"GetEndpointAttributes":              {on: endpoint},
	"GetPlatformApplicationAttributes":   {on: application},
	"GetSMSAttributes":                   {on: wholeAccount},
	"GetSMSSandboxAccountStatus":         {on: wholeAccount},
	"GetSubscriptionAttributes":          {on: subscription},
	"GetTopicAttributes":                 {on: topic},
	"ListEndpointsByPlatformApplication": {on: application},
	"ListOriginationNumbers":             {on: wholeAccount},
	"ListPhoneNumbersOptedOut":           {on: wholeAccount},
	"ListPlatformApplications":           {on: wholeAccount},
	"ListSMSSandboxPhoneNumbers":         {on: wholeAccount},
	"ListSubscriptions":                  {on: wholeAccount},
	"ListSubscriptionsByTopic":           {on: topic},
	"ListTagsForResource":                {on: topic},
	"ListTopics":                         {on: wholeAccount},
	"OptInPhoneNumber":                   {on: wholeAccount},
	"Publish":                            {on: published},
	"PublishBatch":                       {"Publish", published},
	"PutDataProtectionPolicy":            {on: topic},
	"RemovePermission":                   {on: topic},
	"SetEndpointAttributes":              {on: endpoint},
	"SetPlatformApplicationAttributes":   {on: application},
	"SetSMSAttributes":                   {on: wholeAccount},
	"SetSubscriptionAttributes":          {on: subscription},
	"SetTopicAttributes":                 {on: topic},
	"Subscribe":                          {on: topic},
	"TagResource":                        {on: topic},
	"Unsubscribe":                        {on: subscription},
	"UntagResource":                      {on: topic},
	"VerifySMSSandboxPhoneNumber":        {on: wholeAccount},
}

// members are those of requests that name what is meant; of several, the one that the action looks at first.
var members = map[target][]string{
	topic: {"TopicArn", "ResourceArn"}, confirmedTopic: {"TopicArn"}, published: {"TopicArn", "TargetArn", "PhoneNumber"},
	subscription: {"SubscriptionArn"}, application: {"PlatformApplicationArn"}, endpoint: {"EndpointArn"}, topicMade: {"Name"},
}

// PolicyActions gives the actions as policies name them: all but the batch, which needs what a single publish does.
func PolicyActions() (names []string) {
	for name, p := range permissions {
		if p.action == "" {
			names = append(names, "sns:"+name)
		}
	}
	return names
}

// authenticate finds out whose request it is. The links that subscribers are sent may be followed by anyone,
// and what a topic's policy allows to everybody needs no signature.
func (s *Server) authenticate(c *call, authenticate func(*caller.Caller) error) error {
	if !c.signed() && (c.action == "ConfirmSubscription" || c.action == "Unsubscribe" && c.namesUUID()) {
		c.byLink = true
		return nil
	}
	err := authenticate(&c.Caller)
	if errors.Is(err, aws.ErrNotSigned) && c.sharable() {
		c.unsigned = err
		return nil
	}
	return err
}

// namesUUID says that the subscription's name is one that cannot be guessed, and not one that somebody chose, as by MNS.
func (c *call) namesUUID() bool {
	text, _ := c.parameters.Get("SubscriptionArn")
	name := text[strings.LastIndexByte(text, ':')+1:]
	return len(name) == uuidLength && uuid.Validate(name) == nil
}

// policyAction gives the action's name in policies, without the service's.
func (c *call) policyAction() string {
	if p := permissions[c.action]; p.action != "" {
		return p.action
	}
	return c.action
}

// sharable says that a topic's policy can allow the action to others.
func (c *call) sharable() bool { return slices.Contains(grantable, c.policyAction()) }

// authorize says whether the caller may do what it asks for, before anything is done.
func (s *Server) authorize(ctx context.Context, c *call, in any) error {
	if !s.callers.Verify || c.byLink {
		return nil
	}
	want := caller.Want{Action: "SNS:" + c.policyAction(), Owner: c.Account, Resource: makeARN(c.Region, c.Account, "*")}
	keys := conditionKeys{in: in}
	want.Keys = keys.values
	on := permissions[c.action].on
	var refresh func() error
	if text, given := memberOf(in, members[on]); given {
		if on == topicMade {
			text = makeARN(c.Region, c.Account, text)
		}
		var err error
		if refresh, err = s.find(ctx, c, &want, &keys, text); err != nil {
			return err
		}
	}
	if on == confirmedTopic { // its token is the topic's consent
		want.Owner, want.Policy, refresh = c.Account, "", nil
	}
	err := s.callers.AuthorizeOthers(ctx, &c.Caller, &want, refresh)
	if req, ok := in.(*createTopicRequest); ok && err == nil && len(req.Tags) > 0 {
		tags := caller.Want{Action: "SNS:TagResource", Owner: want.Owner, Resource: want.Resource, Keys: keys.values}
		err = s.callers.Authorize(ctx, &c.Caller, &tags)
	}
	if err != nil && c.unsigned != nil && core.CodeOf(err) == core.AccessDenied {
		return c.unsigned
	}
	return err
}

// find fills in what is wanted: the resource, whose it is, and its policy. refresh is for caller.AuthorizeOthers.
func (s *Server) find(ctx context.Context, c *call, want *caller.Want, keys *conditionKeys, text string) (refresh func() error, err error) {
	a, _, ok := readARN(text)
	if want.Resource = text; !ok {
		return nil, nil // a phone number, or what the action will say is wrong
	}
	a.partition = aws.Partition(a.region)
	want.Resource, want.Owner = a.String(), a.account
	switch name, sub, isSubscription := strings.Cut(a.resource, ":"); {
	case isSubscription && a.account != c.Account && !s.callers.Free(ctx, &c.Caller, a.account):
		made, err := s.broker.Subscription(ctx, core.SubscriptionName{Topic: core.TopicName{Account: a.account, Region: a.region, Name: name}, Name: sub})
		if err == nil && made.Owner == c.Account { // to another's topic
			want.Owner = c.Account
		} else if err != nil && core.CodeOf(err) != core.SubscriptionNotFound {
			return nil, err
		}
	case !isSubscription && (c.sharable() || a.account == c.Account) && !strings.Contains(name, "/") && !s.callers.Free(ctx, &c.Caller, a.account):
		return s.findTopic(ctx, c, want, keys, core.TopicName{Account: a.account, Region: a.region, Name: name})
	}
	return nil, nil
}

// findTopic fills in what the topic has: as it is, or of another account's as it is remembered.
func (s *Server) findTopic(ctx context.Context, c *call, want *caller.Want, keys *conditionKeys, name core.TopicName) (refresh func() error, err error) {
	found := func(topic *core.Topic, err error) error {
		switch {
		case err == nil && topic != nil:
			want.Policy, keys.tags = topic.Attributes[policyKey], topic.Tags
		case err != nil && core.CodeOf(err) != core.TopicNotFound:
			return err
		}
		return nil
	}
	if name.Account == c.Account {
		return nil, found(s.broker.Topic(ctx, name))
	}
	_ = found(s.broker.KnownTopic(name), nil)
	return func() error {
		topic, err := s.broker.ReadTopic(ctx, name)
		return found(&topic, err)
	}, nil
}

// memberOf gives the first of the members that a request has.
func memberOf(in any, names []string) (text string, given bool) {
	request := reflect.ValueOf(in).Elem()
	for _, name := range names {
		if field := request.FieldByName(name); field.IsValid() && !field.IsNil() {
			return field.Elem().String(), true
		}
	}
	return "", false
}

// conditionKeys are the condition keys of SNS: the tags of a topic, and what a request has.
type conditionKeys struct {
	tags map[string]string
	in   any
}

func (k *conditionKeys) values(key string) []string {
	if name, ok := strings.CutPrefix(key, "aws:resourcetag/"); ok {
		return caller.TagValues(k.tags, name)
	}
	var given []tag
	switch req := k.in.(type) {
	case *subscribeRequest:
		switch {
		case key == "sns:endpoint":
			return []string{req.Endpoint}
		case key == "sns:protocol" && req.Protocol != nil:
			return []string{*req.Protocol}
		}
	case *createTopicRequest:
		given = req.Tags
	case *tagResourceRequest:
		given = req.Tags
	case *untagResourceRequest:
		if key == "aws:tagkeys" {
			return req.TagKeys
		}
	}
	var values []string
	name, ofRequest := strings.CutPrefix(key, "aws:requesttag/")
	for _, tag := range given {
		switch {
		case key == "aws:tagkeys":
			values = append(values, tag.Key)
		case ofRequest && strings.EqualFold(tag.Key, name) && tag.Value != nil:
			return []string{*tag.Value}
		}
	}
	return values
}
