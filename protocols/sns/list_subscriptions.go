package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listSubscriptionsResult struct {
	Subscriptions []listedSubscription `query:"Subscriptions.member"`
	NextToken     string
}

type listedSubscription struct {
	SubscriptionArn string
	Owner           string
	Protocol        string
	Endpoint        string
	TopicArn        string
}

// listSubscriptions gives a page of the account's subscriptions.
func (s *Server) listSubscriptions(ctx context.Context, c *call, req *pageRequest) (*listSubscriptionsResult, error) {
	return s.pageOfSubscriptions(ctx, core.ListSubscriptionsInput{
		Topic: core.TopicName{Account: c.Account, Region: c.Region},
	}, req.NextToken)
}

func (s *Server) pageOfSubscriptions(ctx context.Context, in core.ListSubscriptionsInput, token string) (*listSubscriptionsResult, error) {
	var err error
	if in.After, err = readToken(token); err != nil {
		return nil, err
	}
	in.Limit = pageSize
	page, err := s.broker.ListSubscriptions(ctx, in)
	if err != nil {
		return nil, err
	}
	result := &listSubscriptionsResult{NextToken: makeToken(page.Next)}
	for i := range page.Subscriptions {
		sub := &page.Subscriptions[i]
		listed := listedSubscription{subscriptionARN(sub.Name), sub.Owner, sub.Protocol, sub.Endpoint, topicARN(sub.Name.Topic)}
		if sub.State == core.Pending {
			listed.SubscriptionArn = "PendingConfirmation"
		}
		result.Subscriptions = append(result.Subscriptions, listed)
	}
	return result, nil
}
