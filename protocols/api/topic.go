package api

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// topic names a topic in the scope.
func (s Scope) topic(ctx context.Context, name string) core.TopicName {
	return core.TopicName(s.queue(ctx, name))
}

// OfTopic is the request of every operation on one topic. OfTopic, OfSubscription, OfDelivery and
// TopicSettings are exported for huma.
type OfTopic struct {
	Scope
	Topic string `path:"topic" doc:"Name of the topic"`
}

// OfSubscription is the request of every operation on one subscription.
type OfSubscription struct {
	OfTopic
	Subscription string `path:"subscription" doc:"Name of the subscription: of one made with SNS the UUID at the end of its ARN"`
}

func (r OfSubscription) name(ctx context.Context) core.SubscriptionName {
	return core.SubscriptionName{Topic: r.topic(ctx, r.Topic), Name: r.Subscription}
}

// OfDelivery is the request of every operation on one delivery.
type OfDelivery struct {
	OfSubscription
	Message string `path:"message" doc:"Id of the message"`
}

// TopicSettings are those that a request may name.
type TopicSettings struct {
	MaxMessageBytes  *int  `json:"max_message_bytes,omitempty" minimum:"1" maximum:"4194304" doc:"Of body and attributes together"`
	RetentionSeconds *int  `json:"retention_seconds,omitempty" minimum:"60" maximum:"1987200" doc:"After which what could not be delivered is given up, whatever its schedule says"`
	Logging          *bool `json:"logging,omitempty" doc:"Keep a log of what is published, whom it goes to and each attempt to push it"`
}

func (s TopicSettings) change() core.TopicChange {
	return core.TopicChange{MaxMessageSize: s.MaxMessageBytes, Retention: seconds(s.RetentionSeconds), Logging: s.Logging}
}

// topicBody is a topic on the wire.
type topicBody struct {
	Name             string            `json:"name" example:"alerts"`
	Account          string            `json:"account" example:"000000000000"`
	Region           string            `json:"region" example:"us-east-1"`
	FIFO             bool              `json:"fifo"`
	MaxMessageBytes  int               `json:"max_message_bytes"`
	RetentionSeconds int               `json:"retention_seconds,omitempty"`
	Logging          bool              `json:"logging"`
	Tags             map[string]string `json:"tags,omitempty"`

	ProtocolAttributes map[string]string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names"`

	CreatedAt  time.Time    `json:"created_at"`
	ModifiedAt time.Time    `json:"modified_at"`
	Counts     *topicCounts `json:"counts,omitempty"`
}

// topicCounts are exact as of the moment they were read.
type topicCounts struct {
	Confirmed   int64 `json:"confirmed" doc:"Subscriptions"`
	Pending     int64 `json:"pending" doc:"Subscriptions that wait to be confirmed"`
	Outstanding int64 `json:"outstanding" doc:"Messages that are still to be pushed to somebody"`
}

func encodeTopic(t core.Topic, withCounts bool) topicBody {
	body := topicBody{
		Name: t.Name.Name, Account: t.Name.Account, Region: t.Name.Region, FIFO: t.FIFO, MaxMessageBytes: t.MaxMessageSize,
		RetentionSeconds: int(t.Retention / time.Second), Logging: t.Logging, Tags: t.Tags, ProtocolAttributes: t.Attributes, CreatedAt: t.CreatedAt.UTC(), ModifiedAt: t.ModifiedAt.UTC(),
	}
	if withCounts {
		body.Counts = &topicCounts{t.Counts.Confirmed, t.Counts.Pending, t.Counts.Messages}
	}
	return body
}

// ofOneTopic is the response that shows a topic.
type ofOneTopic struct{ Body topicBody }

// retryPhase is a phase of a retry policy on the wire.
type retryPhase struct {
	Retries    int     `json:"retries" minimum:"0" maximum:"200000"`
	MinSeconds float64 `json:"min_seconds" minimum:"0" maximum:"86400" doc:"Before the first of them"`
	MaxSeconds float64 `json:"max_seconds" minimum:"0" maximum:"86400" doc:"Before the last of them"`
	Backoff    string  `json:"backoff,omitempty" enum:"linear,arithmetic,geometric,exponential,random" doc:"How delays grow; else linear"`
}

const linear = "linear"

func decodeRetries(phases []retryPhase) core.RetryPolicy {
	var policy core.RetryPolicy
	for _, p := range phases {
		backoff := core.Backoff(p.Backoff)
		if backoff == linear {
			backoff = core.Linear
		}
		policy = append(policy, core.RetryPhase{Retries: p.Retries, Min: duration(p.MinSeconds), Max: duration(p.MaxSeconds), Backoff: backoff})
	}
	return policy
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

func encodeRetries(policy core.RetryPolicy) []retryPhase {
	var phases []retryPhase
	for _, p := range policy {
		backoff := string(p.Backoff)
		if p.Backoff == core.Linear {
			backoff = linear
		}
		phases = append(phases, retryPhase{Retries: p.Retries, MinSeconds: p.Min.Seconds(), MaxSeconds: p.Max.Seconds(), Backoff: backoff})
	}
	return phases
}

// subscriptionBody is a subscription on the wire.
type subscriptionBody struct {
	Name        string                 `json:"name"`
	Topic       string                 `json:"topic"`
	State       core.SubscriptionState `json:"state" enum:"pending,confirmed,unsubscribed,orphaned"`
	Format      string                 `json:"format" doc:"Whose envelope it gets" example:"sns"`
	Protocol    string                 `json:"protocol" example:"https"`
	Endpoint    string                 `json:"endpoint"`
	Queue       string                 `json:"queue,omitempty" doc:"The queue subscribed, as account/region/name"`
	Owner       string                 `json:"owner"`
	Raw         bool                   `json:"raw" doc:"Without an envelope"`
	Filter      string                 `json:"filter,omitempty"`
	FilterScope string                 `json:"filter_scope,omitempty"`
	FilterFault string                 `json:"filter_fault,omitempty" doc:"Why the filter cannot be read, which an older version took: nothing is delivered until it is changed"`
	Retries     []retryPhase           `json:"retries,omitempty" doc:"Absent: as the format has it"`
	DeadLetter  string                 `json:"dead_letter_queue,omitempty" doc:"As account/region/name"`
	Rate        int                    `json:"rate,omitempty" doc:"Most messages pushed in a second"`
	CreatedAt   time.Time              `json:"created_at"`
	ModifiedAt  time.Time              `json:"modified_at"`

	ProtocolAttributes map[string]string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names"`
}

// subscriptionBody gives a subscription, and what is wrong with its filter.
func (s *Server) subscriptionBody(sub core.Subscription) subscriptionBody {
	body := encodeSubscription(sub)
	body.FilterFault = s.broker.FilterFault(&sub)
	return body
}

func encodeSubscription(s core.Subscription) subscriptionBody {
	body := subscriptionBody{
		Name: s.Name.Name, Topic: s.Name.Topic.Name, State: s.State, Format: s.Format, Protocol: s.Protocol, Endpoint: s.Endpoint, Owner: s.Owner, Raw: s.Raw,
		Filter: s.Filter.Text, FilterScope: s.Filter.Scope, Retries: encodeRetries(s.Retries), Rate: s.Rate, ProtocolAttributes: s.Attributes, CreatedAt: s.CreatedAt.UTC(), ModifiedAt: s.ModifiedAt.UTC(),
	}
	if s.Queue != (core.QueueName{}) {
		body.Queue = s.Queue.String()
	}
	if s.DeadLetter != (core.QueueName{}) {
		body.DeadLetter = s.DeadLetter.String()
	}
	return body
}

// shownTo gives the subscription as the caller may see it: who may only look sees no passwords in URLs.
func (b subscriptionBody) shownTo(ctx context.Context) subscriptionBody {
	b.Endpoint = endpointFor(ctx, b.Endpoint)
	return b
}

func endpointFor(ctx context.Context, endpoint string) string {
	if exchangeOf(ctx).grants.Access.Covers(core.Operator) {
		return endpoint
	}
	return caller.WithoutPassword(endpoint)
}

// ofOneSubscription is the response that shows a subscription.
type ofOneSubscription struct{ Body subscriptionBody }

// publishedBody is a message that is to be pushed, on the wire.
type publishedBody struct {
	ID           string                   `json:"id"`
	Kind         core.Kind                `json:"kind,omitempty" doc:"Absent for what was published; else a message about the subscription"`
	Body         string                   `json:"body"`
	BodyEncoding string                   `json:"body_encoding,omitempty" enum:"base64" doc:"base64 where the body is no text"`
	Subject      string                   `json:"subject,omitempty"`
	Hidden       bool                     `json:"hidden,omitempty" doc:"The caller may not see the body, the subject and the attributes"`
	Attributes   map[string]attributeBody `json:"attributes,omitempty"`
	PublishedAt  time.Time                `json:"published_at"`
}

// deliveryBody is a delivery on the wire.
type deliveryBody struct {
	Message     publishedBody `json:"message"`
	Attempts    int           `json:"attempts" doc:"Made so far"`
	NextAttempt time.Time     `json:"next_attempt_at"`
}

// encodeDelivery gives a delivery, without what the publisher wrote where that is to be hidden: of a message about
// the subscription that is its token.
func encodeDelivery(d *core.Delivery, hide bool) deliveryBody {
	m := d.Message
	body := publishedBody{ID: m.ID.UUID(), Kind: m.Kind, Subject: m.Subject, PublishedAt: m.PublishedAt.UTC()}
	if hide {
		body.Subject, body.Hidden = "", true
		return deliveryBody{Message: body, Attempts: d.Attempts, NextAttempt: d.NextAttempt.UTC()}
	}
	body.Body, body.BodyEncoding = encodeText(core.EncodeBody(m.BodyFor(d.Subscription.Protocol), m.Form, core.BodyAuto, core.ReadsText))
	body.Attributes = encodeAttributes(m.Attributes)
	return deliveryBody{Message: body, Attempts: d.Attempts, NextAttempt: d.NextAttempt.UTC()}
}

func encodeAttributes(attributes []core.Attribute) map[string]attributeBody {
	if len(attributes) == 0 {
		return nil
	}
	bodies := make(map[string]attributeBody, len(attributes))
	for _, a := range attributes {
		value := string(a.Value)
		if isBinary(a.Type) {
			value = base64.StdEncoding.EncodeToString(a.Value)
		}
		bodies[a.Name] = attributeBody{Type: a.Type, Value: value}
	}
	return bodies
}

// attemptBody is an attempt on the wire.
type attemptBody struct {
	Message      string     `json:"message" doc:"Id of the message"`
	Topic        string     `json:"topic"`
	Subscription string     `json:"subscription"`
	Protocol     string     `json:"protocol"`
	Endpoint     string     `json:"endpoint"`
	Number       int        `json:"number" doc:"1 is the first"`
	Result       string     `json:"result" enum:"delivered,kept,retry,given-up" doc:"What came of it; kept: there was nowhere to send it, it is in the outbox"`
	Status       int        `json:"status,omitempty" doc:"HTTP status of the answer; absent when there was none"`
	Reason       string     `json:"reason,omitempty" doc:"Why there was no answer, or why it was kept"`
	Excerpt      string     `json:"excerpt,omitempty" doc:"Of the answer"`
	Milliseconds float64    `json:"milliseconds" doc:"Until the answer"`
	At           time.Time  `json:"at"`
	NextAttempt  *time.Time `json:"next_attempt_at,omitempty"`
	DeadLettered bool       `json:"dead_lettered" doc:"It went to the dead-letter queue"`
	Kept         bool       `json:"kept" doc:"It went to the outbox"`
}

var results = map[core.Verdict]string{core.Delivered: "delivered", core.Retry: "retry", core.GiveUp: "given-up"}

func encodeAttempt(a core.Attempt) attemptBody {
	body := attemptBody{
		Message: a.Message.UUID(), Topic: a.Subscription.Topic.Name, Subscription: a.Subscription.Name, Protocol: a.Protocol, Endpoint: a.Endpoint,
		Number: a.Number, Result: results[a.Verdict], Status: a.Answer.Status, Reason: a.Answer.Reason, Excerpt: a.Answer.Excerpt,
		Milliseconds: float64(a.Answer.Latency.Microseconds()) / 1000, At: a.At.UTC(), DeadLettered: a.DeadLettered, Kept: a.Answer.Kept,
	}
	if a.Answer.Kept {
		body.Result = "kept"
	}
	if !a.NextAttempt.IsZero() {
		at := a.NextAttempt.UTC()
		body.NextAttempt = &at
	}
	return body
}

// keptBody is a message of the outbox on the wire.
type keptBody struct {
	Message      string            `json:"message" doc:"Id of the message"`
	Topic        string            `json:"topic,omitempty" doc:"Absent where it was published to a number or device directly"`
	Subscription string            `json:"subscription,omitempty"`
	Protocol     string            `json:"protocol" example:"sms"`
	To           string            `json:"to"`
	Subject      string            `json:"subject,omitempty"`
	Body         string            `json:"body"`
	BodyEncoding string            `json:"body_encoding,omitempty" enum:"base64"`
	Extra        map[string]string `json:"extra,omitempty" doc:"What the publisher said for this kind of subscriber"`
	KeptAt       time.Time         `json:"kept_at"`
}

func encodeKept(m core.KeptMessage) keptBody {
	body := keptBody{
		Message: m.Message.UUID(), Topic: m.Topic, Subscription: m.Subscription, Protocol: m.Protocol, To: m.To, Subject: m.Subject, Extra: m.Extra, KeptAt: m.KeptAt.UTC(),
	}
	body.Body, body.BodyEncoding = encodeText(m.Body)
	return body
}
