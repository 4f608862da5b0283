package smq

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/protocols/openapi"
)

// eventRule says which events of another service become messages. It is kept and shown.
type eventRule struct {
	RuleName      string
	TopicName     string
	DeliveryMode  string `json:",omitempty"`
	Endpoint      *ruleEndpoint
	EventTypes    []string
	MatchRules    [][]matchRule
	Subscriptions []ruleEndpoint
}

type ruleEndpoint struct{ EndpointType, EndpointValue string }

type matchRule struct {
	MatchState openapi.Boolean
	Name       string `json:",omitempty"`
	Prefix     string `json:",omitempty"`
	Suffix     string `json:",omitempty"`
}

// Bounds of event rules.
const (
	maxRules       = 100 // of an account in a region
	maxRuleEntries = 100 // of each list in a rule
	maxRuleLength  = 64 << 10
	keptRule       = "smq.EventRule."
)

// ruleRequest names a rule.
type ruleRequest struct {
	ProductName string `required:"true"`
	RuleName    string `required:"true"`
}

func (r *ruleRequest) key() string { return keptRule + r.ProductName + "/" + r.RuleName }

func (r *ruleRequest) check() error {
	switch {
	case r.ProductName != "oss":
		return openapi.InvalidParameter("ProductName", "must be oss")
	case len(r.RuleName) > 128 || strings.ContainsFunc(r.RuleName, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	}):
		return openapi.InvalidParameter("RuleName", "has letters, digits, '-' and '_', at most 128")
	}
	return nil
}

// rules gives the rules of the caller by key.
func (s *Server) rules(ctx context.Context, c *call) (map[string]*eventRule, error) {
	kept, err := s.broker.AccountAttributes(ctx, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	rules := map[string]*eventRule{}
	for name, text := range kept {
		if !strings.HasPrefix(name, keptRule) {
			continue
		}
		rule := new(eventRule)
		if err := json.Unmarshal([]byte(text), rule); err != nil {
			return nil, fmt.Errorf("read the event rule %s: %w", name, err)
		}
		rules[name] = rule
	}
	return rules, nil
}

// check bounds a rule's lists, and its endpoints' kinds.
func (r *eventRule) check() error {
	for _, list := range r.MatchRules {
		if len(list) > maxRuleEntries {
			return openapi.InvalidParameter("MatchRules", "has a list of more than "+strconv.Itoa(maxRuleEntries))
		}
	}
	switch {
	case len(r.EventTypes) == 0 || len(r.EventTypes) > maxRuleEntries:
		return openapi.InvalidParameter("EventTypes", "must be a list of 1 to "+strconv.Itoa(maxRuleEntries))
	case len(r.MatchRules) > maxRuleEntries || len(r.Subscriptions) > maxRuleEntries:
		return openapi.InvalidParameter("MatchRules", "has more than "+strconv.Itoa(maxRuleEntries)+" lists, or there are as many endpoints")
	case slices.ContainsFunc(r.Subscriptions, func(e ruleEndpoint) bool {
		return !slices.Contains([]string{"http", "topic", "queue"}, e.EndpointType) || e.EndpointValue == ""
	}):
		return openapi.InvalidParameter("Endpoint", "must have an EndpointType of topic or queue, and an EndpointValue")
	}
	return nil
}

// sorted gives rules by name.
func sorted(rules map[string]*eventRule) []*eventRule {
	var list []*eventRule
	for _, key := range slices.Sorted(maps.Keys(rules)) {
		list = append(list, rules[key])
	}
	return list
}
