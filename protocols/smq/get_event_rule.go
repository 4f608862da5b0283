package smq

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/protocols/openapi"
)

type getEventRuleRequest struct{ ruleRequest }

func (s *Server) getEventRule(ctx context.Context, c *call, req *getEventRuleRequest) (*eventRule, error) {
	rules, err := s.rules(ctx, c)
	if err != nil {
		return nil, err
	}
	if rule, ok := rules[req.key()]; ok {
		return rule, nil
	}
	return nil, openapi.NewFault(http.StatusNotFound, "RESOURCE_NOT_FOUND", "the event rule does not exist")
}
