package sqs

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// queueAttribute is one attribute of a queue (specs/sqs.md 3.2).
type queueAttribute struct {
	name string
	show func(*core.Queue) string             // "" where the queue does not have it
	set  func(*attributeChange, string) error // nil for those that can only be read
	same func(a, b string) bool               // nil for equality
	fifo bool                                 // that only FIFO queues have
}

// attributeChange is what a request makes of a queue.
type attributeChange struct {
	core.QueueChange
	name core.QueueName
	fifo bool
}

// Attributes that the core does not act on are kept under these names.
const (
	policyKey             = "sqs.Policy"
	redrivePolicyKey      = "sqs.RedrivePolicy"
	redriveAllowPolicyKey = "sqs.RedriveAllowPolicy"
	kmsKeyKey             = "sqs.KmsMasterKeyId"
	kmsReuseKey           = "sqs.KmsDataKeyReusePeriodSeconds"
	managedSSEKey         = "sqs.SqsManagedSseEnabled"
	contentBasedKey       = "sqs.ContentBasedDeduplication"
	throughputLimitKey    = "sqs.FifoThroughputLimit"
)

// Names of attributes that are more than a row of the table.
const (
	allAttributes      = "All"
	fifoQueue          = "FifoQueue"
	contentBased       = "ContentBasedDeduplication"
	deduplicationScope = "DeduplicationScope"
	throughputLimit    = "FifoThroughputLimit"
	policyName         = "Policy"
	redrivePolicy      = "RedrivePolicy"
	redriveAllowPolicy = "RedriveAllowPolicy"
	kmsKey             = "KmsMasterKeyId"
	managedSSE         = "SqsManagedSseEnabled"
)

// Bounds of attributes.
const (
	minMessageSize  = 1024
	maxMessageSize  = 1 << 20
	maxPolicyLength = 8192
	maxKeyLength    = 2048
	defaultKMSReuse = "300"
)

// queueAttributes are all attributes, in the order in which they are shown. The order of setting
// matters for those of encryption: a key of KMS switches SQS's own encryption off, which
// SqsManagedSseEnabled then may say otherwise.
var queueAttributes = []queueAttribute{
	seconds("DelaySeconds", 0, 900,
		func(q *core.Queue) time.Duration { return q.Delay },
		func(c *attributeChange, d *time.Duration) { c.Delay = d }),
	{name: "MaximumMessageSize",
		show: func(q *core.Queue) string { return strconv.Itoa(q.MaxMessageSize) },
		set: integer("MaximumMessageSize", minMessageSize, maxMessageSize,
			func(c *attributeChange, n int) { c.MaxMessageSize = &n })},
	seconds("MessageRetentionPeriod", 60, 1209600,
		func(q *core.Queue) time.Duration { return q.Retention },
		func(c *attributeChange, d *time.Duration) { c.Retention = d }),
	seconds("ReceiveMessageWaitTimeSeconds", 0, 20,
		func(q *core.Queue) time.Duration { return q.ReceiveWait },
		func(c *attributeChange, d *time.Duration) { c.ReceiveWait = d }),
	seconds("VisibilityTimeout", 0, 43200,
		func(q *core.Queue) time.Duration { return q.VisibilityTimeout },
		func(c *attributeChange, d *time.Duration) { c.VisibilityTimeout = d }),
	{name: policyName, show: kept(policyKey), set: setPolicy, same: sameJSON},
	{name: redrivePolicy, show: showRedrivePolicy, set: setRedrivePolicy, same: sameRedrivePolicy},
	{name: redriveAllowPolicy, show: showRedriveAllowPolicy, set: setRedriveAllowPolicy, same: sameJSON},
	{name: kmsKey, show: kept(kmsKeyKey), set: setKMSKey},
	{name: "KmsDataKeyReusePeriodSeconds", show: showKMSReuse,
		set: integer("KmsDataKeyReusePeriodSeconds", 60, 86400,
			func(c *attributeChange, n int) { keep(c, kmsReuseKey, strconv.Itoa(n)) })},
	{name: managedSSE, show: keptOr(managedSSEKey, "true"), set: setManagedSSE},
	{name: fifoQueue, fifo: true, show: func(*core.Queue) string { return "true" }, set: setFIFO},
	{name: contentBased, fifo: true, show: keptOr(contentBasedKey, "false"), set: boolean(contentBased, contentBasedKey)},
	{name: deduplicationScope, fifo: true, show: showScope, set: setScope},
	{name: throughputLimit, fifo: true, show: keptOr(throughputLimitKey, perQueue), set: setThroughputLimit},
	{name: "QueueArn", show: func(q *core.Queue) string { return arn(q.Name) }},
	{name: "CreatedTimestamp", show: func(q *core.Queue) string { return epochSeconds(q.CreatedAt) }},
	{name: "LastModifiedTimestamp", show: func(q *core.Queue) string { return epochSeconds(q.ModifiedAt) }},
	{name: "ApproximateNumberOfMessages", show: func(q *core.Queue) string { return strconv.FormatInt(q.Counts.Visible, 10) }},
	{name: "ApproximateNumberOfMessagesNotVisible", show: func(q *core.Queue) string { return strconv.FormatInt(q.Counts.InFlight, 10) }},
	{name: "ApproximateNumberOfMessagesDelayed", show: func(q *core.Queue) string { return strconv.FormatInt(q.Counts.Delayed, 10) }},
}

func queueAttributeOf(name string) (queueAttribute, bool) {
	i := slices.IndexFunc(queueAttributes, func(a queueAttribute) bool { return a.name == name })
	if i < 0 {
		return queueAttribute{}, false
	}
	return queueAttributes[i], true
}

// shown gives an attribute's value, "" where the queue does not have it.
func (a *queueAttribute) shown(q *core.Queue) string {
	if a.fifo && !q.FIFO {
		return ""
	}
	return a.show(q)
}

// set reads the attributes that a request sets.
func (c *attributeChange) set(attributes aws.Map[string]) error {
	for _, given := range attributes {
		if err := c.checkSettable(given.Key); err != nil {
			return err
		}
	}
	key, _ := attributes.Get(kmsKey)
	if sse, _ := attributes.Get(managedSSE); key != "" && strings.EqualFold(sse, "true") {
		return invalidAttribute.errorf("You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	}
	for _, attribute := range queueAttributes {
		if value, given := attributes.Get(attribute.name); given {
			if err := attribute.set(c, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *attributeChange) checkSettable(name string) error {
	attribute, known := queueAttributeOf(name)
	switch {
	case !known || attribute.set == nil:
		return unknownAttribute(name)
	case !attribute.fifo || c.fifo:
		return nil
	case name == deduplicationScope || name == throughputLimit:
		return invalidAttribute.errorf("You can specify the %s only when FifoQueue is set to true.", name)
	}
	return unknownAttribute(name)
}

func unknownAttribute(name string) error {
	return invalidAttribute.errorf("Unknown Attribute %s.", name)
}

func invalidAttributeValue(name string) error {
	return invalidValue.errorf("Invalid value for the parameter %s.", name)
}

func invalidAttributeReason(name, reason string) error {
	return invalidValue.errorf("Invalid value for the parameter %s. Reason: %s", name, reason)
}

// seconds makes an attribute of a setting that is a time.
func seconds(name string, least, most int, get func(*core.Queue) time.Duration, put func(*attributeChange, *time.Duration)) queueAttribute {
	return queueAttribute{
		name: name,
		show: func(q *core.Queue) string { return strconv.FormatInt(int64(get(q)/time.Second), 10) },
		set: integer(name, least, most, func(c *attributeChange, n int) {
			d := time.Duration(n) * time.Second
			put(c, &d)
		}),
	}
}

func integer(name string, least, most int, put func(*attributeChange, int)) func(*attributeChange, string) error {
	return func(c *attributeChange, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return invalidAttributeValue(name)
		}
		put(c, n)
		return nil
	}
}

// kept shows an attribute that the core keeps for SQS.
func kept(key string) func(*core.Queue) string {
	return func(q *core.Queue) string { return q.Attributes[key] }
}

// keptOr shows one that has a default.
func keptOr(key, otherwise string) func(*core.Queue) string {
	return func(q *core.Queue) string { return cmp.Or(q.Attributes[key], otherwise) }
}

// keep makes the core keep an attribute; "" removes it.
func keep(c *attributeChange, key, value string) {
	if c.Attributes == nil {
		c.Attributes = map[string]*string{}
	}
	c.Attributes[key] = &value
	if value == "" {
		c.Attributes[key] = nil
	}
}

// setKMSKey switches SQS's own encryption off, which stays off when the key is removed.
func setKMSKey(c *attributeChange, value string) error {
	if len(value) > maxKeyLength || !core.ValidText([]byte(value)) {
		return invalidAttributeValue(kmsKey)
	}
	keep(c, kmsKeyKey, value)
	if value != "" {
		keep(c, managedSSEKey, "false")
	}
	return nil
}

// showKMSReuse shows how long keys are used, of queues that have one.
func showKMSReuse(q *core.Queue) string {
	if q.Attributes[kmsKeyKey] == "" {
		return ""
	}
	return cmp.Or(q.Attributes[kmsReuseKey], defaultKMSReuse)
}

func setManagedSSE(c *attributeChange, value string) error {
	if strings.EqualFold(value, "true") { // one kind of encryption at a time
		keep(c, kmsKeyKey, "")
		keep(c, kmsReuseKey, "")
	}
	return boolean(managedSSE, managedSSEKey)(c, value)
}

// boolean makes an attribute that is true or false and that the core keeps.
func boolean(name, key string) func(*attributeChange, string) error {
	return func(c *attributeChange, value string) error {
		value = strings.ToLower(value)
		if value != "true" && value != "false" {
			return invalidAttributeValue(name)
		}
		keep(c, key, value)
		return nil
	}
}

// sameJSON compares what two texts say, and the texts where one is no JSON.
func sameJSON(a, b string) bool {
	var left, right any
	if json.Unmarshal([]byte(a), &left) != nil || json.Unmarshal([]byte(b), &right) != nil {
		return a == b
	}
	return reflect.DeepEqual(left, right)
}

func epochSeconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
