package smq

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

type listQueueRequest struct {
	pageRequest
	QueueName string
	QueueType string
	Tag       []openapi.Tag
}

func (s *Server) listQueue(ctx context.Context, c *call, req *listQueueRequest) (*pageData[*queueData], error) {
	fifo, err := wantsFIFO("QueueType", req.QueueType)
	if err != nil {
		return nil, err
	}
	found, err := s.broker.ListQueues(ctx, core.ListQueuesInput{
		Account: c.Account, Region: c.Region, Prefix: req.QueueName, Limit: req.size(), Counts: true, Total: true,
		Listed: core.Listed{FIFO: fifo, Tags: wanted(req.Tag), Skip: req.skip()},
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*queueData, len(found.Queues))
	for i := range found.Queues {
		rows[i] = c.queueData(&found.Queues[i])
	}
	return newPage(&req.pageRequest, found.Total, rows), nil
}
