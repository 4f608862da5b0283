package console_test

import (
	"net/http"
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
