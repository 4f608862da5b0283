package core

import (
	"cmp"
	"slices"
)

// Filter says which messages a subscription gets. Text and Scope are a protocol's own; a Filter
// without text lets everything through.
type Filter struct {
	Text  string // SNS: the filter policy; MNS: the tag
	Scope string // SNS: MessageAttributes or MessageBody
}

// Matcher is the filters of a topic's subscriptions, compiled as one. It may be used by many at the
// same time.
type Matcher interface {
	// Match gives the indexes of the filters that let the message through, in any order, each once.
	Match(m *PublishedMessage) []int
}

// matcher is the compiled filters of one format.
type matcher struct {
	Matcher
	subscriptions []int // of the filters, as indexes into Routes.Subscriptions
}

// compiled gives the matchers of the routes' filters, made the first time that they are asked for.
func (b *Broker) compiled(routes *Routes) ([]matcher, []error) {
	routes.compile.Do(func() {
		filters, owners := map[string][]Filter{}, map[string][]int{}
		for i := range routes.Subscriptions {
			switch sub := &routes.Subscriptions[i]; {
			case sub.State != Confirmed:
			case sub.Filter.Text == "":
				routes.unfiltered = append(routes.unfiltered, sub)
			default:
				filters[sub.Format] = append(filters[sub.Format], sub.Filter)
				owners[sub.Format] = append(owners[sub.Format], i)
			}
		}
		for format := range filters {
			m, err := b.compile(routes, filters[format], owners[format], format)
			if err == nil {
				routes.matchers = append(routes.matchers, m)
			} else {
				routes.faults = append(routes.faults, err)
			}
		}
	})
	return routes.matchers, routes.faults
}

// compile gives the matcher of a format's filters. Those that cannot be read, since a version before took what this one refuses, are left out.
func (b *Broker) compile(routes *Routes, filters []Filter, owners []int, format string) (matcher, error) {
	pusher, err := b.pusher(format)
	if err != nil {
		return matcher{}, err
	}
	m, err := pusher.CompileFilters(filters)
	if err == nil {
		return matcher{m, owners}, nil
	}
	var readable []Filter
	var subscriptions []int
	for i, filter := range filters {
		if _, err := pusher.CompileFilters([]Filter{filter}); err == nil {
			readable, subscriptions = append(readable, filter), append(subscriptions, owners[i])
		} else if b.onUnreadable != nil {
			b.onUnreadable(&routes.Subscriptions[owners[i]], err)
		}
	}
	m, err = pusher.CompileFilters(readable)
	return matcher{m, subscriptions}, err
}

// OnUnreadableFilter sets the function that is told of a subscription whose filter cannot be read, which gets nothing therefore, each time that
// filters are compiled. Called once, before the first publish; the function must not block.
func (b *Broker) OnUnreadableFilter(hear func(sub *Subscription, fault error)) { b.onUnreadable = hear }

// match gives the confirmed subscriptions that get the message, by ID.
func (b *Broker) match(routes *Routes, m *PublishedMessage) ([]*Subscription, error) {
	matchers, faults := b.compiled(routes)
	if len(faults) > 0 {
		return nil, faults[0] // better no message published than one that misses subscribers
	}
	matching := slices.Clip(routes.unfiltered)
	for _, matcher := range matchers {
		for _, i := range matcher.Match(m) {
			matching = append(matching, &routes.Subscriptions[matcher.subscriptions[i]])
		}
	}
	if len(matching) > len(routes.unfiltered) {
		slices.SortFunc(matching, func(a, b *Subscription) int { return cmp.Compare(a.ID, b.ID) })
	}
	return matching, nil
}

// FilterFault says why a subscription's filter cannot be read, "" where it can.
func (b *Broker) FilterFault(sub *Subscription) string {
	err := b.checkFilter(sub.Format, sub.Filter)
	if err == nil || sub.Filter.Text == "" {
		return ""
	}
	return MessageOf(err)
}

// checkFilter refuses a filter that the format does not compile.
func (b *Broker) checkFilter(format string, filter Filter) error {
	pusher, err := b.pusher(format)
	if err != nil || filter.Text == "" {
		return err
	}
	_, err = pusher.CompileFilters([]Filter{filter})
	return err
}
