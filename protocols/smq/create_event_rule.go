package smq

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/polymq/polymq/protocols/openapi"
)

type createEventRuleRequest struct {
	ruleRequest
	EventTypes   *[]string `required:"true"`
	MatchRules   *[][]matchRule
	Endpoint     *ruleEndpoint
	Endpoints    *[]ruleEndpoint
	DeliveryMode string
}

// createEventRule keeps a rule and answers with its name. Rules are not changed: one of that name is in the way
// unless it is the same.
func (s *Server) createEventRule(ctx context.Context, c *call, req *createEventRuleRequest) (string, error) {
	rule, err := req.rule()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(rule)
	switch {
	case err != nil:
		return "", err
	case len(text) > maxRuleLength:
		return "", openapi.InvalidParameter("MatchRules", "and the rest of the rule are longer than "+strconv.Itoa(maxRuleLength)+" bytes")
	}
	rules, err := s.rules(ctx, c)
	if err != nil {
		return "", err
	}
	if existing, ok := rules[req.key()]; ok {
		if same, err := json.Marshal(existing); err != nil || string(same) != string(text) {
			return "", openapi.NewFault(http.StatusConflict, "RESOURCE_EXISTS", "the event rule exists with other attributes")
		}
		return req.RuleName, nil
	}
	if len(rules) >= maxRules {
		return "", openapi.InvalidParameter("RuleName", "would be that of more than "+strconv.Itoa(maxRules)+" rules")
	}
	kept := string(text)
	return req.RuleName, s.broker.SetAccountAttributes(ctx, c.Account, c.Region, map[string]*string{req.key(): &kept})
}

// rule gives the rule that is asked for. A topic that it names is also shown as the rule's.
func (r *createEventRuleRequest) rule() (*eventRule, error) {
	rule := &eventRule{RuleName: r.RuleName, DeliveryMode: r.DeliveryMode, Endpoint: r.Endpoint, EventTypes: *r.EventTypes, MatchRules: [][]matchRule{}, Subscriptions: []ruleEndpoint{}}
	if r.MatchRules != nil {
		rule.MatchRules = *r.MatchRules
	}
	if r.Endpoints != nil {
		rule.Subscriptions = append(rule.Subscriptions, *r.Endpoints...)
	}
	if r.Endpoint != nil {
		rule.Subscriptions = append(rule.Subscriptions, *r.Endpoint)
	}
	for _, e := range rule.Subscriptions {
		if e.EndpointType == "topic" {
			rule.TopicName = e.EndpointValue
		}
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if len(rule.Subscriptions) == 0 {
		return nil, openapi.Missing("Endpoint")
	}
	return rule, rule.check()
}
