package smq

import (
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
)

// topicAttributes are what CreateTopic and SetTopicAttributes can set.
type topicAttributes struct {
	MaxMessageSize *int
	EnableLogging  *bool
	encryption
}

// change checks the values and says them in core's terms.
func (t *topicAttributes) change() (core.TopicChange, error) {
	attributes := mns.TopicAttributes{MaximumMessageSize: t.MaxMessageSize, LoggingEnabled: t.EnableLogging}
	change, err := attributes.Change()
	if err != nil {
		return change, err
	}
	change.Attributes = map[string]*string{}
	return change, t.encryption.change(change.Attributes)
}

// topicData is a topic in an answer.
type topicData struct {
	TopicName              string
	TopicType              string
	MaxMessageSize         int
	MessageRetentionPeriod int64
	MessageCount           int64
	LoggingEnabled         bool
	CreateTime             int64
	LastModifyTime         int64
	Tags                   []tagData
	encryptionData
	TopicUrl      string
	TopicInnerUrl string
}

func (c *call) topicData(t *core.Topic) *topicData {
	url := c.BaseURL + "/topics/" + t.Name.Name
	return &topicData{
		TopicName:              t.Name.Name,
		TopicType:              typeOf(t.FIFO),
		MaxMessageSize:         t.MaxMessageSize,
		MessageRetentionPeriod: int64(mns.TopicRetention(t) / time.Second),
		MessageCount:           t.Counts.Messages,
		LoggingEnabled:         t.Logging,
		CreateTime:             t.CreatedAt.Unix(),
		LastModifyTime:         t.ModifiedAt.Unix(),
		Tags:                   tagsOf(t.Tags),
		encryptionData:         encryptionOf(t.Attributes),
		TopicUrl:               url,
		TopicInnerUrl:          url,
	}
}
