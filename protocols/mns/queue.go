package mns

import (
	"net/http"
	"time"

	"github.com/polymq/polymq/core"
)

// Bounds of queues (specs/mns.md 3.1, 7). The retention's is that of older manuals, which today's
// clients still know.
const (
	maxNameLength      = 256
	minMessageSize     = 1024
	maxMessageSize     = 64 << 10
	minRetention       = 60
	maxRetention       = 1296000
	maxDelay           = 604800
	minVisibility      = 1
	maxVisibility      = 43200
	maxWait            = 30
	defaultMessageSize = maxMessageSize
)

// DefaultSettings are those of a queue made without attributes.
func DefaultSettings() core.Settings {
	settings := core.DefaultSettings()
	settings.MaxMessageSize = defaultMessageSize
	return settings
}

// QueueAttributes are what can be set of a queue.
type QueueAttributes struct {
	DelaySeconds           *int  `xml:"DelaySeconds"`
	MaximumMessageSize     *int  `xml:"MaximumMessageSize"`
	MessageRetentionPeriod *int  `xml:"MessageRetentionPeriod"`
	VisibilityTimeout      *int  `xml:"VisibilityTimeout"`
	PollingWaitSeconds     *int  `xml:"PollingWaitSeconds"`
	LoggingEnabled         *bool `xml:"LoggingEnabled"`
}

// Settings gives the settings of a queue made with the attributes.
func (q *QueueAttributes) Settings() (core.Settings, error) {
	change, err := q.Change()
	return change.Apply(core.Queue{Settings: DefaultSettings()}).Settings, err
}

// SameQueue says that a queue has these settings, as far as MNS can say them.
func SameQueue(q *core.Queue, settings core.Settings) bool {
	return sayable(q.Settings) == sayable(settings)
}

// Change checks the values and says them in core's terms.
func (q *QueueAttributes) Change() (core.QueueChange, error) {
	err := firstError(
		checkRange("DelaySeconds", q.DelaySeconds, 0, maxDelay, "seconds"),
		checkRange("MaximumMessageSize", q.MaximumMessageSize, minMessageSize, maxMessageSize, "bytes"),
		checkRange("MessageRetentionPeriod", q.MessageRetentionPeriod, minRetention, maxRetention, "seconds"),
		checkRange("VisibilityTimeout", q.VisibilityTimeout, minVisibility, maxVisibility, "seconds"),
		checkRange("PollingWaitSeconds", q.PollingWaitSeconds, 0, maxWait, "seconds"),
	)
	return core.QueueChange{
		Delay:             seconds(q.DelaySeconds),
		VisibilityTimeout: seconds(q.VisibilityTimeout),
		Retention:         seconds(q.MessageRetentionPeriod),
		ReceiveWait:       seconds(q.PollingWaitSeconds),
		MaxMessageSize:    q.MaximumMessageSize,
		Logging:           q.LoggingEnabled,
	}, err
}

// checkRange refuses a value outside its range; an absent one is fine.
func checkRange(name string, value *int, low, high int, unit string) error {
	if value != nil && (*value < low || *value > high) {
		return core.Errorf(core.InvalidArgument, "%s must be %d to %d %s, was %d", name, low, high, unit, *value)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func seconds(n *int) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(*n) * time.Second
	return &d
}

// writeQueue writes all attributes of a queue inside the current element. A queue that another
// protocol made is shown as it is, also where MNS could not have made it so.
func (a *answer) writeQueue(q *core.Queue) {
	a.text("QueueName", q.Name.Name)
	a.number("DelaySeconds", int64(q.Delay/time.Second))
	a.number("MaximumMessageSize", int64(q.MaxMessageSize))
	a.number("MessageRetentionPeriod", int64(q.Retention/time.Second))
	a.number("VisibilityTimeout", int64(q.VisibilityTimeout/time.Second))
	a.number("PollingWaitSeconds", int64(q.ReceiveWait/time.Second))
	a.boolean("LoggingEnabled", q.Logging)
	a.number("ActiveMessages", q.Counts.Visible)
	a.number("InactiveMessages", q.Counts.InFlight)
	a.number("DelayMessages", q.Counts.Delayed)
	a.number("CreateTime", q.CreatedAt.Unix())
	a.number("LastModifyTime", q.ModifiedAt.Unix())
}

// queueURL is the address of a queue on the host that the client used.
func (c *call) queueURL(name string) string { return c.BaseURL + "/queues/" + name }

// done is the answer of actions that have nothing to tell.
type done struct{}

func (done) write(a *answer) { a.status = http.StatusNoContent }
