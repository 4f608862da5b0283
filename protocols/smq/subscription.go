package smq

import (
	"encoding/json"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
)

// subscriptionRequest names a subscription.
type subscriptionRequest struct {
	TopicName        string `required:"true"`
	SubscriptionName string `required:"true"`
}

func (r *subscriptionRequest) name(c *call) core.SubscriptionName {
	return core.SubscriptionName{Topic: c.topicName(r.TopicName), Name: r.SubscriptionName}
}

// subscriptionData is a subscription in an answer.
type subscriptionData struct {
	SubscriptionName      string
	TopicName             string
	TopicOwner            string
	Endpoint              string
	FilterTag             string `json:",omitempty"`
	NotifyStrategy        string
	NotifyContentFormat   string
	CreateTime            int64
	LastModifyTime        int64
	DlqPolicy             targetData
	TenantRateLimitPolicy *mns.RateLimit `json:",omitempty"`
	StsRoleArn            string         `json:",omitempty"`
	SubscriptionURL       string
}

func (c *call) subscriptionData(sub *core.Subscription) *subscriptionData {
	attributes := mns.AttributesOf(sub)
	return &subscriptionData{
		SubscriptionName:    sub.Name.Name,
		TopicName:           sub.Name.Topic.Name,
		TopicOwner:          sub.Name.Topic.Account,
		Endpoint:            attributes.Endpoint,
		FilterTag:           attributes.FilterTag,
		NotifyStrategy:      attributes.NotifyStrategy,
		NotifyContentFormat: attributes.NotifyContentFormat,
		CreateTime:          sub.CreatedAt.Unix(),
		LastModifyTime:      sub.ModifiedAt.Unix(),
		DlqPolicy:           targetOf(sub),
		StsRoleArn:          sub.Attributes[keptStsRoleArn],
		SubscriptionURL:     c.BaseURL + "/topics/" + sub.Name.Topic.Name + "/subscriptions/" + sub.Name.Name,
	}
}

// targetOf gives a subscription's policy: the one in force, or the one that is kept though not enabled.
func targetOf(sub *core.Subscription) targetData {
	if sub.DeadLetter.Name != "" {
		return targetData{true, sub.DeadLetter.Name}
	}
	var kept dlqPolicy
	_ = json.Unmarshal([]byte(sub.Attributes[keptDlqPolicy]), &kept) // nothing, or what keepPolicy wrote
	return targetData{false, kept.DeadLetterTargetQueue}
}

// keepPolicy adds a policy that is not enabled to what is kept.
func keepPolicy(change map[string]*string, p *dlqPolicy) error {
	change[keptDlqPolicy] = nil
	if p.enabled() {
		return nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	kept := string(text)
	change[keptDlqPolicy] = &kept
	return nil
}
