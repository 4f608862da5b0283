package mns

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// Format is the name of MNS's way to speak to subscribers.
const Format = "mns"

// How a subscriber gets a message.
const (
	formatXML        = "XML"
	formatJSON       = "JSON"
	formatSimplified = "SIMPLIFIED"
)

// How often, and when, a delivery is tried again (specs/mns.md 5.2).
const (
	strategyBackoff     = "BACKOFF_RETRY"
	strategyExponential = "EXPONENTIAL_DECAY_RETRY"
)

var strategies = map[string]core.RetryPolicy{
	strategyBackoff: {{Retries: 3, Min: 10 * time.Second, Max: 20 * time.Second, Backoff: core.Random}},
	strategyExponential: {
		{Retries: 9, Min: time.Second, Max: 256 * time.Second, Backoff: core.Exponential},
		{Retries: 167, Min: 512 * time.Second, Max: 512 * time.Second},
	},
}

// What is kept of a subscription.
const (
	attributeStrategy = "mns.NotifyStrategy"
	attributeFormat   = "mns.NotifyContentFormat"
	AttributeMail     = "mns.DmAttributes"      // how mail is written, where a message does not say it
	attributeBaseURL  = caller.MNSBaseAttribute // by which the subscriber reached the server; the certificate is served there
)

// SubscriptionAttributes are what a subscription is made of, in MNS's words; "" is the default.
type SubscriptionAttributes struct {
	Endpoint            string
	FilterTag           string
	NotifyStrategy      string
	NotifyContentFormat string
	PushType            string // of the control plane; "": the endpoint says it by itself
}

// AttributesOf gives a subscription's attributes. Those that another protocol made are shown with the
// nearest that MNS has.
func AttributesOf(sub *core.Subscription) SubscriptionAttributes {
	s := SubscriptionAttributes{
		Endpoint: sub.Endpoint, NotifyStrategy: sub.Attributes[attributeStrategy], NotifyContentFormat: sub.Attributes[attributeFormat],
	}
	if sub.Format == Format {
		s.FilterTag = sub.Filter.Text
	}
	if s.NotifyStrategy == "" {
		s.NotifyStrategy = strategyBackoff
	}
	switch {
	case s.NotifyContentFormat != "":
	case sub.Raw:
		s.NotifyContentFormat = formatSimplified
	default:
		s.NotifyContentFormat = formatJSON
	}
	return s
}

// New checks the attributes and says them in core's terms. baseURL is where the subscriber reaches
// the server.
func (s SubscriptionAttributes) New(name core.SubscriptionName, baseURL string) (core.NewSubscription, error) {
	s = s.withDefaults()
	in := core.NewSubscription{
		Name: name, Format: Format, Endpoint: s.Endpoint, Raw: s.NotifyContentFormat == formatSimplified,
		Filter: core.Filter{Text: s.FilterTag}, Retries: strategies[s.NotifyStrategy],
		Attributes: map[string]string{attributeStrategy: s.NotifyStrategy, attributeFormat: s.NotifyContentFormat, attributeBaseURL: baseURL},
	}
	err := firstError(checkSubscriptionName(name.Name), checkTag(s.FilterTag), checkStrategy(s.NotifyStrategy), checkFormat(s.NotifyContentFormat))
	if err != nil {
		return in, err
	}
	read := readEndpoint
	if s.PushType != "" {
		read = endpointReader(s.PushType)
	}
	var queue string
	if in.Protocol, queue, err = read(s.Endpoint); queue != "" {
		in.Queue = core.QueueName{Account: name.Topic.Account, Region: name.Topic.Region, Name: queue}
	}
	return in, err
}

func (s SubscriptionAttributes) withDefaults() SubscriptionAttributes {
	if s.NotifyStrategy == "" {
		s.NotifyStrategy = strategyBackoff
	}
	if s.NotifyContentFormat == "" {
		s.NotifyContentFormat = formatXML
	}
	return s
}

// Same says that a subscription has these attributes.
func (s SubscriptionAttributes) Same(sub *core.Subscription) bool {
	s.PushType = ""
	return sub.Format == Format && AttributesOf(sub) == s.withDefaults()
}

// The kinds of endpoints.
const (
	protocolHTTP  = "http"
	protocolHTTPS = "https"
	protocolQueue = "queue"
	protocolMail  = "mail"
	protocolSMS   = "sms"
	protocolPush  = "push"
	protocolOther = "other" // of services that are not here
)

// reservedPaths begin the paths of HTTP endpoints that MNS keeps for itself.
var reservedPaths = []string{"/mns-reserved-", "/mns-reserverd-"} //nolint:misspell // the manual has both

// readEndpoint gives the kind of an endpoint and, of a queue, its name. Account and region of a
// queue's endpoint are whatever the client makes of the host name that it was given; queues of others
// cannot be subscribed, so they are always the topic's own (specs/mns.md 5.1, 8.2).
func readEndpoint(endpoint string) (protocol, queue string, err error) {
	invalid := wireError{http.StatusBadRequest, "EndpointInvalid", "the endpoint is none of http://, https://, acs:mns:REGION:ACCOUNT:queues/NAME, mail:directmail:ADDRESS, sms:directsms:NUMBER or push:KEY"}
	lower := strings.ToLower(endpoint)
	switch {
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		parsed, err := url.Parse(endpoint)
		if err != nil || parsed.Hostname() == "" || !isPort(parsed.Port()) {
			return "", "", invalid
		}
		if slices.ContainsFunc(reservedPaths, func(prefix string) bool { return strings.HasPrefix(strings.ToLower(parsed.Path), prefix) }) {
			return "", "", invalid
		}
		return parsed.Scheme, "", nil
	case strings.HasPrefix(endpoint, "acs:mns:"):
		parts := strings.SplitN(endpoint, ":", 5)
		if len(parts) != 5 {
			return "", "", invalid
		}
		name, isQueue := strings.CutPrefix(strings.TrimPrefix(parts[4], "/"), "queues/")
		if !isQueue || name == "" || strings.ContainsAny(name, "/:") {
			return "", "", invalid
		}
		return protocolQueue, name, nil
	}
	for prefix, protocol := range map[string]string{
		"mail:directmail:": protocolMail, "sms:directsms:": protocolSMS, "sms:dayu:": protocolSMS, "push:": protocolPush,
	} {
		if address, ok := strings.CutPrefix(endpoint, prefix); ok && address != "" && len(strings.Fields(address)) == 1 {
			return protocol, "", nil
		}
	}
	return "", "", invalid
}

// isPort reports whether a URL's port is one; "" is the scheme's own.
func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// pushTypes are what the control plane calls the kinds of endpoints that are not told by their form
// (specs/mns-openapi.md 6.3), and what an endpoint of each begins with.
var pushTypes = map[string]struct{ prefix, protocol string }{
	"dm":       {"smq-ep:dm:", protocolMail},
	"dysms":    {"smq-ep:dysms:", protocolSMS},
	"fc":       {"acs:fc:", protocolOther},
	"eventbus": {"acs:eventbridge:", protocolOther},
	"mpush":    {"", protocolPush},
	"alisms":   {"", protocolSMS},
	"email":    {"", protocolMail},
	"kafka":    {"", protocolOther},
}

// PushTypeOf gives what the control plane calls the kind of a subscription's endpoint; what the data plane made has the names of
// before.
func PushTypeOf(sub *core.Subscription) string {
	for pushType, kind := range pushTypes {
		if kind.prefix != "" && strings.HasPrefix(sub.Endpoint, kind.prefix) {
			return pushType
		}
	}
	for pushType, kind := range pushTypes {
		if kind.prefix == "" && kind.protocol == sub.Protocol {
			return pushType
		}
	}
	if sub.Protocol == protocolHTTPS {
		return protocolHTTP
	}
	return sub.Protocol
}

// endpointReader gives what reads endpoints of a kind that the control plane names.
func endpointReader(pushType string) func(endpoint string) (protocol, queue string, err error) {
	return func(endpoint string) (string, string, error) {
		kind, known := pushTypes[pushType]
		switch {
		case pushType == "queue" && CheckQueueName(endpoint) == nil:
			return protocolQueue, endpoint, nil
		case pushType == "queue", pushType == "http":
			protocol, queue, err := readEndpoint(endpoint)
			if err == nil && (protocol == protocolQueue) == (pushType == "queue") && (protocol == protocolQueue || strings.HasPrefix(protocol, "http")) {
				return protocol, queue, nil
			}
		case !known:
			return "", "", core.Errorf(core.InvalidArgument, "PushType is none that is known: %.40q", pushType)
		case endpoint != "" && strings.HasPrefix(endpoint, kind.prefix):
			return kind.protocol, "", nil
		}
		return "", "", wireError{http.StatusBadRequest, "EndpointInvalid", "the endpoint is none of the push type " + pushType}
	}
}

// checkTag bounds the tag that a subscription filters by.
func checkTag(tag string) error {
	length := utf8.RuneCountInString(tag)
	return checkRange("FilterTag", &length, 0, maxTagLength, "characters")
}

func checkStrategy(strategy string) error {
	if _, ok := strategies[strategy]; !ok {
		return core.Errorf(core.InvalidArgument, "NotifyStrategy must be %s or %s, was %.40q", strategyBackoff, strategyExponential, strategy)
	}
	return nil
}

func checkFormat(format string) error {
	if !slices.Contains([]string{formatXML, formatJSON, formatSimplified}, format) {
		return core.Errorf(core.InvalidArgument, "NotifyContentFormat must be %s, %s or %s, was %.40q", formatXML, formatJSON, formatSimplified, format)
	}
	return nil
}

func checkSubscriptionName(name string) error {
	switch {
	case utf8.RuneCountInString(name) > maxNameLength:
		return wireError{http.StatusBadRequest, "SubscriptionNameLengthError", "a subscription name has 1 to 256 characters"}
	case !validName(name):
		return wireError{http.StatusBadRequest, "SubscriptionNameInvalid", "a subscription name has letters, digits and '-', and begins with no '-'"}
	}
	return nil
}

// Exists says that a subscription is one for MNS, which knows none that has ended.
func Exists(sub *core.Subscription) error {
	if sub.State != core.Confirmed && sub.State != core.Pending {
		return core.Errorf(core.SubscriptionNotFound, "subscription %q does not exist", sub.Name.Name)
	}
	return nil
}

// writeSubscription writes all attributes of a subscription inside the current element.
func (a *answer) writeSubscription(sub *core.Subscription) {
	s := AttributesOf(sub)
	a.text("SubscriptionName", sub.Name.Name)
	a.text("Subscriber", sub.Owner)
	a.text("TopicOwner", sub.Name.Topic.Account)
	a.text("TopicName", sub.Name.Topic.Name)
	a.text("Endpoint", s.Endpoint)
	if s.FilterTag != "" {
		a.text("FilterTag", s.FilterTag)
	}
	a.text("NotifyStrategy", s.NotifyStrategy)
	a.text("NotifyContentFormat", s.NotifyContentFormat)
	a.number("CreateTime", sub.CreatedAt.Unix())
	a.number("LastModifyTime", sub.ModifiedAt.Unix())
}

func (c *call) subscriptionURL(name string) string {
	return c.topicURL(c.topic.Name) + "/subscriptions/" + name
}
