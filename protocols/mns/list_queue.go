package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listQueueResponse struct {
	call     *call
	page     core.QueuePage
	withMeta bool
}

func (r *listQueueResponse) write(a *answer) {
	a.root("Queues")
	for i := range r.page.Queues {
		a.open("Queue")
		a.text("QueueURL", r.call.queueURL(r.page.Queues[i].Name.Name))
		if r.withMeta {
			a.writeQueue(&r.page.Queues[i])
		}
		a.end("Queue")
	}
	a.marker(r.page.Next)
	a.end("Queues")
}

func (s *Server) listQueue(ctx context.Context, c *call, req *listRequest) (*listQueueResponse, error) {
	limit, after, err := req.page()
	if err != nil {
		return nil, err
	}
	page, err := s.broker.ListQueues(ctx, core.ListQueuesInput{
		Account: c.Account, Region: c.Region, Prefix: req.Prefix, After: after, Limit: limit, Counts: req.withMeta(),
	})
	return &listQueueResponse{c, page, req.withMeta()}, err
}
