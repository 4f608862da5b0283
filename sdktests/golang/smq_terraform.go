package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
)

// A resource is one of Terraform's provider, with the requests that the provider sends for it, and what a read has to
// give so that a plan has no changes: the attributes that users wrote, under the names of the answer.
type resource struct {
	prepare, create, update, destroy []request
	read                             request

	created, updated map[string]any
	gone             string // the code of a read when there is nothing; the provider knows it by name
}

type request struct {
	action      string
	query, form map[string]any
}

func (r request) send() (map[string]any, error) {
	answer, err := terraformWith(r.action, r.query, r.form)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.action, err)
	}
	if answer["Success"] != true || fmt.Sprint(answer["Code"]) != "200" { // else the provider takes it for a failure
		return nil, fmt.Errorf("%s: got %v", r.action, answer)
	}
	return answer, nil
}

func sendAll(requests []request) error {
	for _, r := range requests {
		if _, err := r.send(); err != nil {
			return err
		}
	}
	return nil
}

// managed walks through a resource's life: create, a plan without changes, an import (a read by the id alone), change,
// a plan without changes, destroy; and once more, as after a change that replaces it.
func managed(of func(name string) resource) func(context.Context) error {
	return func(context.Context) error {
		r := of(queueName())
		if err := sendAll(r.prepare); err != nil {
			return err
		}
		for range 2 {
			if err := r.live(); err != nil {
				return err
			}
		}
		return nil
	}
}

func (r resource) live() error {
	for _, phase := range []struct {
		requests []request
		want     map[string]any
	}{{r.create, r.created}, {nil, r.created}, {r.update, r.updated}, {nil, r.updated}} {
		if err := sendAll(phase.requests); err != nil {
			return err
		}
		if err := r.reads(phase.want); err != nil {
			return err
		}
	}
	for range 2 { // somebody else may have been faster
		if err := sendAll(r.destroy); err != nil {
			return err
		}
		if _, err := r.read.send(); codeOf(err) != r.gone {
			return fmt.Errorf("after its end a read gives %w, want %s", err, r.gone)
		}
	}
	return nil
}

// reads compares what a read gives with what the users wrote. Tags come as a list, in any order.
func (r resource) reads(want map[string]any) error {
	answer, err := r.read.send()
	if err != nil {
		return err
	}
	data, _ := answer["Data"].(map[string]any)
	if made, ok := plain(data["CreateTime"]).(float64); !ok || made < 1.6e9 || made > 1e10 {
		return fmt.Errorf("CreateTime is no number of seconds: %v", data["CreateTime"])
	}
	for name, value := range want {
		if got := data[name]; !reflect.DeepEqual(plain(got), plain(value)) {
			return fmt.Errorf("%s: got %v, want %v: a plan would have changes", name, got, value)
		}
	}
	return nil
}

func tag(key, value string) map[string]any { return map[string]any{"TagKey": key, "TagValue": value} }

// tagging is how the provider changes tags: those that go, then those that come, of a list of one resource.
func tagging(kind, name string, gone, key, value string) []request {
	return []request{
		{"UntagResources", nil, map[string]any{"RegionId": "cn-hangzhou", "ResourceType": kind, "ResourceId": []any{name}, "TagKey.1": gone}},
		{"TagResources", nil, map[string]any{"RegionId": "cn-hangzhou", "ResourceType": kind, "ResourceId": []any{name}, "Tag.1.Key": key, "Tag.1.Value": value}},
	}
}

func terraformQueue(name string) resource {
	dead := name + "-dead"
	id := map[string]any{"QueueName": name, "RegionId": "cn-hangzhou"}
	return resource{
		prepare: []request{{"CreateQueue", nil, map[string]any{"QueueName": dead}}},
		create: []request{{"CreateQueue", nil, map[string]any{
			"QueueName": name, "DelaySeconds": 1, "MaximumMessageSize": 2048, "MessageRetentionPeriod": 3600, "VisibilityTimeout": 45, "PollingWaitSeconds": 2, "EnableLogging": true,
			"QueueType": "normal", "EnableSSE": true, "SseType": "KMS", "SseAlgorithm": "AES-256-GCM", "KmsKeyId": "key-1", "Tag.1.Key": "Created", "Tag.1.Value": "TF", "Tag.2.Key": "For", "Tag.2.Value": "Test",
			"DlqPolicy": `{"DeadLetterTargetQueue":"` + dead + `","Enabled":true,"MaxReceiveCount":3}`,
		}}},
		read: request{"GetQueueAttributes", nil, id},
		created: map[string]any{
			"QueueName": name, "DelaySeconds": 1, "MaximumMessageSize": 2048, "MessageRetentionPeriod": 3600, "VisibilityTimeout": 45, "PollingWaitSeconds": 2, "LoggingEnabled": true,
			"QueueType": "normal", "EnableSSE": true, "EncryptionEnabled": true, "SseType": "KMS", "SseAlgorithm": "AES-256-GCM", "KmsKeyId": "key-1",
			"Tags": []any{tag("Created", "TF"), tag("For", "Test")}, "DlqPolicy": map[string]any{"DeadLetterTargetQueue": dead, "Enabled": true, "MaxReceiveCount": "3"},
		},
		update: append([]request{{"SetQueueAttributes", nil, map[string]any{
			"QueueName": name, "DelaySeconds": 0, "MaximumMessageSize": 65536, "MessageRetentionPeriod": 345600, "VisibilityTimeout": 30, "PollingWaitSeconds": 0, "EnableLogging": false,
			"EnableSSE": false, "SseType": "KMS", "SseAlgorithm": "AES-256-GCM", "KmsKeyId": "key-1", "DlqPolicy": `{"Enabled":false}`,
		}}}, tagging("queue", name, "For", "Created", "TF-update")...),
		updated: map[string]any{
			"QueueName": name, "DelaySeconds": 0, "MaximumMessageSize": 65536, "MessageRetentionPeriod": 345600, "VisibilityTimeout": 30, "PollingWaitSeconds": 0, "LoggingEnabled": false,
			"QueueType": "normal", "EnableSSE": false, "SseType": "KMS", "SseAlgorithm": "AES-256-GCM", "KmsKeyId": "key-1",
			"Tags": []any{tag("Created", "TF-update")}, "DlqPolicy": map[string]any{"DeadLetterTargetQueue": "", "Enabled": false, "MaxReceiveCount": "0"},
		},
		destroy: []request{{"DeleteQueue", nil, map[string]any{"QueueName": name}}},
		gone:    "QueueNotExist",
	}
}

func terraformQueue1240(name string) resource {
	id := map[string]any{"QueueName": name}
	return resource{
		create:  []request{{"CreateQueue", id, map[string]any{"DelaySeconds": 60478, "MessageRetentionPeriod": 256000, "EnableLogging": true}}},
		read:    request{"GetQueueAttributes", id, nil},
		created: map[string]any{"QueueName": name, "DelaySeconds": 60478, "MaximumMessageSize": 65536, "MessageRetentionPeriod": 256000, "VisibilityTimeout": 30, "PollingWaitSeconds": 0, "LoggingEnabled": true},
		update:  []request{{"SetQueueAttributes", id, map[string]any{"DelaySeconds": 0, "VisibilityTimeout": 40, "EnableLogging": false}}},
		updated: map[string]any{"QueueName": name, "DelaySeconds": 0, "MaximumMessageSize": 65536, "MessageRetentionPeriod": 256000, "VisibilityTimeout": 40, "PollingWaitSeconds": 0, "LoggingEnabled": false},
		destroy: []request{{"DeleteQueue", id, nil}},
		gone:    "QueueNotExist",
	}
}

func terraformTopic(name string) resource {
	id := map[string]any{"TopicName": name}
	return resource{
		create: []request{{"CreateTopic", nil, map[string]any{
			"TopicName": name, "MaxMessageSize": 16888, "EnableLogging": true, "TopicType": "normal", "EnableSSE": true, "SseType": "SMQ", "SseAlgorithm": "AES-256-GCM",
			"Tag.1.Key": "Created", "Tag.1.Value": "TF", "Tag.2.Key": "For", "Tag.2.Value": "Test",
		}}},
		read: request{"GetTopicAttributes", nil, id},
		created: map[string]any{
			"TopicName": name, "MaxMessageSize": 16888, "LoggingEnabled": true, "TopicType": "normal", "EnableSSE": true, "SseType": "SMQ", "SseAlgorithm": "AES-256-GCM",
			"Tags": []any{tag("Created", "TF"), tag("For", "Test")},
		},
		update: append([]request{{"SetTopicAttributes", nil, map[string]any{"TopicName": name, "MaxMessageSize": 10241, "EnableLogging": false, "EnableSSE": false, "SseType": "SMQ", "SseAlgorithm": "AES-256-GCM"}}},
			tagging("topic", name, "For", "Created", "TF-update")...),
		updated: map[string]any{"TopicName": name, "MaxMessageSize": 10241, "LoggingEnabled": false, "TopicType": "normal", "EnableSSE": false, "SseType": "SMQ", "Tags": []any{tag("Created", "TF-update")}},
		destroy: []request{{"DeleteTopic", nil, id}},
		gone:    "TopicNotExist",
	}
}

func terraformTopic1240(name string) resource {
	id := map[string]any{"TopicName": name}
	return resource{
		create:  []request{{"CreateTopic", nil, map[string]any{"TopicName": name, "MaxMessageSize": 12357, "EnableLogging": true}}},
		read:    request{"GetTopicAttributes", nil, id},
		created: map[string]any{"TopicName": name, "MaxMessageSize": 12357, "LoggingEnabled": true},
		update:  []request{{"SetTopicAttributes", nil, map[string]any{"TopicName": name, "MaxMessageSize": 65536, "EnableLogging": false}}},
		updated: map[string]any{"TopicName": name, "MaxMessageSize": 65536, "LoggingEnabled": false},
		destroy: []request{{"DeleteTopic", nil, id}},
		gone:    "TopicNotExist",
	}
}

func terraformSubscription(name string) resource {
	id := map[string]any{"TopicName": name, "SubscriptionName": "all", "RegionId": "cn-hangzhou"}
	endpoint := "acs:mns:cn-hangzhou:1234567890123456:/queues/" + name // as the provider's example has it
	return resource{
		prepare: []request{{"CreateQueue", nil, map[string]any{"QueueName": name}}, {"CreateTopic", nil, map[string]any{"TopicName": name}}},
		create: []request{{"Subscribe", nil, map[string]any{
			"TopicName": name, "SubscriptionName": "all", "PushType": "queue", "Endpoint": endpoint, "MessageTag": "red", "NotifyContentFormat": "SIMPLIFIED", "NotifyStrategy": "BACKOFF_RETRY",
			"StsRoleArn": "acs:ram::1234567890123456:role/r", "DlqPolicy": `{"DeadLetterTargetQueue":"` + name + `","Enabled":true}`,
		}}},
		read: request{"GetSubscriptionAttributes", nil, id},
		created: map[string]any{
			"TopicName": name, "SubscriptionName": "all", "Endpoint": endpoint, "FilterTag": "red", "NotifyContentFormat": "SIMPLIFIED", "NotifyStrategy": "BACKOFF_RETRY",
			"DlqPolicy": map[string]any{"DeadLetterTargetQueue": name, "Enabled": true},
		},
		update: []request{{"SetSubscriptionAttributes", nil, map[string]any{"TopicName": name, "SubscriptionName": "all", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY", "DlqPolicy": `{"Enabled":false}`}}},
		updated: map[string]any{
			"TopicName": name, "SubscriptionName": "all", "Endpoint": endpoint, "FilterTag": "red", "NotifyContentFormat": "SIMPLIFIED", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY",
			"DlqPolicy": map[string]any{"DeadLetterTargetQueue": "", "Enabled": false},
		},
		destroy: []request{{"Unsubscribe", nil, map[string]any{"TopicName": name, "SubscriptionName": "all"}}},
		gone:    "SubscriptionNotExist",
	}
}

func terraformSubscription1240(name string) resource {
	id := map[string]any{"TopicName": name, "SubscriptionName": "all"}
	return resource{
		prepare: []request{{"CreateTopic", nil, map[string]any{"TopicName": name}}},
		create: []request{{"Subscribe", nil, map[string]any{
			"TopicName": name, "SubscriptionName": "all", "PushType": "http", "Endpoint": "http://www.test.com/test", "MessageTag": "tf-test", "NotifyContentFormat": "JSON", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY",
		}}},
		read:    request{"GetSubscriptionAttributes", nil, id},
		created: map[string]any{"Endpoint": "http://www.test.com/test", "FilterTag": "tf-test", "NotifyContentFormat": "JSON", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY"},
		update:  []request{{"SetSubscriptionAttributes", nil, map[string]any{"TopicName": name, "SubscriptionName": "all", "NotifyStrategy": "BACKOFF_RETRY"}}},
		updated: map[string]any{"Endpoint": "http://www.test.com/test", "FilterTag": "tf-test", "NotifyContentFormat": "JSON", "NotifyStrategy": "BACKOFF_RETRY"},
		destroy: []request{{"Unsubscribe", nil, id}},
		gone:    "SubscriptionNotExist",
	}
}

// terraformDataSources reads the lists as the provider's data sources do: pages of fifty, until one has fewer.
func terraformDataSources(context.Context) error {
	prefix := queueName()
	for n := range 51 {
		if _, err := terraform("CreateQueue", map[string]any{"QueueName": fmt.Sprintf("%s-%02d", prefix, n)}); err != nil {
			return err
		}
	}
	if err := sendAll([]request{
		{"CreateTopic", nil, map[string]any{"TopicName": prefix}},
		{"Subscribe", nil, map[string]any{"TopicName": prefix, "SubscriptionName": "all", "PushType": "http", "Endpoint": "http://example.com"}},
	}); err != nil {
		return err
	}
	for _, list := range []struct {
		action, members string
		form            map[string]any
		rows            int
	}{
		{"ListQueue", "QueueName DelaySeconds MaximumMessageSize MessageRetentionPeriod VisibilityTimeout PollingWaitSeconds LoggingEnabled ActiveMessages InactiveMessages DelayMessages QueueUrl QueueInternalUrl LastModifyTime CreateTime",
			map[string]any{"QueueName": prefix}, 51},
		{"ListTopic", "TopicName MessageCount MaxMessageSize MessageRetentionPeriod LoggingEnabled TopicUrl TopicInnerUrl LastModifyTime CreateTime", map[string]any{"TopicName": prefix}, 1},
		{"ListSubscriptionByTopic", "TopicName SubscriptionName Endpoint NotifyContentFormat NotifyStrategy TopicOwner SubscriptionURL LastModifyTime CreateTime", map[string]any{"TopicName": prefix}, 1},
	} {
		if err := readPages(list.action, strings.Fields(list.members), list.form, list.rows); err != nil {
			return fmt.Errorf("%s: %w", list.action, err)
		}
	}
	return nil
}

// readPages counts the rows of a list, and looks for the members that the provider reads in each.
func readPages(action string, members []string, form map[string]any, want int) error {
	const size = 50
	rows := 0
	for page := 1; ; page++ {
		form["PageNum"], form["PageSize"] = page, size
		answer, err := terraform(action, form)
		if err != nil {
			return err
		}
		list, ok := member(any(answer), "Data", "PageData").([]any)
		if !ok {
			return fmt.Errorf("no list of rows: %v", answer)
		}
		for _, row := range list {
			for _, name := range members {
				if member(row, name) == nil {
					return fmt.Errorf("a row has no %s: %v", name, row)
				}
			}
		}
		if rows += len(list); len(list) < size {
			return equal("rows", rows, want)
		}
	}
}
