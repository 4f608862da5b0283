package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listDeliveriesRequest struct {
	OfSubscription
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most deliveries to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listDeliveriesResponse struct {
	Body struct {
		Deliveries []deliveryBody `json:"deliveries" nullable:"false" doc:"In the order in which they are attempted"`
		NextCursor string         `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// listDeliveries shows what is still to be pushed to a subscription.
func (s *Server) listDeliveries(ctx context.Context, req *listDeliveriesRequest) (*listDeliveriesResponse, error) {
	page, err := s.broker.ListDeliveries(ctx, core.ListDeliveriesInput{
		Topic: req.topic(ctx, req.Topic), Subscription: req.Subscription, After: req.Cursor, Limit: req.Limit,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listDeliveriesResponse
	resp.Body.Deliveries = make([]deliveryBody, len(page.Deliveries))
	for i := range page.Deliveries {
		resp.Body.Deliveries[i] = encodeDelivery(&page.Deliveries[i], !exchangeOf(ctx).grants.Bodies)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}
