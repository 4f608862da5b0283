package sns

import (
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/sns/filter"
)

// ExplainFilter is of core.Explainer.
func (*Server) ExplainFilter(f core.Filter, m *core.PublishedMessage) (core.Explanation, error) {
	scope, protocol, _ := strings.Cut(f.Scope, ":")
	if scope == "" {
		scope = string(filter.MessageAttributes)
	}
	policy, err := filter.Parse(f.Text, filter.Scope(scope))
	if err != nil {
		return core.Explanation{}, core.Errorf(core.InvalidArgument, "%s", err.Error())
	}
	return policy.Explain(m.Attributes, textFor(m, protocol)), nil
}
