package sns

import (
	"net/http"
	"strings"
	"sync"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/sns/filter"
)

// matcher is the filter policies of a topic's subscriptions, compiled by what they look at.
type matcher struct {
	attributes *policySet
	bodies     map[string]*policySet // by protocol, for each may have a body of its own
}

// policySet is compiled policies, and which of the topic's filters they are.
type policySet struct {
	*filter.Set
	filters []int
}

// CompileFilters is of core.Pusher.
func (*Server) CompileFilters(filters []core.Filter) (core.Matcher, error) {
	policies, owners := map[string][]*filter.Policy{}, map[string][]int{} // by core.Filter.Scope
	for i, f := range filters {
		scope, _, _ := strings.Cut(f.Scope, ":")
		policy, err := filter.Parse(f.Text, filter.Scope(scope))
		if err != nil {
			return nil, core.Errorf(core.InvalidArgument, "%s", err.Error())
		}
		if policy != nil {
			policies[f.Scope], owners[f.Scope] = append(policies[f.Scope], policy), append(owners[f.Scope], i)
		}
	}
	m := &matcher{bodies: map[string]*policySet{}}
	for scope := range policies {
		set := &policySet{filter.Compile(policies[scope]), owners[scope]}
		if kind, protocol, _ := strings.Cut(scope, ":"); kind == string(filter.MessageBody) {
			m.bodies[protocol] = set
		} else {
			m.attributes = set
		}
	}
	return m, nil
}

// Match is of core.Matcher.
func (m *matcher) Match(message *core.PublishedMessage) []int {
	var matching []int
	add := func(set *policySet, found []int) {
		for _, i := range found {
			matching = append(matching, set.filters[i])
		}
	}
	if m.attributes != nil {
		add(m.attributes, m.attributes.MatchAttributes(message.Attributes))
	}
	for protocol, set := range m.bodies {
		add(set, set.MatchBody(textFor(message, protocol)))
	}
	return matching
}

// textFor gives the text that subscribers of a protocol get.
func textFor(m *core.PublishedMessage, protocol string) []byte {
	return core.EncodeBody(m.BodyFor(protocol), m.Form, core.BodyAuto, core.ReadsText)
}

// Retries is of core.Pusher.
func (*Server) Retries(topic *core.Topic, sub *core.Subscription) core.RetryPolicy {
	switch sub.Protocol {
	case "http", "https":
		return deliveryTo(sub, topic).HealthyRetryPolicy.schedule()
	case "sqs", "lambda", "firehose":
		return serviceRetries
	}
	return personRetries
}

// Rate is of core.Pusher.
func (*Server) Rate(topic *core.Topic, sub *core.Subscription) int {
	if topic.Attributes[deliveryPolicyKey] == "" || sub.Protocol != "http" && sub.Protocol != "https" {
		return sub.Rate
	}
	policy := deliveryOf(topic).HTTP
	if sub.Rate != 0 && !policy.DisableSubscriptionOverrides {
		return sub.Rate
	}
	return policy.ThrottlePolicy.rate()
}

// Judge is of core.Pusher. Of an HTTP endpoint, what is the client's fault is not tried again.
func (*Server) Judge(_ *core.Subscription, answer core.PushAnswer) core.Verdict {
	switch {
	case answer.Status >= 200 && answer.Status < 300:
		return core.Delivered
	case answer.Status == 0, answer.Status == http.StatusTooManyRequests, answer.Status >= http.StatusInternalServerError:
		return core.Retry
	}
	return core.GiveUp
}

// Render is of core.Pusher.
func (s *Server) Render(topic *core.Topic, m *core.PublishedMessage) (core.Rendering, error) {
	return &rendering{server: s, topic: topic, message: m}, nil
}

// rendering is a message on its way to subscribers.
type rendering struct {
	server  *Server
	topic   *core.Topic
	message *core.PublishedMessage

	mu            sync.Mutex
	notifications map[notificationKey]notification
}

// maxQueueAttributes is how many attributes a message of a queue can have.
const maxQueueAttributes = 10

// QueueMessage is of core.Rendering. Queues of a FIFO topic's subscribers get the ids of group and
// deduplication by the core where they are FIFO, and none where they are not.
func (r *rendering) QueueMessage(sub *core.Subscription) (core.NewMessage, error) {
	m := core.NewMessage{System: r.message.System, Sender: r.topic.Name.Account}
	if !r.topic.FIFO {
		m.GroupID = r.message.GroupID
	}
	if sub.Raw && r.message.Kind == core.Notification {
		m.Body, m.Attributes = textFor(r.message, sub.Protocol), r.message.Attributes
		if len(m.Attributes) > maxQueueAttributes {
			return m, core.Errorf(core.InvalidArgument, "a message with %d attributes cannot be put into a queue, which takes %d", len(m.Attributes), maxQueueAttributes)
		}
		return m, nil
	}
	var err error
	m.Body, err = r.envelope(sub)
	return m, err
}

// Push is of core.Rendering.
func (r *rendering) Push(sub *core.Subscription) (core.Push, error) {
	switch sub.Protocol {
	case "http", "https":
		return r.pushHTTP(sub)
	case "email":
		return r.mail(sub), nil
	case "email-json":
		body, err := r.envelope(sub)
		return core.Push{Way: core.ByMail, To: sub.Endpoint, Subject: r.mailSubject(), Header: mailHeader, Body: body}, err
	case "lambda":
		body, err := r.lambdaEvent(sub)
		return core.Push{Way: core.ByLambda, To: sub.Endpoint, Function: sub.Endpoint, Body: body}, err
	case "firehose":
		if sub.Raw {
			return core.Push{Way: core.Kept, To: sub.Endpoint, Body: textFor(r.message, sub.Protocol)}, nil
		}
		body, err := r.envelope(sub)
		return core.Push{Way: core.Kept, To: sub.Endpoint, Body: body}, err
	case "application":
		body := textFor(r.message, sub.Protocol)
		if name, err := readEndpointARN(sub.Endpoint); err == nil {
			body = textFor(r.message, name.platform)
		}
		return core.Push{Way: core.Kept, To: sub.Endpoint, Subject: r.message.Subject, Body: body}, nil
	}
	return core.Push{Way: core.Kept, To: sub.Endpoint, Subject: r.message.Subject, Body: textFor(r.message, sub.Protocol), SMS: sub.Protocol == "sms"}, nil
}

// pushHTTP makes the POST to an endpoint (specs/sns.md 7.4).
func (r *rendering) pushHTTP(sub *core.Subscription) (core.Push, error) {
	header := map[string][]string{
		"x-amz-sns-message-type": {r.kind()},
		"x-amz-sns-message-id":   {r.message.ID.UUID()},
		"x-amz-sns-topic-arn":    {topicARN(r.topic.Name)},
		"Content-Type":           {defaultContentType},
		"User-Agent":             {"Amazon Simple Notification Service Agent"},
		"Accept-Encoding":        {"gzip,deflate"},
		"Connection":             {"Keep-Alive"},
	}
	p := core.Push{Way: core.ByHTTP, Method: http.MethodPost, URL: sub.Endpoint, Header: header}
	if r.message.Kind != core.Confirmation {
		header["x-amz-sns-subscription-arn"] = []string{subscriptionARN(sub.Name)}
	}
	if r.message.Kind == core.Notification {
		header["Content-Type"] = []string{*deliveryTo(sub, r.topic).RequestPolicy.HeaderContentType}
		if sub.Raw {
			header["x-amz-sns-rawdelivery"] = []string{"true"}
			p.Body = textFor(r.message, sub.Protocol)
			return p, nil
		}
	}
	var err error
	p.Body, err = r.envelope(sub)
	return p, err
}

var mailHeader = map[string][]string{"Content-Type": {defaultContentType}}

func (r *rendering) mailSubject() string {
	switch {
	case r.message.Kind == core.Confirmation:
		return "AWS Notification - Subscription Confirmation"
	case r.message.Subject != "":
		return r.message.Subject
	}
	return "AWS Notification Message"
}

// mail makes a letter to a person.
func (r *rendering) mail(sub *core.Subscription) core.Push {
	p := core.Push{Way: core.ByMail, To: sub.Endpoint, Subject: r.mailSubject(), Header: mailHeader}
	if r.message.Kind == core.Confirmation {
		p.Body = []byte("You have chosen to subscribe to the topic:\n" + topicARN(r.topic.Name) +
			"\n\nTo confirm this subscription, follow the link below:\n" + r.subscribeURL(sub) + "\n")
		return p
	}
	p.Body = append(textFor(r.message, sub.Protocol), "\n\n--\nTo end this subscription, follow the link below:\n"+r.unsubscribeURL(sub)+"\n"...)
	return p
}
