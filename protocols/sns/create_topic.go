package sns

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type createTopicRequest struct {
	Name                 *string
	Attributes           aws.Map[string] `query:"Attributes.entry|Attribute,key|Name,value|Value"`
	Tags                 []tag           `query:"Tags.member"`
	DataProtectionPolicy *string
}

type topicResult struct {
	TopicArn string
}

// maxTopicName is the longest name, with the suffix of a FIFO topic.
const maxTopicName = 256

// createTopic makes a topic, or finds one of that name whose attributes and tags are as those given.
func (s *Server) createTopic(ctx context.Context, c *call, req *createTopicRequest) (*topicResult, error) {
	if req.Name == nil {
		return nil, required("name")
	}
	value, _ := req.Attributes.Get(fifoTopic)
	fifo := strings.EqualFold(value, "true")
	if stem := strings.TrimSuffix(*req.Name, fifoSuffix); !isName(stem, maxTopicName, "-_") || len(*req.Name) > maxTopicName || fifo != isFIFO(*req.Name) {
		return nil, invalid("Topic Name")
	}
	change, err := topicChangeOf(req.Attributes, fifo)
	if err != nil {
		return nil, err
	}
	if req.DataProtectionPolicy != nil {
		if err := checkDataProtection(*req.DataProtectionPolicy); err != nil {
			return nil, err
		}
		keep(&change.Attributes, dataProtectionKey, *req.DataProtectionPolicy)
	}
	tags, err := tagMap(req.Tags)
	if err != nil {
		return nil, err
	}
	settings := core.DefaultTopicSettings()
	settings.MaxMessageSize = defaultMessageSize
	wanted := change.Apply(core.Topic{TopicSettings: settings, FIFO: fifo})
	topic, created, err := s.broker.CreateTopic(ctx, core.NewTopic{
		Name: core.TopicName{Account: c.Account, Region: c.Region, Name: *req.Name}, FIFO: fifo,
		Settings: wanted.TopicSettings, Attributes: wanted.Attributes, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	if !created {
		if err := compareTopic(&topic, req, change, tags); err != nil {
			return nil, err
		}
	}
	return &topicResult{topicARN(topic.Name)}, nil
}

// compareTopic fails when an attribute or a tag that was given is not what the topic has.
func compareTopic(topic *core.Topic, req *createTopicRequest, change core.TopicChange, tags map[string]string) error {
	wanted := change.Apply(*topic)
	for _, given := range req.Attributes {
		attribute, known := topicAttributeOf(given.Key)
		if known && given.Key != fifoTopic && !sameText(attribute.show(topic), attribute.show(&wanted)) {
			return invalid("Attributes Reason: Topic already exists with different attributes")
		}
	}
	for key, value := range tags {
		if kept, ok := topic.Tags[key]; !ok || kept != value {
			return invalid("Tags Reason: Topic already exists with different tags")
		}
	}
	return nil
}
