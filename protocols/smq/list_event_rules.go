package smq

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/protocols/openapi"
)

type listEventRulesRequest struct {
	pageRequest
	ProductName  string
	ResourceName string
	RuleName     string
	TopicName    string
	Subscription *ruleEndpoint
	MaxResults   *int   // the same as PageSize, and
	NextToken    string // as PageNum, for clients that page in the way that the service had first
}

// rulesData is a page of rules.
type rulesData struct {
	pageData[*eventRule]
	MaxResults int
	NextToken  string `json:",omitempty"` // of the next page; "" behind the last
}

// maxShownSubscriptions bounds the subscriptions of a rule in a list.
const maxShownSubscriptions = 20

// maxRulePageNum is the last page that can be asked for.
const maxRulePageNum = 100_000

func (s *Server) listEventRules(ctx context.Context, c *call, req *listEventRulesRequest) (*rulesData, error) {
	if err := req.readToken(); err != nil {
		return nil, err
	}
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
	found := page(&req.pageRequest, sorted(rules), func(rule *eventRule) *eventRule {
		rule.Subscriptions = rule.Subscriptions[:min(len(rule.Subscriptions), maxShownSubscriptions)]
		return rule
	})
	data := &rulesData{pageData: *found, MaxResults: found.PageSize}
	if found.PageNum < found.Pages {
		data.NextToken = strconv.Itoa(found.PageNum + 1)
	}
	return data, nil
}

// readToken takes the page from MaxResults and NextToken, where PageSize and PageNum do not say it.
func (r *listEventRulesRequest) readToken() error {
	if r.PageSize == nil {
		r.PageSize = r.MaxResults
	}
	if r.NextToken == "" || r.PageNum != nil {
		return nil
	}
	next, err := strconv.Atoi(r.NextToken)
	if err != nil || next < 1 {
		return openapi.InvalidParameter("NextToken", "must be that of an answer")
	}
	r.PageNum = &next
	return nil
}

func (r *listEventRulesRequest) wants(rule *eventRule) bool {
	inBucket := func(m matchRule) bool {
		return strings.Contains(m.Name+"/", r.ResourceName+"/") || strings.HasPrefix(m.Prefix+"/", r.ResourceName+"/")
	}
	return strings.HasPrefix(rule.RuleName, r.RuleName) && strings.HasPrefix(rule.TopicName, r.TopicName) &&
		(r.Subscription == nil || slices.Contains(rule.Subscriptions, *r.Subscription)) &&
		(r.ResourceName == "" || slices.ContainsFunc(rule.MatchRules, func(list []matchRule) bool { return slices.ContainsFunc(list, inBucket) }))
}
