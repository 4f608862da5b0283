package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/sns/filter"
)

// Attributes of subscriptions that the core does not act on are kept under these names.
const (
	authenticatedKey = "sns.ConfirmationWasAuthenticated"
	mustSignKey      = "sns.AuthenticateOnUnsubscribe"
	scopeKey         = "sns.FilterPolicyScope"
	redriveKey       = "sns.RedrivePolicy"
	subscriberKey    = "sns.DeliveryPolicy"
	roleKey          = "sns.SubscriptionRoleArn"
	replayKey        = "sns.ReplayPolicy"
	principalKey     = "sns.SubscriptionPrincipal"
	baseKey          = caller.SNSBaseAttribute // scheme://host under which the subscriber reaches the server
)

// Names of attributes.
const (
	rawDelivery       = "RawMessageDelivery"
	filterPolicy      = "FilterPolicy"
	filterPolicyScope = "FilterPolicyScope"
	redrivePolicy     = "RedrivePolicy"
	deliveryPolicy    = "DeliveryPolicy"
	roleARN           = "SubscriptionRoleArn"
	replayPolicy      = "ReplayPolicy"
)

// deadLetterTarget is what a RedrivePolicy names.
const deadLetterTarget = "deadLetterTargetArn"

// wishes are the attributes that a request gives a subscription, nil where it says nothing.
type wishes struct {
	raw        *bool
	policy     *string // "" for none
	scope      *string
	redrive    *string
	deadLetter core.QueueName
	delivery   *string
	rate       int
	role       *string

	replayPolicy *string
	replay       *core.Replay
}

var errAttributeName = errors.New("AttributeName")

// wish reads one attribute. The errors are what follows "Invalid parameter: ".
func (w *wishes) wish(name, value, protocol string) error {
	switch name {
	case rawDelivery:
		lower := strings.ToLower(value)
		if lower != "true" && lower != "false" {
			return fmt.Errorf("RawMessageDelivery: Invalid value [%s]. Must be true or false.", short(value)) //nolint:revive // SNS's words
		}
		raw := lower == "true"
		if !slices.Contains([]string{"sqs", "http", "https", "firehose"}, protocol) {
			return fmt.Errorf("Delivery protocol [%s] does not support raw message delivery.", protocol) //nolint:revive // SNS's words
		}
		w.raw = &raw
	case filterPolicy:
		w.policy = &value
	case filterPolicyScope:
		if value != string(filter.MessageAttributes) && value != string(filter.MessageBody) {
			return fmt.Errorf("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", short(value))
		}
		w.scope = &value
	case redrivePolicy:
		return w.wishRedrive(value)
	case deliveryPolicy:
		return w.wishDelivery(value, protocol)
	case roleARN:
		if _, _, ok := readARN(value); value != "" && !ok {
			return errors.New("SubscriptionRoleArn: it is not an ARN")
		}
		w.role = &value
	case replayPolicy:
		return w.wishReplay(value)
	default:
		return errAttributeName
	}
	return nil
}

// wishDelivery reads a policy for pushes by HTTP, which others may have: they keep it and show it.
func (w *wishes) wishDelivery(value, protocol string) error {
	p, err := readSubscriptionDelivery(value)
	if err != nil {
		return err
	}
	if value != "" {
		value = jsonText(p)
	}
	w.delivery = &value
	if protocol == "http" || protocol == "https" {
		w.rate = p.ThrottlePolicy.rate()
	}
	return p.HealthyRetryPolicy.checkSpecified()
}

func (w *wishes) wishRedrive(value string) error {
	w.redrive = &value
	if value == "" {
		return nil
	}
	if text := filter.SyntaxError(value); text != "" {
		return errors.New("RedrivePolicy: " + text)
	}
	var members map[string]any
	_ = json.Unmarshal([]byte(value), &members) // what is no object has no members
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name != deadLetterTarget {
			return fmt.Errorf("RedrivePolicy: invalid JSON. Attribute %s is unknown.", short(name)) //nolint:revive // SNS's words
		}
	}
	target, _ := members[deadLetterTarget].(string)
	var ok bool
	if w.deadLetter, ok = queueName(target); !ok {
		return errors.New("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	}
	return nil
}

// check checks what does not go with the subscription.
func (w *wishes) check(sub *core.Subscription) error {
	if w.replay != nil && !isFIFO(sub.Name.Topic.Name) {
		return errors.New("ReplayPolicy: only subscriptions to FIFO topics can be replayed to")
	}
	if w.deadLetter == (core.QueueName{}) {
		return nil
	}
	topic := sub.Name.Topic
	switch {
	case w.deadLetter.Account != sub.Owner || w.deadLetter.Region != topic.Region:
		return errors.New("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	case isFIFO(topic.Name) && isFIFO(sub.Queue.Name) && !isFIFO(w.deadLetter.Name):
		return errors.New("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.") //nolint:revive // SNS's words
	}
	return nil
}

// change gives what the wishes change of a subscription as it is.
func (w *wishes) change(sub *core.Subscription) (c core.SubscriptionChange, err error) {
	if err := w.check(sub); err != nil {
		return c, err
	}
	c.Raw = w.raw
	if w.policy != nil || w.scope != nil {
		if c.Filter, err = w.filter(sub); err != nil {
			return c, err
		}
	}
	if w.scope != nil {
		keep(&c.Attributes, scopeKey, *w.scope)
	}
	if w.redrive != nil {
		keep(&c.Attributes, redriveKey, *w.redrive)
		c.DeadLetter = &w.deadLetter
	}
	if w.delivery != nil {
		keep(&c.Attributes, subscriberKey, *w.delivery)
		c.Rate = &w.rate
	}
	if w.role != nil {
		keep(&c.Attributes, roleKey, *w.role)
	}
	if w.replay != nil {
		keep(&c.Attributes, replayKey, *w.replayPolicy)
		c.Replay = w.replay
	}
	return c, nil
}

// filter gives the filter that policy and scope make, each being new or what the subscription has.
func (w *wishes) filter(sub *core.Subscription) (*core.Filter, error) {
	if sub.Format != format {
		return nil, errors.New("FilterPolicy: the subscription was made through another protocol, whose filter is no policy")
	}
	policy, scope := sub.Filter.Text, scopeOf(sub)
	if w.policy != nil {
		policy = *w.policy
	}
	if w.scope != nil {
		scope = *w.scope
	}
	if policy == "" {
		return &core.Filter{}, nil
	}
	parsed, err := filter.Parse(policy, filter.Scope(scope))
	if err != nil || parsed == nil {
		return &core.Filter{}, err
	}
	return &core.Filter{Text: policy, Scope: coreScope(scope, sub.Protocol)}, nil
}

// scopeOf gives what the filter of a subscription is matched with, or a new one would be. The filter itself knows:
// it may have been set elsewhere than by SNS.
func scopeOf(sub *core.Subscription) string {
	if scope, _, _ := strings.Cut(sub.Filter.Scope, ":"); scope != "" {
		return scope
	}
	if scope := sub.Attributes[scopeKey]; scope != "" {
		return scope
	}
	return string(filter.MessageAttributes)
}

// coreScope is how a scope is written in a core.Filter: with the subscription's protocol where the
// body counts, for protocols may have bodies of their own.
func coreScope(scope, protocol string) string {
	if scope == string(filter.MessageBody) {
		return scope + ":" + protocol
	}
	return scope
}

// redriveOf gives the policy that says where goes what cannot be delivered, as it was set, unless the queue was
// changed since elsewhere than by SNS.
func redriveOf(sub *core.Subscription) string {
	if sub.DeadLetter == (core.QueueName{}) {
		return ""
	}
	var set wishes
	if text := sub.Attributes[redriveKey]; set.wishRedrive(text) == nil && set.deadLetter == sub.DeadLetter {
		return text
	}
	return jsonText(map[string]string{deadLetterTarget: "arn:" + aws.Partition(sub.DeadLetter.Region) + ":sqs:" + sub.DeadLetter.Region + ":" + sub.DeadLetter.Account + ":" + sub.DeadLetter.Name})
}

// shownSubscription gives the attributes of a subscription as they are shown.
func shownSubscription(sub *core.Subscription, topic *core.Topic) aws.Map[string] {
	var shown aws.Map[string]
	add := func(name, value string) {
		if value != "" {
			shown = append(shown, aws.Pair[string]{Key: name, Value: value})
		}
	}
	add("SubscriptionPrincipal", sub.Attributes[principalKey])
	add("Owner", sub.Owner)
	add(rawDelivery, strconv.FormatBool(sub.Raw))
	add("TopicArn", topicARN(sub.Name.Topic))
	add("Endpoint", sub.Endpoint)
	add("Protocol", sub.Protocol)
	add("PendingConfirmation", strconv.FormatBool(sub.State == core.Pending))
	add("ConfirmationWasAuthenticated", strconv.FormatBool(sub.Attributes[authenticatedKey] == "true"))
	add("SubscriptionArn", subscriptionARN(sub.Name))
	if sub.Format == format && sub.Filter.Text != "" {
		add(filterPolicy, sub.Filter.Text)
		add(filterPolicyScope, scopeOf(sub))
	}
	add(redrivePolicy, redriveOf(sub))
	add(roleARN, sub.Attributes[roleKey])
	add(replayPolicy, sub.Attributes[replayKey])
	add("ReplayStatus", replayStatus(sub))
	add(deliveryPolicy, sub.Attributes[subscriberKey])
	if sub.Protocol == "http" || sub.Protocol == "https" {
		add("EffectiveDeliveryPolicy", jsonText(deliveryTo(sub, topic)))
	}
	return shown
}

// deliveryTo gives the delivery policy that counts for a subscription.
func deliveryTo(sub *core.Subscription, topic *core.Topic) subscriptionDeliveryPolicy {
	p, err := readSubscriptionDelivery(sub.Attributes[subscriberKey])
	if err != nil { // it was checked when it was set
		p = subscriptionDeliveryPolicy{}
	}
	return p.under(deliveryOf(topic))
}
