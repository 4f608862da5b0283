package mns

import (
	"context"
	"encoding/base64"

	"github.com/polymq/polymq/core"
)

// maxListed is how many queues a page has at most, and unless told otherwise.
const maxListed = 1000

type listQueueRequest struct {
	Prefix    string `header:"X-Mns-Prefix"`
	Marker    string `header:"X-Mns-Marker"`
	RetNumber *int   `header:"X-Mns-Ret-Number"`
	WithMeta  *bool  `header:"X-Mns-With-Meta"`
}

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
	if r.page.Next != "" {
		a.text("NextMarker", base64.RawURLEncoding.EncodeToString([]byte(r.page.Next)))
	}
	a.end("Queues")
}

func (s *Server) listQueue(ctx context.Context, c *call, req *listQueueRequest) (*listQueueResponse, error) {
	limit := maxListed
	if req.RetNumber != nil {
		limit = *req.RetNumber
	}
	after, err := base64.RawURLEncoding.DecodeString(req.Marker)
	if err != nil {
		return nil, core.Errorf(core.InvalidArgument, "x-mns-marker is none that this list gave out")
	}
	if err := checkRange("x-mns-ret-number", &limit, 1, maxListed, "queues"); err != nil {
		return nil, err
	}
	withMeta := req.WithMeta != nil && *req.WithMeta
	page, err := s.broker.ListQueues(ctx, core.ListQueuesInput{
		Account: c.Account, Region: c.Region, Prefix: req.Prefix, After: string(after), Limit: limit, Counts: withMeta,
	})
	return &listQueueResponse{c, page, withMeta}, err
}
