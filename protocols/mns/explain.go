package mns

import "github.com/polymq/polymq/core"

// ExplainFilter is of core.Explainer: a subscription's filter is a tag, and a message has one or none.
func (p *Pusher) ExplainFilter(f core.Filter, m *core.PublishedMessage) (core.Explanation, error) {
	if _, err := p.CompileFilters([]core.Filter{f}); err != nil {
		return core.Explanation{}, err
	}
	finding := core.Finding{Rule: 1, Key: "MessageTag", Wants: f.Text, Met: m.Tag == f.Text}
	if m.Tag != "" {
		finding.Values = []string{m.Tag}
	}
	return core.Explanation{Matches: finding.Met, Findings: []core.Finding{finding}}, nil
}
