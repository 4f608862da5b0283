package sns

import (
	"encoding/json"

	"github.com/polymq/polymq/core"
)

// accessPolicy is the policy of a topic, as far as permissions are added to it and removed.
type accessPolicy struct {
	Version   string `json:",omitempty"`
	ID        string `json:"Id,omitempty"`
	Statement []json.RawMessage
}

// statement is a statement as addPermission and the default write it.
type statement struct {
	Sid       string
	Effect    string
	Principal principal
	Action    any // one string, or a list of them
	Resource  string
	Condition any `json:",omitempty"`
}

type principal struct {
	AWS any // one string, or a list of them
}

// defaultPolicy is what a topic has that was given none: all for its owner (specs/sns.md 2.2).
func defaultPolicy(name core.TopicName) string {
	return jsonText(accessPolicy{
		Version: "2008-10-17", ID: "__default_policy_ID",
		Statement: []json.RawMessage{json.RawMessage(jsonText(statement{
			Sid: "__default_statement_ID", Effect: "Allow", Principal: principal{"*"},
			Action: []string{
				"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
				"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
			},
			Resource:  topicARN(name),
			Condition: map[string]any{"StringEquals": map[string]string{"AWS:SourceOwner": name.Account}},
		}))},
	})
}

// policyOf gives the policy of a topic.
func policyOf(t *core.Topic) string {
	if text := t.Attributes[policyKey]; text != "" {
		return text
	}
	return defaultPolicy(t.Name)
}

// readAccessPolicy reads a policy, whose statements stay as they were written.
func readAccessPolicy(text string) (*accessPolicy, error) {
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, err
	}
	p := &accessPolicy{Version: raw.Version, ID: raw.ID}
	if err := json.Unmarshal(raw.Statement, &p.Statement); err != nil && len(raw.Statement) > 0 {
		p.Statement = []json.RawMessage{raw.Statement} // one statement need not be in a list
	}
	return p, nil
}

// find gives the place of the statement of that label, -1 if there is none.
func (p *accessPolicy) find(label string) int {
	for i, raw := range p.Statement {
		var s struct{ Sid string }
		if json.Unmarshal(raw, &s) == nil && s.Sid == label {
			return i
		}
	}
	return -1
}

func oneOrMany(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}
