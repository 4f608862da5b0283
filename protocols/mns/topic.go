package mns

import (
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// topicRetention is how long a message is tried to be delivered; MNS lets nobody change it.
const topicRetention = 24 * time.Hour

// DefaultTopicSettings are those of a topic made without attributes.
func DefaultTopicSettings() core.TopicSettings {
	return core.TopicSettings{MaxMessageSize: defaultMessageSize, Retention: topicRetention}
}

// TopicAttributes are what can be set of a topic.
type TopicAttributes struct {
	MaximumMessageSize *int  `xml:"MaximumMessageSize"`
	LoggingEnabled     *bool `xml:"LoggingEnabled"`
}

// Change checks the values and says them in core's terms.
func (t *TopicAttributes) Change() (core.TopicChange, error) {
	err := checkRange("MaximumMessageSize", t.MaximumMessageSize, minMessageSize, maxMessageSize, "bytes")
	return core.TopicChange{MaxMessageSize: t.MaximumMessageSize, Logging: t.LoggingEnabled}, err
}

// Settings gives the settings of a topic made with the attributes.
func (t *TopicAttributes) Settings() (core.TopicSettings, error) {
	change, err := t.Change()
	return change.Apply(core.Topic{TopicSettings: DefaultTopicSettings()}).TopicSettings, err
}

// SameTopic says that a topic has these settings, as far as MNS can say them: the nearest it has to
// values that another protocol may have given.
func SameTopic(t *core.Topic, settings core.TopicSettings) bool {
	return min(max(t.MaxMessageSize, minMessageSize), maxMessageSize) == settings.MaxMessageSize && t.Logging == settings.Logging
}

// TopicRetention gives how long a topic tries to deliver.
func TopicRetention(t *core.Topic) time.Duration {
	if t.Retention == 0 {
		return topicRetention
	}
	return t.Retention
}

// writeTopic writes all attributes of a topic inside the current element.
func (a *answer) writeTopic(t *core.Topic) {
	a.text("TopicName", t.Name.Name)
	a.number("MaximumMessageSize", int64(t.MaxMessageSize))
	a.boolean("LoggingEnabled", t.Logging)
	a.number("MessageRetentionPeriod", int64(TopicRetention(t)/time.Second))
	a.number("MessageCount", t.Counts.Messages)
	a.number("CreateTime", t.CreatedAt.Unix())
	a.number("LastModifyTime", t.ModifiedAt.Unix())
}

// topicURL is the address of a topic on the host that the client used.
func (c *call) topicURL(name string) string { return c.BaseURL + "/topics/" + name }

// CheckTopicName holds for topics that MNS makes.
func CheckTopicName(name string) error {
	switch {
	case utf8.RuneCountInString(name) > maxNameLength:
		return wireError{http.StatusBadRequest, "TopicNameLengthError", "a topic name has 1 to 256 characters"}
	case !validName(name):
		return wireError{http.StatusBadRequest, "TopicNameInvalid", "a topic name has letters, digits and '-', and begins with no '-'"}
	}
	return nil
}
