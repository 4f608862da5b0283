package mns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listSubscriptionByTopicResponse struct {
	call     *call
	page     core.SubscriptionPage
	withMeta bool
}

func (r *listSubscriptionByTopicResponse) write(a *answer) {
	a.root("Subscriptions")
	for i := range r.page.Subscriptions {
		a.open("Subscription")
		a.text("SubscriptionURL", r.call.subscriptionURL(r.page.Subscriptions[i].Name.Name))
		if r.withMeta {
			a.writeSubscription(&r.page.Subscriptions[i])
		}
		a.end("Subscription")
	}
	a.marker(r.page.Next)
	a.end("Subscriptions")
}

func (s *Server) listSubscriptionByTopic(ctx context.Context, c *call, req *listRequest) (*listSubscriptionByTopicResponse, error) {
	limit, after, err := req.page()
	if err != nil {
		return nil, err
	}
	page, err := s.broker.ListSubscriptions(ctx, core.ListSubscriptionsInput{Topic: c.topic, Prefix: req.Prefix, After: after, Limit: limit})
	return &listSubscriptionByTopicResponse{c, page, req.withMeta()}, err
}
