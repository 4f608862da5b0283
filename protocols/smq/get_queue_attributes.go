package smq

import (
	"context"

	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

type getQueueAttributesRequest struct {
	QueueName string `required:"true"`
	Tag       []openapi.Tag
}

func (s *Server) getQueueAttributes(ctx context.Context, c *call, req *getQueueAttributesRequest) (*queueData, error) {
	queue, err := s.broker.DescribeQueue(ctx, c.queueName(req.QueueName))
	if err != nil {
		return nil, err
	}
	data := c.queueData(&queue)
	data.TenantRateLimitPolicy = rateData(queue.Attributes[mns.AttributeRate])
	return data, nil
}
