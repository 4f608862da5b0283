package sns

import (
	"context"

	"github.com/polymq/polymq/core"
)

type subscriptionRequest struct {
	SubscriptionArn *string
}

// unsubscribe ends a subscription; one that is not there is no error, one that waits to be confirmed is. An endpoint whose subscription
// was ended by whoever followed the link is told, and how to take that back.
func (s *Server) unsubscribe(ctx context.Context, c *call, req *subscriptionRequest) (*noResult, error) {
	if req.SubscriptionArn == nil {
		req.SubscriptionArn = ref("") // here, and only here, the same
	}
	name, err := subscriptionName(req.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	sub, err := s.broker.Subscription(ctx, name)
	if core.CodeOf(err) == core.SubscriptionNotFound || err == nil && sub.State != core.Confirmed && sub.State != core.Pending {
		return &noResult{}, nil
	}
	if err != nil {
		return nil, err
	}
	if sub.State == core.Pending {
		return nil, invalid("SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
	}
	if sub.Attributes[mustSignKey] == "true" && !c.signed() {
		return nil, authorizationError.errorf("The subscription can be ended by its owner only")
	}
	tell := !c.signed() && (sub.Protocol == "http" || sub.Protocol == "https")
	if tell {
		if _, err := s.broker.AlterSubscription(ctx, name, core.SubscriptionChange{Token: ref(newToken())}); err != nil {
			return nil, err
		}
	}
	if sub, err = s.broker.Unsubscribe(ctx, name); core.CodeOf(err) == core.SubscriptionNotFound {
		return &noResult{}, nil // by another
	}
	if err != nil {
		return nil, err
	}
	if tell {
		return &noResult{}, s.broker.PushConfirmation(ctx, sub, core.UnsubscribeConfirmation)
	}
	return &noResult{}, nil
}
