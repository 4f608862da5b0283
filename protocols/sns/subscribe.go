package sns

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type subscribeRequest struct {
	TopicArn              *string
	Protocol              *string
	Endpoint              string
	Attributes            aws.Map[string] `query:"Attributes.entry|Attribute,key|Name,value|Value"`
	ReturnSubscriptionArn bool
}

type subscriptionResult struct {
	SubscriptionArn string
}

// format is what subscriptions made through SNS are called in the core.
const format = "sns"

// pendingConfirmation stands for the ARN of a subscription that is not confirmed.
const pendingConfirmation = "pending confirmation"

// subscribe makes a subscription, or finds one of that endpoint whose attributes are as those given.
func (s *Server) subscribe(ctx context.Context, c *call, req *subscribeRequest) (*subscriptionResult, error) {
	wanted, change, err := s.checkSubscribe(ctx, c, req)
	if err != nil {
		return nil, err
	}
	pending := mustConfirm(&wanted, c)
	keep(&change.Attributes, authenticatedKey, trueOr(!pending))
	keep(&change.Attributes, principalKey, c.principal())
	keep(&change.Attributes, baseKey, c.BaseURL)
	made := change.Apply(wanted)
	sub, created, err := s.broker.Subscribe(ctx, core.NewSubscription{
		Name: made.Name, Pending: pending, Token: newToken(), Format: made.Format, Protocol: made.Protocol, Endpoint: made.Endpoint, Queue: made.Queue,
		Owner: made.Owner, Raw: made.Raw, Filter: made.Filter, DeadLetter: made.DeadLetter, Rate: made.Rate, Attributes: made.Attributes,
		Replay: change.Replay,
	})
	if err != nil {
		return nil, err
	}
	if !created && !sameAttributes(&sub, &made, req.Attributes) {
		return nil, invalid("Attributes Reason: Subscription already exists with different attributes")
	}
	if sub.State == core.Pending {
		if err := s.broker.PushConfirmation(ctx, sub, core.Confirmation); err != nil {
			return nil, err
		}
		if !req.ReturnSubscriptionArn {
			return &subscriptionResult{pendingConfirmation}, nil
		}
	}
	return &subscriptionResult{subscriptionARN(sub.Name)}, nil
}

// checkSubscribe gives the subscription that is asked for, and what its attributes change of it.
func (s *Server) checkSubscribe(ctx context.Context, c *call, req *subscribeRequest) (sub core.Subscription, change core.SubscriptionChange, err error) {
	topic, err := c.topicName(req.TopicArn)
	if err != nil {
		return sub, change, err
	}
	if req.Protocol == nil {
		return sub, change, required("protocol")
	}
	if _, err := s.broker.Topic(ctx, topic); err != nil {
		return sub, change, err
	}
	sub = core.Subscription{Name: core.SubscriptionName{Topic: topic}, Format: format, Protocol: *req.Protocol, Endpoint: req.Endpoint, Owner: c.Account}
	if err := s.checkEndpoint(ctx, &sub); err != nil {
		return sub, change, err
	}
	var wanted wishes
	for _, given := range req.Attributes {
		if err := wanted.wish(given.Key, given.Value, sub.Protocol); errors.Is(err, errAttributeName) {
			return sub, change, invalid("AttributeName")
		} else if err != nil {
			return sub, change, invalid("Attributes Reason: %s", err.Error())
		}
	}
	if sub.Protocol == "firehose" && wanted.role == nil {
		return sub, change, invalid("Attributes Reason: SubscriptionRoleArn is required for firehose subscriptions")
	}
	if change, err = wanted.change(&sub); err != nil {
		return sub, change, invalid("Attributes Reason: %s", err.Error())
	}
	if change.Replay != nil && *change.Replay == (core.Replay{}) {
		change.Replay = nil // there is none to end
	}
	return sub, change, nil
}

var smsNumber = regexp.MustCompile(`^\+?[0-9]+([-./][0-9]+)*$`)

// checkEndpoint checks protocol and endpoint, and sets the queue of a subscription of one.
func (s *Server) checkEndpoint(ctx context.Context, sub *core.Subscription) error {
	if isFIFO(sub.Name.Topic.Name) && sub.Protocol != "sqs" {
		if !knownProtocol(sub.Protocol) {
			return unsupportedProtocol(sub.Protocol)
		}
		return invalid("Invalid protocol type: %s", sub.Protocol)
	}
	switch sub.Protocol {
	case "sqs":
		queue, ok := queueName(sub.Endpoint)
		if !ok {
			return invalid("SQS endpoint ARN")
		}
		if isFIFO(queue.Name) && !isFIFO(sub.Name.Topic.Name) {
			return invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
		sub.Queue = queue
	case "lambda":
		if a, _, ok := readARN(sub.Endpoint); !ok || a.service != "lambda" || !strings.HasPrefix(a.resource, "function:") {
			return invalid("Lambda endpoint ARN")
		}
	case "firehose":
		if a, _, ok := readARN(sub.Endpoint); !ok || a.service != "firehose" || !strings.HasPrefix(a.resource, "deliverystream/") {
			return invalid("Firehose endpoint ARN")
		}
	case "application":
		name, err := readEndpointARN(sub.Endpoint)
		if err != nil {
			return invalid("Application endpoint arn invalid:%s", short(sub.Endpoint))
		}
		if _, ok, err := s.endpoint(ctx, name); err != nil {
			return err
		} else if !ok {
			return invalid("Endpoint Reason: Endpoint does not exist for endpoint arn%s", short(sub.Endpoint))
		}
	case "sms":
		if !smsNumber.MatchString(sub.Endpoint) || !isPhoneNumber(strings.NewReplacer("-", "", ".", "", "/", "").Replace(sub.Endpoint)) {
			return invalidParameter.errorf("Invalid SMS endpoint: %s", short(sub.Endpoint))
		}
	case "http", "https":
		if u, err := url.Parse(sub.Endpoint); err != nil || u.Scheme != sub.Protocol || u.Host == "" {
			return invalid("Endpoint must match the specified protocol")
		}
	case "email", "email-json":
		if name, host, ok := strings.Cut(sub.Endpoint, "@"); !ok || name == "" || host == "" || strings.ContainsAny(sub.Endpoint, " \t\r\n<>,") {
			return invalid("Email address")
		}
	default:
		return unsupportedProtocol(sub.Protocol)
	}
	return nil
}

func knownProtocol(protocol string) bool {
	switch protocol {
	case "sqs", "lambda", "firehose", "application", "sms", "http", "https", "email", "email-json":
		return true
	}
	return false
}

func unsupportedProtocol(protocol string) error {
	return invalid("Amazon SNS does not support this protocol string: %s", short(protocol))
}

// mustConfirm says that the endpoint's owner has to agree first. Whoever subscribes what is its own
// has agreed.
func mustConfirm(sub *core.Subscription, c *call) bool {
	switch sub.Protocol {
	case "http", "https", "email", "email-json":
		return true
	case "sqs":
		return sub.Queue.Account != c.Account
	}
	return false
}

// principal is who made a subscription.
func (c *call) principal() string {
	owner := "root"
	if c.Key != nil && c.Key.User != "" {
		owner = "user/" + c.Key.User
	}
	return "arn:" + aws.Partition(c.Region) + ":iam::" + c.Account + ":" + owner
}

// newToken makes a token of the form that SNS's have.
func newToken() string {
	var token [tokenLength / 2]byte
	_, _ = rand.Read(token[:]) // never fails
	return hex.EncodeToString(token[:])
}

const tokenLength = 288

func trueOr(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}

// sameAttributes says that the attributes that were given are those that a subscription has.
func sameAttributes(sub, wanted *core.Subscription, given aws.Map[string]) bool {
	for _, pair := range given {
		same := true
		switch pair.Key {
		case rawDelivery:
			same = sub.Raw == wanted.Raw
		case filterPolicy:
			same = sameText(sub.Filter.Text, wanted.Filter.Text)
		case filterPolicyScope:
			same = scopeOf(sub) == scopeOf(wanted)
		case redrivePolicy:
			same = sub.DeadLetter == wanted.DeadLetter
		case deliveryPolicy:
			same = sameText(sub.Attributes[subscriberKey], wanted.Attributes[subscriberKey])
		case replayPolicy:
			same = sameText(sub.Attributes[replayKey], wanted.Attributes[replayKey])
		case roleARN:
			same = sub.Attributes[roleKey] == wanted.Attributes[roleKey]
		}
		if !same {
			return false
		}
	}
	return true
}
