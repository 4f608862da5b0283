package mns

import (
	"context"
	"strings"

	"github.com/polymq/polymq/protocols/caller"
)

// authorize says whether the caller may do what it asks for, before anything is done. What an action needs
// follows from the table of routes: the permission has the action's name, and its resource is the request's path
// (specs/mns-openapi.md 9).
func (s *Server) authorize(ctx context.Context, c *call, found *route, t target) error {
	if s.callers.Free(ctx, &c.Caller, c.Account) {
		return nil
	}
	want := Want(&c.Caller, found.name, t.path())
	want.AskTags(ctx, s.broker)
	return s.callers.Authorize(ctx, &c.Caller, &want)
}

// PolicyActions gives the actions as policies name them.
func PolicyActions() (names []string) {
	for i := range routes {
		names = append(names, "mns:"+routes[i].name)
	}
	return names
}

// Want is what an action wants to do: of a batch, as policies may also call the single action. path is the
// resource within the account, as RAM writes it; "*" for all that the account has.
func Want(c *caller.Caller, action, path string) caller.Want {
	want := caller.Want{Action: "mns:" + action, Resource: "acs:mns:" + c.Region + ":" + c.Account + ":" + path}
	if single, isBatch := strings.CutPrefix(action, "Batch"); isBatch {
		want.Also = "mns:" + single
	}
	return want
}

// path gives the resource as RAM writes it.
func (t target) path() string {
	switch t.resource {
	case service:
		return "/commonbuy/openservice"
	case queues:
		return "/queues"
	case queue:
		return "/queues/" + t.name
	case messages:
		return "/queues/" + t.name + "/messages"
	case topics:
		return "/topics"
	case topic:
		return "/topics/" + t.name
	case topicMessages:
		return "/topics/" + t.name + "/messages"
	case subscriptions:
		return "/topics/" + t.name + "/subscriptions"
	case subscription:
		return "/topics/" + t.name + "/subscriptions/" + t.subscription
	default:
		return "*"
	}
}
