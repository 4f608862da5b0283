package sns

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type addPermissionRequest struct {
	TopicArn     *string
	Label        *string
	AWSAccountId []string `query:"AWSAccountId.member"`
	ActionName   []string `query:"ActionName.member"`
}

// grantable are the actions that a topic's owner may allow others.
var grantable = []string{
	"AddPermission", "DeleteTopic", "GetDataProtectionPolicy", "GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource",
	"Publish", "PutDataProtectionPolicy", "Receive", "RemovePermission", "SetTopicAttributes", "Subscribe",
}

// addPermission adds a statement to the topic's policy.
func (s *Server) addPermission(ctx context.Context, c *call, req *addPermissionRequest) (*noResult, error) {
	name, err := c.topicName(req.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	return &noResult{}, s.editPolicy(ctx, name, func(p *accessPolicy) error {
		if p.find(*req.Label) >= 0 {
			return invalid("Statement already exists")
		}
		added := statement{Sid: *req.Label, Effect: "Allow", Resource: topicARN(name)}
		var principals, actions []string
		for _, account := range req.AWSAccountId {
			principals = append(principals, "arn:"+aws.Partition(name.Region)+":iam::"+account+":root")
		}
		for _, action := range req.ActionName {
			actions = append(actions, "SNS:"+action)
		}
		added.Principal.AWS, added.Action = oneOrMany(principals), oneOrMany(actions)
		p.Statement = append(p.Statement, json.RawMessage(jsonText(added)))
		return nil
	})
}

func (req *addPermissionRequest) check() error {
	switch {
	case req.Label == nil:
		return required("label")
	case !isName(*req.Label, 80, "-_"):
		return invalid("Label")
	case len(req.AWSAccountId) == 0:
		return required("aWSAccountId")
	case len(req.ActionName) == 0:
		return required("actionName")
	}
	for _, account := range req.AWSAccountId {
		if !core.IsAccount(account) {
			return invalid("A provided account ID is not valid")
		}
	}
	for _, action := range req.ActionName {
		if !slices.Contains(grantable, action) {
			return invalid("Policy statement action out of service scope!")
		}
	}
	return nil
}

// editPolicy changes the policy of a topic.
func (s *Server) editPolicy(ctx context.Context, name core.TopicName, edit func(*accessPolicy) error) error {
	_, err := s.broker.EditTopic(ctx, name, func(topic core.Topic) (change core.TopicChange, err error) {
		p, err := readAccessPolicy(policyOf(&topic))
		if err != nil {
			return change, invalid("Policy Error: null")
		}
		if err := edit(p); err != nil {
			return change, err
		}
		if err := setTopicPolicy(&change, jsonText(p)); err != nil {
			return change, invalid("%s", err.Error())
		}
		return change, nil
	})
	return err
}
