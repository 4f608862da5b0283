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
	fifo, err := isFIFO("QueueType", req.QueueType)
	if err != nil {
		return nil, err
	}
	names, err := all(func(after string) (names []core.QueueName, next string, err error) {
		found, err := s.broker.ListQueues(ctx, core.ListQueuesInput{Account: c.Account, Region: c.Region, Prefix: req.QueueName, After: after, Limit: core.MaxListed})
		for i := range found.Queues {
			if q := &found.Queues[i]; (req.QueueType == "" || q.FIFO == fifo) && tagged(q.Tags, req.Tag) {
				names = append(names, q.Name)
			}
		}
		return names, found.Next, err
	})
	if err != nil {
		return nil, err
	}
	return page(&req.pageRequest, names, func(name core.QueueName) (*queueData, error) {
		queue, err := s.broker.DescribeQueue(ctx, name)
		return c.queueData(&queue), err
	})
}
