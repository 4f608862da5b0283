package sns

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/polymq/polymq/core"
)

type confirmSubscriptionRequest struct {
	TopicArn                  *string
	Token                     *string
	AuthenticateOnUnsubscribe string
}

// confirmSubscription confirms a subscription by the token that its endpoint was sent. Of the
// topic's ARN only the region is compared with the token's.
func (s *Server) confirmSubscription(ctx context.Context, c *call, req *confirmSubscriptionRequest) (*subscriptionResult, error) {
	switch {
	case req.TopicArn == nil:
		return nil, required("topicArn")
	case req.Token == nil:
		return nil, required("token")
	}
	topic, _, ok := readARN(*req.TopicArn)
	if !ok || topic.service != "sns" {
		return nil, invalid("Topic")
	}
	if _, err := hex.DecodeString(*req.Token); err != nil {
		return nil, invalidParameter.errorf("Invalid token")
	}
	sub, err := s.broker.SubscriptionOfToken(ctx, *req.Token)
	if core.CodeOf(err) == core.SubscriptionNotFound || err == nil && (sub.Format != format || sub.State == core.Orphaned) {
		return nil, invalid("Token")
	}
	if err != nil {
		return nil, err
	}
	if sub.Name.Topic.Region != topic.region {
		return nil, invalid("Topic")
	}
	if sub.State != core.Confirmed {
		state := core.Confirmed
		change := core.SubscriptionChange{State: &state}
		keep(&change.Attributes, authenticatedKey, trueOr(c.signed()))
		keep(&change.Attributes, mustSignKey, trueOr(strings.EqualFold(req.AuthenticateOnUnsubscribe, "true")))
		if _, err := s.broker.AlterSubscription(ctx, sub.Name, change); err != nil {
			return nil, err
		}
	}
	return &subscriptionResult{subscriptionARN(sub.Name)}, nil
}
