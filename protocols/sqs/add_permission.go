package sqs

import (
	"context"
	"slices"

	"github.com/polymq/polymq/core"
)

type addPermissionRequest struct {
	QueueUrl      string
	Label         string
	AWSAccountIds []string `query:"AWSAccountId"`
	Actions       []string `query:"ActionName"`
}

// grantable are the actions that a queue's owner may allow others.
var grantable = []string{"*", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl",
	"ListDeadLetterSourceQueues", "PurgeQueue", "ReceiveMessage", "SendMessage"}

// Bounds of policies.
const (
	maxActions    = 7 // of a statement
	maxPrincipals = 50
	maxStatements = 20
	maxConditions = 10
)

// addPermission adds a statement to the queue's policy.
func (s *Server) addPermission(ctx context.Context, c *call, req *addPermissionRequest) (*noResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &noResult{}, s.editPolicy(ctx, name, func(p *queuePolicy) error {
		if err := req.check(); err != nil {
			return err
		}
		if p.find(req.Label) >= 0 {
			return invalid(req.Label, "Label", "Already exists.")
		}
		if n := len(p.Statement) + 1; n > maxStatements {
			return overLimit.errorf("%d Statements were found, maximum allowed is %d.", n, maxStatements)
		}
		return p.add(name, req)
	})
}

func (req *addPermissionRequest) check() error {
	switch {
	case req.Label == "":
		return missing("Label")
	case len(req.Label) > maxNameLength || !isQueueName(req.Label):
		return invalid(req.Label, "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	case len(req.AWSAccountIds) == 0:
		return invalid("[]", "PrincipalId", "Unable to verify.")
	case len(req.Actions) == 0:
		return missing("Actions")
	case len(req.Actions) > maxActions:
		return overLimit.errorf("%d Actions were found, maximum allowed is %d.", len(req.Actions), maxActions)
	case len(req.AWSAccountIds) > maxPrincipals:
		return overLimit.errorf("%d Principals were found, maximum allowed is %d.", len(req.AWSAccountIds), maxPrincipals)
	}
	for _, account := range req.AWSAccountIds {
		if !core.IsAccount(account) {
			return invalid("["+account+"]", "PrincipalId", "Unable to verify.")
		}
	}
	for _, action := range req.Actions {
		if slices.Contains(grantable, action) {
			continue
		}
		if _, known := actionTable()[action]; known {
			return invalid("SQS:"+action, "ActionName", "Only the queue owner is allowed to invoke this action.")
		}
		return invalid("SQS:"+action, "ActionName", "Please refer to the appropriate WSDL for a list of valid actions. ")
	}
	return nil
}

// editPolicy changes the policy of a queue, whoever else does so at the same time.
func (s *Server) editPolicy(ctx context.Context, name core.QueueName, edit func(*queuePolicy) error) error {
	_, err := s.broker.EditQueue(ctx, name, func(queue core.Queue) (core.QueueChange, error) {
		var change attributeChange
		p, err := parsePolicy(name, queue.Attributes[policyKey])
		if err != nil {
			return change.QueueChange, err
		}
		if err := edit(p); err != nil {
			return change.QueueChange, err
		}
		text, err := p.text()
		if err != nil {
			return change.QueueChange, err
		}
		if len(text) > maxPolicyLength {
			return change.QueueChange, overLimit.errorf("The policy would be longer than %d bytes.", maxPolicyLength)
		}
		keep(&change, policyKey, text)
		return change.QueueChange, nil
	})
	return err
}
