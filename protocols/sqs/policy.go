package sqs

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
)

// queuePolicy is the policy of a queue, as far as permissions are added to it and removed.
type queuePolicy struct {
	Version   string            `json:",omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage // as they were written
}

// statement is a statement as addPermission writes it.
type statement struct {
	Sid       string
	Effect    string
	Principal struct {
		AWS any // one string, or a list of them
	}
	Action   any // likewise
	Resource string
}

// parsePolicy reads a queue's policy; a queue without one gets the beginning of one.
func parsePolicy(name core.QueueName, text string) (*queuePolicy, error) {
	if text == "" {
		return &queuePolicy{Version: "2008-10-17", ID: arn(name) + "/SQSDefaultPolicy"}, nil
	}
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, invalidAttributeReason(policyName, "The queue's policy cannot be read.")
	}
	p := &queuePolicy{Version: raw.Version, ID: raw.ID}
	if err := json.Unmarshal(raw.Statement, &p.Statement); err != nil && len(raw.Statement) > 0 {
		p.Statement = []json.RawMessage{raw.Statement} // one statement need not be in a list
	}
	return p, nil
}

// find gives the place of the statement of that label, -1 if there is none.
func (p *queuePolicy) find(label string) int {
	for i, raw := range p.Statement {
		var s struct{ Sid string }
		if json.Unmarshal(raw, &s) == nil && s.Sid == label {
			return i
		}
	}
	return -1
}

func (p *queuePolicy) add(name core.QueueName, req *addPermissionRequest) error {
	s := statement{Sid: req.Label, Effect: "Allow", Resource: arn(name)}
	var principals, actions []string
	for _, account := range req.AWSAccountIds {
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	for _, action := range req.Actions {
		actions = append(actions, "SQS:"+action)
	}
	s.Principal.AWS, s.Action = oneOrMany(principals), oneOrMany(actions)
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write a policy's statement: %w", err)
	}
	p.Statement = append(p.Statement, raw)
	return nil
}

func oneOrMany(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// text gives the policy as it is kept, "" when no statement is left.
func (p *queuePolicy) text() (string, error) {
	if len(p.Statement) == 0 {
		return "", nil
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // statements of others stay as they were written
	if err := encoder.Encode(p); err != nil {
		return "", fmt.Errorf("write a queue's policy: %w", err)
	}
	return string(bytes.TrimSpace(buf.Bytes())), nil
}

// setPolicy keeps a queue's policy. One without statements says nothing, however it is written.
func setPolicy(c *attributeChange, value string) error {
	object := &struct{ Statement any }{}
	if value != "" && (len(value) > maxPolicyLength || json.Unmarshal([]byte(value), &object) != nil || object == nil) {
		return invalidAttributeValue(policyName)
	}
	if list, isList := object.Statement.([]any); object.Statement != nil && (!isList || len(list) > 0) {
		if err := checkPolicy(value); err != nil {
			return err
		}
	}
	keep(c, policyKey, value)
	return nil
}

// checkPolicy says whether a policy can be a queue's: it is one of the language, about actions of SQS, and within
// the bounds of the service.
func checkPolicy(text string) error {
	p, err := policy.ParseAWS(text, policy.Resource)
	if err != nil {
		return invalidAttributeReason(policyName, err.Error())
	}
	if !p.Only("sqs") {
		return invalidAttributeReason(policyName, "Policy statement action out of service scope!")
	}
	size := p.Size()
	for _, bound := range []struct {
		what        string
		found, most int
	}{
		{"Statements", size.Statements, maxStatements}, {"Actions", size.Actions, maxActions},
		{"Principals", size.Principals, maxPrincipals}, {"Conditions", size.Conditions, maxConditions},
	} {
		if bound.found > bound.most {
			return overLimit.errorf("%d %s were found, maximum allowed is %d.", bound.found, bound.what, bound.most)
		}
	}
	return nil
}
