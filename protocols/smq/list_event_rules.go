package smq

import (
	"context"
	"slices"
	"strings"
)

type listEventRulesRequest struct {
	pageRequest
	ProductName  string
	ResourceName string
	RuleName     string
	TopicName    string
	Subscription *ruleEndpoint
}

// maxShownSubscriptions bounds the subscriptions of a rule in a list.
const maxShownSubscriptions = 20

// maxRulePageNum is the last page that can be asked for.
const maxRulePageNum = 100_000

func (s *Server) listEventRules(ctx context.Context, c *call, req *listEventRulesRequest) (*pageData[*eventRule], error) {
	rules, err := s.rules(ctx, c)
	if err != nil {
		return nil, err
	}
	for key, rule := range rules {
		if !strings.HasPrefix(key, keptRule+req.ProductName) || !req.wants(rule) {
			delete(rules, key)
		}
	}
	if req.PageNum != nil {
		*req.PageNum = min(*req.PageNum, maxRulePageNum)
	}
	return page(&req.pageRequest, sorted(rules), func(rule *eventRule) *eventRule {
		rule.Subscriptions = rule.Subscriptions[:min(len(rule.Subscriptions), maxShownSubscriptions)]
		return rule
	}), nil
}

func (r *listEventRulesRequest) wants(rule *eventRule) bool {
	inBucket := func(m matchRule) bool {
		return strings.Contains(m.Name+"/", r.ResourceName+"/") || strings.HasPrefix(m.Prefix+"/", r.ResourceName+"/")
	}
	return strings.HasPrefix(rule.RuleName, r.RuleName) && strings.HasPrefix(rule.TopicName, r.TopicName) &&
		(r.Subscription == nil || slices.Contains(rule.Subscriptions, *r.Subscription)) &&
		(r.ResourceName == "" || slices.ContainsFunc(rule.MatchRules, func(list []matchRule) bool { return slices.ContainsFunc(list, inBucket) }))
}
