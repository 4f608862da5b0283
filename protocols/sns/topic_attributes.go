package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
	"github.com/polymq/polymq/protocols/aws"
)

// topicAttribute is one attribute of a topic (specs/sns.md 2.2).
type topicAttribute struct {
	name   string
	show   func(*core.Topic) string              // "" where the topic does not have it
	set    func(*core.TopicChange, string) error // nil for those that can only be read
	fifo   bool                                  // of FIFO topics only
	always bool                                  // shown though it is ""
}

// Attributes that the core does not act on are kept under these names.
const (
	policyKey           = "sns.Policy"
	displayNameKey      = "sns.DisplayName"
	deliveryPolicyKey   = "sns.DeliveryPolicy"
	signatureVersionKey = "sns.SignatureVersion"
	contentBasedKey     = "sns.ContentBasedDeduplication"
	throughputScopeKey  = "sns.FifoThroughputScope"
	messageSizeKey      = "sns.MaximumMessageSize" // there when it was set
	archivePolicyKey    = "sns.ArchivePolicy"
	dataProtectionKey   = "sns.DataProtectionPolicy"
)

// Names of attributes that are more than a row of the table.
const (
	fifoTopic       = "FifoTopic"
	contentBased    = "ContentBasedDeduplication"
	throughputScope = "FifoThroughputScope"
	archivePolicy   = "ArchivePolicy"
)

// Bounds of attributes.
const (
	maxDisplayName     = 100
	maxKeyLength       = 2048
	maxRoleLength      = 2048
	minMessageSize     = 1024
	maxMessageSize     = 1 << 20
	defaultMessageSize = 256 << 10
)

// topicAttributes are all attributes, in the order in which they are shown.
var topicAttributes = slices.Concat([]topicAttribute{
	{name: "Policy", show: policyOf, set: setTopicPolicy},
	{name: "Owner", show: func(t *core.Topic) string { return t.Name.Account }},
	{name: "SubscriptionsPending", show: func(t *core.Topic) string { return strconv.FormatInt(t.Counts.Pending, 10) }},
	{name: "TopicArn", show: func(t *core.Topic) string { return topicARN(t.Name) }},
	{name: "EffectiveDeliveryPolicy", show: func(t *core.Topic) string { return jsonText(deliveryOf(t).effective()) }},
	{name: "SubscriptionsConfirmed", show: func(t *core.Topic) string { return strconv.FormatInt(t.Counts.Confirmed, 10) }},
	{name: "DisplayName", show: keptOf(displayNameKey), set: setDisplayName, always: true},
	{name: "SubscriptionsDeleted", show: func(t *core.Topic) string { return strconv.FormatInt(t.Counts.Deleted, 10) }},
	{name: "DeliveryPolicy", show: keptOf(deliveryPolicyKey), set: setTopicDelivery},
	{name: fifoTopic, fifo: true, show: func(t *core.Topic) string { return strconv.FormatBool(t.FIFO) }},
	{name: contentBased, fifo: true, show: showContentBased, set: setContentBased},
	{name: throughputScope, fifo: true, show: keptOf(throughputScopeKey), set: setThroughputScope},
	{name: archivePolicy, fifo: true, show: keptOf(archivePolicyKey), set: setArchivePolicy},
	{name: "BeginningArchiveTime", fifo: true, show: showArchiveBegins},
	{name: "MaximumMessageSize", show: keptOf(messageSizeKey), set: setMessageSize},
	oneOf("SignatureVersion", "1", "2"),
	oneOf("TracingConfig", "PassThrough", "Active"),
	text("KmsMasterKeyId", maxKeyLength),
}, feedbackAttributes())

// feedbackAttributes are those of delivery status logs, which are kept and shown.
func feedbackAttributes() (all []topicAttribute) {
	for _, protocol := range []string{"HTTP", "Firehose", "Lambda", "Application", "SQS"} {
		rate := protocol + "SuccessFeedbackSampleRate"
		all = append(all, text(protocol+"SuccessFeedbackRoleArn", maxRoleLength), text(protocol+"FailureFeedbackRoleArn", maxRoleLength),
			topicAttribute{name: rate, show: keptOf("sns." + rate), set: func(c *core.TopicChange, value string) error {
				if value != "" && !isPercentage(value) {
					return fmt.Errorf("%s: %s", rate, noPercentage(value))
				}
				keep(&c.Attributes, "sns."+rate, value)
				return nil
			}})
	}
	return all
}

// isPercentage says that a text is a rate of samples; noPercentage says so of one that is none.
func isPercentage(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0 && n <= 100
}

func noPercentage(text string) string {
	return short(text) + " value provided is not an integer between 0-100"
}

// text makes an attribute that is kept and shown.
func text(name string, most int) topicAttribute {
	return topicAttribute{name: name, show: keptOf("sns." + name), set: func(c *core.TopicChange, value string) error {
		if len(value) > most {
			return fmt.Errorf("%s must be at most %d characters long", name, most)
		}
		keep(&c.Attributes, "sns."+name, value)
		return nil
	}}
}

func oneOf(name string, values ...string) topicAttribute {
	return topicAttribute{name: name, show: keptOf("sns." + name), set: func(c *core.TopicChange, value string) error {
		if !slices.Contains(values, value) {
			return fmt.Errorf("%s must be %s", name, strings.Join(values, " or "))
		}
		keep(&c.Attributes, "sns."+name, value)
		return nil
	}}
}

// keptOf shows an attribute that the core keeps for SNS.
func keptOf(key string) func(*core.Topic) string {
	return func(t *core.Topic) string { return t.Attributes[key] }
}

// keep makes the core keep an attribute; "" removes it.
func keep(attributes *map[string]*string, key, value string) {
	if *attributes == nil {
		*attributes = map[string]*string{}
	}
	(*attributes)[key] = &value
	if value == "" {
		(*attributes)[key] = nil
	}
}

func setDisplayName(c *core.TopicChange, value string) error {
	if utf8.RuneCountInString(value) > maxDisplayName {
		return fmt.Errorf("DisplayName must be at most %d characters long", maxDisplayName)
	}
	keep(&c.Attributes, displayNameKey, value)
	return nil
}

// policyActions are what the policy of a topic can be about, in small letters. Of what is about the account, a subscription
// or a device it says nothing.
var policyActions = strings.Fields(strings.ToLower(strings.Join(grantable, " ")))

func setTopicPolicy(c *core.TopicChange, value string) error {
	object := &struct{ Statement any }{}
	if value != "" && (len(value) > maxPolicyLength || json.Unmarshal([]byte(value), &object) != nil || object == nil) {
		return errors.New("Policy Error: null")
	}
	if list, isList := object.Statement.([]any); object.Statement != nil && (!isList || len(list) > 0) { // without any, it says nothing
		p, err := policy.ParseAWS(value, policy.Resource)
		switch {
		case err != nil:
			return fmt.Errorf("Policy Error: %w", err)
		case p.ForNobody():
			return errors.New("Policy Error: a statement of a topic's policy needs Principal")
		case !p.Only("sns", policyActions...):
			return errors.New("Policy statement action out of service scope!") //nolint:revive // as SNS says it
		}
	}
	keep(&c.Attributes, policyKey, value)
	return nil
}

func setTopicDelivery(c *core.TopicChange, value string) error {
	p, err := readTopicDelivery(value)
	if err != nil {
		return err
	}
	if value != "" {
		value = p.shown()
	}
	keep(&c.Attributes, deliveryPolicyKey, value)
	return nil
}

// deliveryOf gives the topic's own DeliveryPolicy.
func deliveryOf(t *core.Topic) topicDeliveryPolicy {
	p, err := readTopicDelivery(t.Attributes[deliveryPolicyKey])
	if err != nil { // it was checked when it was set
		return topicDeliveryPolicy{}
	}
	return p
}

func showContentBased(t *core.Topic) string {
	if value := t.Attributes[contentBasedKey]; value != "" {
		return value
	}
	return "false"
}

func setContentBased(c *core.TopicChange, value string) error {
	value = strings.ToLower(value)
	if value != "true" && value != "false" {
		return errors.New("ContentBasedDeduplication must be true or false")
	}
	keep(&c.Attributes, contentBasedKey, value)
	return nil
}

func setThroughputScope(c *core.TopicChange, value string) error {
	scope := core.DeduplicateInQueue
	switch value {
	case "Topic":
	case "MessageGroup":
		scope = core.DeduplicateInGroup
	default:
		return errors.New("FifoThroughputScope must be Topic or MessageGroup")
	}
	c.DeduplicationScope = &scope
	keep(&c.Attributes, throughputScopeKey, value)
	return nil
}

func setMessageSize(c *core.TopicChange, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < minMessageSize || n > maxMessageSize {
		return fmt.Errorf("MaximumMessageSize must be %d to %d", minMessageSize, maxMessageSize)
	}
	c.MaxMessageSize = &n
	keep(&c.Attributes, messageSizeKey, value)
	return nil
}

func topicAttributeOf(name string) (topicAttribute, bool) {
	i := slices.IndexFunc(topicAttributes, func(a topicAttribute) bool { return a.name == name })
	if i < 0 {
		return topicAttribute{}, false
	}
	return topicAttributes[i], true
}

// topicChangeOf reads the attributes that a new topic is given.
func topicChangeOf(attributes aws.Map[string], fifo bool) (core.TopicChange, error) {
	var change core.TopicChange
	for _, given := range attributes {
		attribute, known := topicAttributeOf(given.Key)
		switch {
		case given.Key == fifoTopic:
			continue
		case !known || attribute.set == nil:
			return change, invalid("Attributes Reason: Unknown attribute %s", short(given.Key))
		case attribute.fifo && !fifo:
			return change, invalid("Attributes Reason: %s can only be set for FIFO topics", given.Key)
		}
		if err := attribute.set(&change, given.Value); err != nil {
			return change, invalid("Attributes Reason: %s", err.Error())
		}
	}
	return change, nil
}

// shownTopic gives the attributes of a topic as they are shown.
func shownTopic(t *core.Topic) aws.Map[string] {
	var shown aws.Map[string]
	for _, attribute := range topicAttributes {
		if attribute.fifo && !t.FIFO {
			continue
		}
		if value := attribute.show(t); value != "" || attribute.always {
			shown = append(shown, aws.Pair[string]{Key: attribute.name, Value: value})
		}
	}
	return shown
}

// sameText compares what two texts of JSON say, and the texts where one is no JSON.
func sameText(a, b string) bool {
	var left, right any
	if json.Unmarshal([]byte(a), &left) != nil || json.Unmarshal([]byte(b), &right) != nil {
		return a == b
	}
	return reflect.DeepEqual(left, right)
}
