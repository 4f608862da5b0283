package smq

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

type listTopicRequest struct {
	pageRequest
	TopicName string
	TopicType string
	Tag       []openapi.Tag
}

func (s *Server) listTopic(ctx context.Context, c *call, req *listTopicRequest) (*pageData[*topicData], error) {
	fifo, err := isFIFO("TopicType", req.TopicType)
	if err != nil {
		return nil, err
	}
	names, err := all(func(after string) (names []core.TopicName, next string, err error) {
		found, err := s.broker.ListTopics(ctx, core.ListTopicsInput{Account: c.Account, Region: c.Region, Prefix: req.TopicName, After: after, Limit: core.MaxListed})
		for i := range found.Topics {
			if t := &found.Topics[i]; (req.TopicType == "" || t.FIFO == fifo) && tagged(t.Tags, req.Tag) {
				names = append(names, t.Name)
			}
		}
		return names, found.Next, err
	})
	if err != nil {
		return nil, err
	}
	return page(&req.pageRequest, names, func(name core.TopicName) (*topicData, error) {
		topic, err := s.broker.DescribeTopic(ctx, name)
		return c.topicData(&topic), err
	})
}
