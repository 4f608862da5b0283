package smq

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// Types of queues and topics.
const (
	typeNormal = "normal"
	typeFIFO   = "fifo"
)

// isFIFO reads a type; "" is a normal one.
func isFIFO(name, value string) (bool, error) {
	switch value {
	case "", typeNormal:
		return false, nil
	case typeFIFO:
		return true, nil
	}
	return false, openapi.InvalidParameter(name, "must be normal or fifo")
}

// wantsFIFO reads the type that a list asks for; nil is any.
func wantsFIFO(name, value string) (*bool, error) {
	if value == "" {
		return nil, nil
	}
	fifo, err := isFIFO(name, value)
	return &fifo, err
}

func typeOf(fifo bool) string {
	if fifo {
		return typeFIFO
	}
	return typeNormal
}

// queueAttributes are what CreateQueue and SetQueueAttributes can set.
type queueAttributes struct {
	DelaySeconds           *int
	MaximumMessageSize     *int
	MessageRetentionPeriod *int
	VisibilityTimeout      *int
	PollingWaitSeconds     *int
	EnableLogging          *bool
	DlqPolicy              *dlqPolicy
	TenantRateLimitPolicy  *rateLimit
	encryption
}

// change checks the values and says them in core's terms.
func (q *queueAttributes) change(name string) (core.QueueChange, error) {
	attributes := mns.QueueAttributes{
		DelaySeconds: q.DelaySeconds, MaximumMessageSize: q.MaximumMessageSize, MessageRetentionPeriod: q.MessageRetentionPeriod,
		VisibilityTimeout: q.VisibilityTimeout, PollingWaitSeconds: q.PollingWaitSeconds, LoggingEnabled: q.EnableLogging,
	}
	change, err := attributes.Change()
	if err != nil {
		return change, err
	}
	change.Attributes = map[string]*string{}
	if q.DlqPolicy.given() {
		policy, err := q.DlqPolicy.queuePolicy(name)
		if err != nil {
			return change, err
		}
		change.DeadLetter, change.Attributes[keptDlqPolicy] = &policy, nil
		if policy.Target == "" {
			text, err := json.Marshal(q.DlqPolicy)
			if err != nil {
				return change, err
			}
			kept := string(text)
			change.Attributes[keptDlqPolicy] = &kept
		}
	}
	limit, err := q.TenantRateLimitPolicy.kept()
	if err != nil {
		return change, err
	}
	if limit != nil {
		change.Attributes[mns.AttributeRate] = limit
	}
	return change, q.encryption.change(change.Attributes)
}

// queueData is a queue in an answer.
type queueData struct {
	QueueName              string
	QueueType              string
	CreateTime             int64
	LastModifyTime         int64
	DelaySeconds           int64
	MaximumMessageSize     int
	MessageRetentionPeriod int64
	VisibilityTimeout      int64
	PollingWaitSeconds     int64
	ActiveMessages         int64
	InactiveMessages       int64
	DelayMessages          int64
	LoggingEnabled         bool
	DlqPolicy              dlqData
	TenantRateLimitPolicy  *mns.RateLimit `json:",omitempty"`
	Tags                   []tagData
	encryptionData
	QueueUrl         string
	QueueInternalUrl string
}

func (c *call) queueData(q *core.Queue) *queueData {
	url := c.BaseURL + "/queues/" + q.Name.Name
	data := &queueData{
		QueueName:              q.Name.Name,
		QueueType:              typeOf(q.FIFO),
		CreateTime:             q.CreatedAt.Unix(),
		LastModifyTime:         q.ModifiedAt.Unix(),
		DelaySeconds:           int64(q.Delay / time.Second),
		MaximumMessageSize:     q.MaxMessageSize,
		MessageRetentionPeriod: int64(q.Retention / time.Second),
		VisibilityTimeout:      int64(q.VisibilityTimeout / time.Second),
		PollingWaitSeconds:     int64(q.ReceiveWait / time.Second),
		ActiveMessages:         q.Counts.Visible,
		InactiveMessages:       q.Counts.InFlight,
		DelayMessages:          q.Counts.Delayed,
		LoggingEnabled:         q.Logging,
		DlqPolicy:              dlqOf(q),
		Tags:                   tagsOf(q.Tags),
		encryptionData:         encryptionOf(q.Attributes),
		QueueUrl:               url,
		QueueInternalUrl:       url,
	}
	return data
}

// dlqOf gives a queue's policy: the one in force, or the one that is kept though not enabled.
func dlqOf(q *core.Queue) dlqData {
	if q.DeadLetter.Target != "" {
		return dlqData{true, q.DeadLetter.Target, strconv.Itoa(q.DeadLetter.MaxReceives)}
	}
	var kept dlqPolicy
	_ = json.Unmarshal([]byte(q.Attributes[keptDlqPolicy]), &kept) // nothing, or what change wrote
	return dlqData{false, kept.DeadLetterTargetQueue, strconv.Itoa(int(kept.MaxReceiveCount))}
}
