package console_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// formOf gives the fields of the form of a page that is sent to a path, as they are filled in.
func formOf(t *testing.T, page, action string) (fields []string) {
	t.Helper()
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	attribute := func(n *html.Node, name string) (string, bool) {
		for _, a := range n.Attr {
			if a.Key == name {
				return a.Val, true
			}
		}
		return "", false
	}
	for form := range document.Descendants() {
		if to, _ := attribute(form, "action"); form.Data != "form" || to != action {
			continue
		}
		for n := range form.Descendants() {
			name, ok := attribute(n, "name")
			if !ok || name == "token" {
				continue
			}
			value, _ := attribute(n, "value")
			switch kind, _ := attribute(n, "type"); {
			case n.Data == "textarea" && n.FirstChild != nil:
				value = n.FirstChild.Data
			case n.Data == "select":
				for option := range n.Descendants() {
					if _, selected := attribute(option, "selected"); selected {
						value, _ = attribute(option, "value")
					}
				}
			case kind == "checkbox":
				if _, checked := attribute(n, "checked"); !checked {
					continue
				}
				value = "on"
			}
			fields = append(fields, name, value)
		}
	}
	if len(fields) == 0 {
		t.Fatalf("there is no form for %s in\n%s", action, page)
	}
	return fields
}

// Who saves the settings as the page shows them changes nothing, whatever they are.
func TestSettingsSavedAsShownStay(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/queues", "name", "dead", "sources", "odd, plain")
	s.done(base+"/queues", "name", "picky.fifo", "by_content", "on", "sources", "-")
	odd := core.NewQueue{Name: pgtest.Name("odd"), Settings: core.DefaultSettings(), Tags: map[string]string{"team": "payments = all", "empty": ""}}
	odd.Settings.Retention, odd.Settings.VisibilityTimeout, odd.Settings.Delay = 345_601*time.Second, 1500*time.Millisecond, time.Second
	odd.Settings.DeadLetter = core.DeadLetterPolicy{Target: "dead", MaxReceives: 2}
	odd.Settings.Bodies = core.BodyText
	if _, _, err := s.broker.CreateQueue(t.Context(), odd); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dead", "picky.fifo", "odd"} {
		before, err := s.broker.DescribeQueue(t.Context(), pgtest.Name(name))
		if err != nil {
			t.Fatal(err)
		}
		path := base + "/queues/" + name + "/settings"
		s.done(path, formOf(t, s.get(path), path)...)
		after, err := s.broker.DescribeQueue(t.Context(), pgtest.Name(name))
		if err != nil {
			t.Fatal(err)
		}
		if after.Settings != before.Settings || len(after.Tags) != len(before.Tags) || after.Tags["team"] != before.Tags["team"] {
			t.Errorf("%s: %+v with %v became %+v with %v", name, before.Settings, before.Tags, after.Settings, after.Tags)
		}
		if got, want := after.Attributes["sqs.ContentBasedDeduplication"], before.Attributes["sqs.ContentBasedDeduplication"]; got != want {
			t.Errorf("%s: deduplicates by content: got %q, want %q", name, got, want)
		}
	}
	picky, err := s.broker.DescribeQueue(t.Context(), pgtest.Name("picky.fifo"))
	if err != nil || picky.DeadLetterSources != core.NoSource || picky.Attributes["sqs.ContentBasedDeduplication"] != "true" {
		t.Errorf("made %+v and %v", picky, err)
	}
}

func TestSettingsOfQueues(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/queues", "name", "orders", "tags", "team=payments\n\nstage = test\n")
	path := base + "/queues/orders/settings"
	for name, fields := range map[string][]string{
		"a tag without a value": {"tags", "team"},
		"a tag without a name":  {"tags", "=payments"},
		"too many tags":         {"tags", strings.Repeat("a=b\n", 51)},
		"another body rule":     {"bodies", "rot13"},
	} {
		if got := s.post(path, fields...); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	s.done(path, "tags", "team=orders", "bodies", "as-sent", "sources", "a b")
	queue, err := s.broker.DescribeQueue(t.Context(), pgtest.Name("orders"))
	if err != nil || len(queue.Tags) != 1 || queue.Tags["team"] != "orders" || queue.Bodies != core.BodyAsSent || queue.DeadLetterSources != core.Sources("a", "b") {
		t.Errorf("altered to %+v and %v", queue, err)
	}
}

// Who saves a topic's settings as the page shows them changes nothing, whatever they are.
func TestTopicSettingsSavedAsShownStay(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	plain := core.NewTopic{Name: core.TopicName(pgtest.Name("plain")), Settings: core.DefaultTopicSettings()}
	archived := core.NewTopic{Name: core.TopicName(pgtest.Name("archived.fifo")), FIFO: true, Settings: core.DefaultTopicSettings(), Tags: map[string]string{"team": "payments = all", "empty": ""}}
	archived.Settings.Archive, archived.Settings.Retention, archived.Settings.MaxMessageSize = 3*24*time.Hour, 5401*time.Second, 2000
	archived.Settings.DeduplicationScope, archived.Settings.Logging = core.DeduplicateInGroup, true
	archived.Attributes = map[string]string{
		"sns.DisplayName": "Payments", "sns.ArchivePolicy": `{"MessageRetentionPeriod": 3}`, "sns.ContentBasedDeduplication": "true", "sns.SignatureVersion": "2",
		"sns.FifoThroughputScope": "MessageGroup", "sns.MaximumMessageSize": "2000", "mns.Other": "kept",
	}
	for _, topic := range []core.NewTopic{plain, archived} {
		if _, _, err := s.broker.CreateTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		before, err := s.broker.DescribeTopic(t.Context(), topic.Name)
		if err != nil {
			t.Fatal(err)
		}
		path := base + "/topics/" + topic.Name.Name + "/settings"
		s.done(path, formOf(t, s.get(path), path)...)
		after, err := s.broker.DescribeTopic(t.Context(), topic.Name)
		if err != nil || after.TopicSettings != before.TopicSettings || !maps.Equal(after.Attributes, before.Attributes) || !maps.Equal(after.Tags, before.Tags) {
			t.Errorf("%s: %+v %v %v became %+v %v %v, %v", topic.Name.Name, before.TopicSettings, before.Attributes, before.Tags, after.TopicSettings, after.Attributes, after.Tags, err)
		}
	}
	s.wants(s.get(base+"/topics/archived.fifo/settings"), "mns.Other", "Payments", "set-topic-attributes")
}

func TestSettingsOfTopics(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/topics", "name", "alerts", "fifo", "on")
	path := base + "/topics/alerts.fifo/settings"
	for name, fields := range map[string][]string{
		"a long name":             {"display_name", strings.Repeat("x", 101), "signature_version", "1"},
		"half a day":              {"archive", "0.5", "signature_version", "1"},
		"too many days":           {"archive", "366", "signature_version", "1"},
		"another signature":       {"signature_version", "3"},
		"a message of no size":    {"max_message_size", "0", "signature_version", "1"},
		"a tag without a value":   {"tags", "team", "signature_version", "1"},
		"given up at once":        {"topic_retention", "0.001", "signature_version", "1"},
		"given up after too long": {"topic_retention", "553", "signature_version", "1"},
	} {
		if got := s.post(path, fields...); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	s.done(path, "display_name", "Ops", "max_message_size", "1024", "topic_retention", "2", "archive", "7", "by_content", "on", "scope_group", "on", "signature_version", "2", "logging", "on", "tags", "team=ops")
	topic, err := s.broker.DescribeTopic(t.Context(), core.TopicName(pgtest.Name("alerts.fifo")))
	want := core.TopicSettings{MaxMessageSize: 1024, Retention: 2 * time.Hour, DeduplicationScope: core.DeduplicateInGroup, Logging: true, Archive: 7 * 24 * time.Hour}
	attributes := map[string]string{
		"sns.DisplayName": "Ops", "sns.MaximumMessageSize": "1024", "sns.ContentBasedDeduplication": "true", "sns.FifoThroughputScope": "MessageGroup",
		"sns.SignatureVersion": "2", "sns.ArchivePolicy": `{"MessageRetentionPeriod":"7"}`,
	}
	if err != nil || topic.TopicSettings != want || !maps.Equal(topic.Attributes, attributes) || topic.Tags["team"] != "ops" {
		t.Errorf("altered to %+v %v %v, %v", topic.TopicSettings, topic.Attributes, topic.Tags, err)
	}
	s.done(path, "archive", "0", "signature_version", "2")
	if topic, err = s.broker.DescribeTopic(t.Context(), topic.Name); err != nil || topic.Archive != 0 || topic.Attributes["sns.ArchivePolicy"] != "" || topic.Attributes["sns.DisplayName"] != "" {
		t.Errorf("altered to %+v, %v", topic, err)
	}
}

// Whatever SNS or MNS can subscribe, the page can.
func TestSubscriptionsOfEachKind(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/topics", "name", "alerts")
	const device = "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/c25f353e-856b-4b02-a725-6bde35e6e944"
	const function, stream = "arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:firehose:us-east-1:000000000000:deliverystream/s"
	tests := map[string]struct {
		fields             []string
		protocol, endpoint string // "": it is refused
	}{
		"a phone":                 {[]string{"kind", "sms", "endpoint", "+1 555-0100", "format", "sns"}, "sms", "+15550100"},
		"a phone of MNS":          {[]string{"kind", "sms", "endpoint", "+15550100", "format", "mns"}, "sms", "sms:directsms:+15550100"},
		"no phone":                {[]string{"kind", "sms", "endpoint", "ada", "format", "sns"}, "", ""},
		"a function":              {[]string{"kind", "lambda", "endpoint", function, "format", "sns"}, "lambda", function},
		"a function of MNS":       {[]string{"kind", "lambda", "endpoint", function, "format", "mns"}, "", ""},
		"another's ARN":           {[]string{"kind", "lambda", "endpoint", stream, "format", "sns"}, "", ""},
		"a device":                {[]string{"kind", "application", "endpoint", device, "format", "sns"}, "application", device},
		"a stream":                {[]string{"kind", "firehose", "endpoint", stream, "format", "sns", "role", "arn:aws:iam::000000000000:role/r"}, "firehose", stream},
		"a stream without a role": {[]string{"kind", "firehose", "endpoint", stream, "format", "sns"}, "", ""},
		"mail":                    {[]string{"kind", "email", "endpoint", "a@b.c", "format", "sns"}, "email", "a@b.c"},
	}
	for name, tt := range tests {
		before, err := s.broker.ListSubscriptions(t.Context(), core.ListSubscriptionsInput{Topic: core.TopicName(pgtest.Name("alerts")), Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		got := s.post(base+"/topics/alerts/subscribe", tt.fields...)
		after, err := s.broker.ListSubscriptions(t.Context(), core.ListSubscriptionsInput{Topic: core.TopicName(pgtest.Name("alerts")), Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if tt.protocol == "" {
			if got.StatusCode != http.StatusUnprocessableEntity || len(after.Subscriptions) != len(before.Subscriptions) {
				t.Errorf("%s: got %s, and %d subscriptions for %d", name, got.Status, len(after.Subscriptions), len(before.Subscriptions))
			}
			continue
		}
		made := slices.ContainsFunc(after.Subscriptions, func(sub core.Subscription) bool {
			return sub.Protocol == tt.protocol && sub.Endpoint == tt.endpoint && sub.State == core.Confirmed
		})
		if got.StatusCode != http.StatusSeeOther || !made {
			t.Errorf("%s: got %s, and %+v", name, got.Status, after.Subscriptions)
		}
	}
	s.done(base+"/topics", "name", "steps.fifo")
	if got := s.post(base+"/topics/steps.fifo/subscribe", "kind", "email", "endpoint", "a@b.c", "format", "sns"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("mail of a FIFO topic: got %s", got.Status)
	}
	if got := s.post(base+"/topics/alerts/settings", "signature_version", "1", "max_message_size", "262145"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("large messages for phones: got %s", got.Status)
	}
	s.done(base+"/topics", "name", "large")
	s.done(base+"/topics/large/settings", "signature_version", "1", "max_message_size", "262145")
	s.done(base+"/topics/large/subscribe", "kind", "lambda", "endpoint", function, "format", "sns")
	if got := s.post(base+"/topics/large/subscribe", "kind", "http", "endpoint", "http://127.0.0.1:1/", "format", "sns"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a URL for large messages: got %s", got.Status)
	}
}
