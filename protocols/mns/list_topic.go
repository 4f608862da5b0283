package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listTopicResponse struct {
	call     *call
	page     core.TopicPage
	withMeta bool
}

func (r *listTopicResponse) write(a *answer) {
	a.root("Topics")
	for i := range r.page.Topics {
		a.open("Topic")
		a.text("TopicURL", r.call.topicURL(r.page.Topics[i].Name.Name))
		if r.withMeta {
			a.writeTopic(&r.page.Topics[i])
		}
		a.end("Topic")
	}
	a.marker(r.page.Next)
	a.end("Topics")
}

func (s *Server) listTopic(ctx context.Context, c *call, req *listRequest) (*listTopicResponse, error) {
	limit, after, err := req.page()
	if err != nil {
		return nil, err
	}
	page, err := s.broker.ListTopics(ctx, core.ListTopicsInput{
		Account: c.Account, Region: c.Region, Prefix: req.Prefix, After: after, Limit: limit, Counts: req.withMeta(),
	})
	return &listTopicResponse{c, page, req.withMeta()}, err
}
