package smq

import (
	"strings"
	"testing"

	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/openapi"
)

// TestWants has what every action needs.
func TestWants(t *testing.T) {
	t.Parallel()
	parameters := openapi.Parameters{
		"QueueName": "orders", "TopicName": "news", "SubscriptionName": "s", "ProductName": "oss", "ResourceType": "queue", "ResourceId.1": "a", "ResourceId.2": "b",
	}
	const queue, topic, sub = "/queues/orders", "/topics/news", "/topics/news/subscriptions/s"
	want := map[string]string{
		"CreateQueue": queue, "SetQueueAttributes": queue, "GetQueueAttributes": queue, "DeleteQueue": queue, "ListQueue": "/queues",
		"CreateTopic": topic, "SetTopicAttributes": topic, "GetTopicAttributes": topic, "DeleteTopic": topic, "ListTopic": "/topics",
		"Subscribe": sub, "SetSubscriptionAttributes": sub, "GetSubscriptionAttributes": sub, "Unsubscribe": sub, "ListSubscriptionByTopic": "/topics/news/subscriptions",
		"AuthorizeEndpointAcl": "*", "RevokeEndpointAcl": "*", "EnableEndpoint": "*", "DisableEndpoint": "*", "GetEndpointAttribute": "*",
		"CreateEventRule": "* PutEventNotifications", "DeleteEventRule": "* DeleteEventNotifications", "GetEventRule": "/products/oss/rules", "ListEventRules": "* ListEventNotifications",
		"GetAccountAttributes": "*", "SetAccountAttributes": "*",
		"TagResources": "/queues/a /queues/b", "UntagResources": "/queues/a /queues/b", "ListTagResources": "/queues/a /queues/b",
	}
	for _, action := range new(Server).actions() {
		c := &openapi.Call{Caller: caller.Caller{Account: "111122223333", Region: "cn-hangzhou"}, Action: action.Name, Parameters: parameters}
		if action.Wants == nil || action.Open {
			t.Errorf("%s does not say what it needs", action.Name)
			continue
		}
		var got []string
		for _, w := range action.Wants(t.Context(), c) {
			got = append(got, strings.TrimPrefix(w.Resource, "acs:mns:cn-hangzhou:111122223333:"))
			if name := strings.TrimPrefix(w.Action, "mns:"); name != action.Name {
				got = append(got, name)
			}
		}
		if got := strings.Join(got, " "); got != want[action.Name] {
			t.Errorf("%s wants %q, want %q", action.Name, got, want[action.Name])
		}
	}
}
