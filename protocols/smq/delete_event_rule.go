package smq

import "context"

type deleteEventRuleRequest struct{ ruleRequest }

// deleteEventRule forgets a rule; that it is gone already is no error.
func (s *Server) deleteEventRule(ctx context.Context, c *call, req *deleteEventRuleRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	return nil, s.broker.SetAccountAttributes(ctx, c.Account, c.Region, map[string]*string{req.key(): nil})
}
