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
	fifo, err := wantsFIFO("TopicType", req.TopicType)
	if err != nil {
		return nil, err
	}
	found, err := s.broker.ListTopics(ctx, core.ListTopicsInput{
		Account: c.Account, Region: c.Region, Prefix: req.TopicName, Limit: req.size(), Counts: true, Total: true,
		Listed: core.Listed{FIFO: fifo, Tags: wanted(req.Tag), Skip: req.skip()},
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*topicData, len(found.Topics))
	for i := range found.Topics {
		rows[i] = c.topicData(&found.Topics[i])
	}
	return newPage(&req.pageRequest, found.Total, rows), nil
}
