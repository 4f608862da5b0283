package sqs

import (
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
	show func(*core.Queue) string              // "" where the queue does not have it
	set  func(*core.QueueChange, string) error // nil for those that can only be read
	same func(a, b string) bool                // nil for equality
}

// Attributes that the core does not act on are kept under these names.
const (
	policyKey             = "sqs.Policy"
	redriveAllowPolicyKey = "sqs.RedriveAllowPolicy"
	kmsKeyKey             = "sqs.KmsMasterKeyId"
	kmsReuseKey           = "sqs.KmsDataKeyReusePeriodSeconds"
	managedSSEKey         = "sqs.SqsManagedSseEnabled"
)

// Names of attributes that are more than a row of the table.
const (
	allAttributes = "All"
	fifoQueue     = "FifoQueue"
	policy        = "Policy"
	kmsKey        = "KmsMasterKeyId"
	managedSSE    = "SqsManagedSseEnabled"
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
		func(c *core.QueueChange, d *time.Duration) { c.Delay = d }),
	{name: "MaximumMessageSize",
		show: func(q *core.Queue) string { return strconv.Itoa(q.MaxMessageSize) },
		set: integer("MaximumMessageSize", minMessageSize, maxMessageSize,
			func(c *core.QueueChange, n int) { c.MaxMessageSize = &n })},
	seconds("MessageRetentionPeriod", 60, 1209600,
		func(q *core.Queue) time.Duration { return q.Retention },
		func(c *core.QueueChange, d *time.Duration) { c.Retention = d }),
	seconds("ReceiveMessageWaitTimeSeconds", 0, 20,
		func(q *core.Queue) time.Duration { return q.ReceiveWait },
		func(c *core.QueueChange, d *time.Duration) { c.ReceiveWait = d }),
	seconds("VisibilityTimeout", 0, 43200,
		func(q *core.Queue) time.Duration { return q.VisibilityTimeout },
		func(c *core.QueueChange, d *time.Duration) { c.VisibilityTimeout = d }),
	{name: policy, show: kept(policyKey), set: setPolicy, same: sameJSON},
	{name: "RedrivePolicy", show: func(*core.Queue) string { return "" }, set: setRedrivePolicy},
	{name: "RedriveAllowPolicy", show: kept(redriveAllowPolicyKey), set: setRedriveAllowPolicy, same: sameJSON},
	{name: kmsKey, show: kept(kmsKeyKey), set: setKMSKey},
	{name: "KmsDataKeyReusePeriodSeconds", show: showKMSReuse,
		set: integer("KmsDataKeyReusePeriodSeconds", 60, 86400,
			func(c *core.QueueChange, n int) { keep(c, kmsReuseKey, strconv.Itoa(n)) })},
	{name: managedSSE, show: showManagedSSE, set: setManagedSSE},
	{name: fifoQueue, show: func(q *core.Queue) string {
		if q.FIFO {
			return "true"
		}
		return ""
	}},
	{name: "QueueArn", show: func(q *core.Queue) string { return arn(q.Name) }},
	{name: "CreatedTimestamp", show: func(q *core.Queue) string { return epochSeconds(q.CreatedAt) }},
	{name: "LastModifiedTimestamp", show: func(q *core.Queue) string { return epochSeconds(q.ModifiedAt) }},
	{name: "ApproximateNumberOfMessages", show: func(q *core.Queue) string { return strconv.FormatInt(q.Counts.Visible, 10) }},
	{name: "ApproximateNumberOfMessagesNotVisible", show: func(q *core.Queue) string { return strconv.FormatInt(q.Counts.InFlight, 10) }},
	{name: "ApproximateNumberOfMessagesDelayed", show: func(q *core.Queue) string { return strconv.FormatInt(q.Counts.Delayed, 10) }},
}

// fifoAttributes can be set on FIFO queues only.
var fifoAttributes = []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

func queueAttributeOf(name string) (queueAttribute, bool) {
	i := slices.IndexFunc(queueAttributes, func(a queueAttribute) bool { return a.name == name })
	if i < 0 {
		return queueAttribute{}, false
	}
	return queueAttributes[i], true
}

// changeOf reads the attributes that a request sets on a standard queue.
func changeOf(attributes aws.Map[string]) (core.QueueChange, error) {
	var change core.QueueChange
	for _, given := range attributes {
		if err := checkSettable(given.Key); err != nil {
			return change, err
		}
	}
	key, _ := attributes.Get(kmsKey)
	if sse, _ := attributes.Get(managedSSE); key != "" && strings.EqualFold(sse, "true") {
		return change, invalidAttribute.errorf("You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	}
	for _, attribute := range queueAttributes {
		if value, given := attributes.Get(attribute.name); given {
			if err := attribute.set(&change, value); err != nil {
				return change, err
			}
		}
	}
	return change, nil
}

func checkSettable(name string) error {
	if name == "DeduplicationScope" || name == "FifoThroughputLimit" {
		return invalidAttribute.errorf("You can specify the %s only when FifoQueue is set to true.", name)
	}
	if attribute, known := queueAttributeOf(name); !known || attribute.set == nil {
		return unknownAttribute(name)
	}
	return nil
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
func seconds(name string, least, most int, get func(*core.Queue) time.Duration, put func(*core.QueueChange, *time.Duration)) queueAttribute {
	return queueAttribute{
		name: name,
		show: func(q *core.Queue) string { return strconv.FormatInt(int64(get(q)/time.Second), 10) },
		set: integer(name, least, most, func(c *core.QueueChange, n int) {
			d := time.Duration(n) * time.Second
			put(c, &d)
		}),
	}
}

func integer(name string, least, most int, put func(*core.QueueChange, int)) func(*core.QueueChange, string) error {
	return func(c *core.QueueChange, value string) error {
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

// keep makes the core keep an attribute; "" removes it.
func keep(c *core.QueueChange, key, value string) {
	if c.Attributes == nil {
		c.Attributes = map[string]*string{}
	}
	c.Attributes[key] = &value
	if value == "" {
		c.Attributes[key] = nil
	}
}

func setPolicy(c *core.QueueChange, value string) error {
	var object map[string]any
	if value != "" && (len(value) > maxPolicyLength || json.Unmarshal([]byte(value), &object) != nil || object == nil) {
		return invalidAttributeValue(policy)
	}
	keep(c, policyKey, value)
	return nil
}

func setRedrivePolicy(_ *core.QueueChange, value string) error {
	if value != "" && value != "{}" {
		return invalidAttributeReason("RedrivePolicy", "Dead-letter queues are not implemented yet.")
	}
	return nil
}

// maxSourceQueues is how many queues a RedriveAllowPolicy may name.
const maxSourceQueues = 10

func setRedriveAllowPolicy(c *core.QueueChange, value string) error {
	if value == "" {
		keep(c, redriveAllowPolicyKey, "")
		return nil
	}
	var p struct {
		RedrivePermission string   `json:"redrivePermission"`
		SourceQueueArns   []string `json:"sourceQueueArns"`
	}
	if len(value) > maxPolicyLength || json.Unmarshal([]byte(value), &p) != nil {
		return invalid(value, "RedriveAllowPolicy", "Redrive allow policy is not a valid JSON map.")
	}
	sources := len(p.SourceQueueArns)
	switch p.RedrivePermission {
	case "allowAll", "denyAll":
		if sources > 0 {
			return invalid(value, "RedriveAllowPolicy", "sourceQueueArns is allowed with redrivePermission byQueue only.")
		}
	case "byQueue":
		if sources < 1 || sources > maxSourceQueues {
			return invalid(value, "RedriveAllowPolicy", "sourceQueueArns must name 1 to 10 queues.")
		}
	default:
		return invalid(value, "RedriveAllowPolicy", "redrivePermission must be allowAll, denyAll or byQueue.")
	}
	keep(c, redriveAllowPolicyKey, value)
	return nil
}

// setKMSKey switches SQS's own encryption off, which stays off when the key is removed.
func setKMSKey(c *core.QueueChange, value string) error {
	if len(value) > maxKeyLength || !core.ValidText([]byte(value)) {
		return invalidAttributeValue(kmsKey)
	}
	keep(c, kmsKeyKey, value)
	if value != "" {
		keep(c, managedSSEKey, "false")
	}
	return nil
}

func showKMSReuse(q *core.Queue) string {
	reuse := q.Attributes[kmsReuseKey]
	switch {
	case q.Attributes[kmsKeyKey] == "" && reuse == defaultKMSReuse:
		return ""
	case q.Attributes[kmsKeyKey] != "" && reuse == "":
		return defaultKMSReuse
	}
	return reuse
}

func showManagedSSE(q *core.Queue) string {
	if value := q.Attributes[managedSSEKey]; value != "" {
		return value
	}
	return "true"
}

func setManagedSSE(c *core.QueueChange, value string) error {
	enabled := strings.ToLower(value)
	if enabled != "true" && enabled != "false" {
		return invalidAttributeValue(managedSSE)
	}
	keep(c, managedSSEKey, enabled)
	if enabled == "true" { // one kind of encryption at a time
		keep(c, kmsKeyKey, "")
		keep(c, kmsReuseKey, "")
	}
	return nil
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
