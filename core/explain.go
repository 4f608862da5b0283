package core

// Finding is what a filter says of one thing that it asks for.
type Finding struct {
	Rule   int    // findings of one rule must all be met; a filter of several rules lets through what meets one
	Key    string // what it looks at: the name of an attribute, a path in the body, the tag
	Wants  string // as the filter says it
	Values []string
	Met    bool
}

// Explanation is why a filter lets a message through, or does not.
type Explanation struct {
	Matches  bool
	Findings []Finding // none: the filter asks for nothing, or Reason says why there are none
	Reason   string    // why the message cannot be looked at: its body is no JSON
}

// Explainer is a Pusher that can tell why a filter lets a message through.
type Explainer interface {
	// ExplainFilter looks at one filter alone. InvalidArgument for a filter that CompileFilters refuses.
	ExplainFilter(filter Filter, m *PublishedMessage) (Explanation, error)
}

// ExplainFilter tells why a filter of a format lets a message through, or does not. InvalidArgument for a
// filter that is none, and for a format that is not spoken.
func (b *Broker) ExplainFilter(format string, filter Filter, m *PublishedMessage) (Explanation, error) {
	if err := m.check(); err != nil {
		return Explanation{}, err
	}
	pusher, err := b.pusher(format)
	if err != nil {
		return Explanation{}, err
	}
	if filter.Text == "" {
		return Explanation{Matches: true}, nil
	}
	explainer, ok := pusher.(Explainer)
	if !ok {
		return Explanation{}, Errorf(InvalidArgument, "filters of the format %q cannot be explained", format)
	}
	return explainer.ExplainFilter(filter, m)
}
