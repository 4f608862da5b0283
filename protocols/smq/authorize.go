package smq

import (
	"context"
	"strings"

	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/openapi"
)

// code is the service's name in policies, which the control plane shares with the data plane.
const code = "mns"

// wants is what the actions need (specs/mns-openapi.md 9).
var wants = map[string]func(*openapi.Call) []caller.Want{
	"CreateQueue":               on("/queues/{QueueName}"),
	"SetQueueAttributes":        on("/queues/{QueueName}"),
	"GetQueueAttributes":        on("/queues/{QueueName}"),
	"DeleteQueue":               on("/queues/{QueueName}"),
	"ListQueue":                 on("/queues"),
	"CreateTopic":               on("/topics/{TopicName}"),
	"SetTopicAttributes":        on("/topics/{TopicName}"),
	"GetTopicAttributes":        on("/topics/{TopicName}"),
	"DeleteTopic":               on("/topics/{TopicName}"),
	"ListTopic":                 on("/topics"),
	"Subscribe":                 on("/topics/{TopicName}/subscriptions/{SubscriptionName}"),
	"SetSubscriptionAttributes": on("/topics/{TopicName}/subscriptions/{SubscriptionName}"),
	"GetSubscriptionAttributes": on("/topics/{TopicName}/subscriptions/{SubscriptionName}"),
	"Unsubscribe":               on("/topics/{TopicName}/subscriptions/{SubscriptionName}"),
	"ListSubscriptionByTopic":   on("/topics/{TopicName}/subscriptions"),
	"AuthorizeEndpointAcl":      on("*"),
	"RevokeEndpointAcl":         on("*"),
	"EnableEndpoint":            on("*"),
	"DisableEndpoint":           on("*"),
	"GetEndpointAttribute":      on("*"),
	"CreateEventRule":           named("PutEventNotifications", "CreateEventRule", "*"),
	"DeleteEventRule":           named("DeleteEventNotifications", "DeleteEventRule", "*"),
	"GetEventRule":              on("/products/{ProductName}/rules"),
	"ListEventRules":            named("ListEventNotifications", "ListEventRules", "*"),
	"GetAccountAttributes":      on("*"),
	"SetAccountAttributes":      on("*"),
	"TagResources":              onTagged,
	"UntagResources":            onTagged,
	"ListTagResources":          onTagged,
}

// PolicyActions gives the actions as policies name them.
func PolicyActions() (names []string) {
	for name, of := range wants {
		for _, want := range of(&openapi.Call{Action: name}) {
			names = append(names, want.Action)
			if want.Also != "" {
				names = append(names, want.Also)
			}
		}
	}
	return names
}

// wants gives what an action needs, of which policies may also ask for the tags.
func (s *Server) wants(of func(*openapi.Call) []caller.Want) func(context.Context, *openapi.Call) []caller.Want {
	return func(ctx context.Context, c *openapi.Call) []caller.Want {
		all := of(c)
		for i := range all {
			all[i].AskTags(ctx, s.broker)
		}
		return all
	}
}

// on is an action that policies call by its own name, on a path with parameters of the request in it.
func on(path string) func(*openapi.Call) []caller.Want { return named("", "", path) }

// named is an action that policies call otherwise, or also otherwise.
func named(action, also, path string) func(*openapi.Call) []caller.Want {
	return func(c *openapi.Call) []caller.Want {
		name := c.Action
		if action != "" {
			name = action
		}
		want := c.Want(code, name, fill(path, c.Parameters))
		if also != "" {
			want.Also = code + ":" + also
		}
		want.Keys = keysOf(c)
		return []caller.Want{want}
	}
}

// fill puts parameters into a path.
func fill(path string, parameters openapi.Parameters) string {
	for {
		before, rest, found := strings.Cut(path, "{")
		if !found {
			return path
		}
		name, behind, _ := strings.Cut(rest, "}")
		path = before + strings.NewReplacer("{", "", "}", "").Replace(parameters[name]) + behind
	}
}

// onTagged is an action on each of the queues or topics that the request names; without any, on all of them.
func onTagged(c *openapi.Call) []caller.Want {
	names := c.Parameters.List("ResourceId")
	if len(names) == 0 {
		names = []string{"*"}
	}
	wants := make([]caller.Want, len(names))
	for i, name := range names {
		wants[i] = c.Want(code, c.Action, "/"+c.Parameters["ResourceType"]+"s/"+name)
		wants[i].Keys = keysOf(c)
	}
	return wants
}

// keysOf gives the condition keys of the control plane.
func keysOf(c *openapi.Call) func(string) []string {
	return func(key string) []string {
		if key == "mns:enablelogging" && c.Parameters["EnableLogging"] != "" {
			return []string{c.Parameters["EnableLogging"]}
		}
		if name, ok := strings.CutPrefix(key, "acs:requesttag/"); ok {
			given := map[string]string{}
			for _, tag := range c.Parameters.Tags("Tag") {
				given[tag.Key] = tag.Value
			}
			return caller.TagValues(given, name)
		}
		return nil
	}
}
