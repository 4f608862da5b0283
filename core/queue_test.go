package core_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func TestCreateQueueValidates(t *testing.T) {
	set := func(change func(*core.Settings)) core.NewQueue {
		in := core.NewQueue{Name: orders, Settings: core.DefaultSettings()}
		change(&in.Settings)
		return in
	}
	named := func(name core.QueueName) core.NewQueue {
		return core.NewQueue{Name: name, Settings: core.DefaultSettings()}
	}
	called := func(name string) core.NewQueue {
		return named(core.QueueName{Account: orders.Account, Region: orders.Region, Name: name})
	}
	tagged := func(name, value string) core.NewQueue {
		in := named(orders)
		in.Tags, in.Attributes = map[string]string{name: value}, map[string]string{name: value}
		return in
	}
	tests := map[string]struct {
		in   core.NewQueue
		want core.Code
	}{
		"a tag":                       {tagged("größe", "\t"), ""},
		"a NUL in a tag":              {tagged("a", "\x00"), core.InvalidArgument},
		"a tag of no text":            {tagged("\xFF", ""), core.InvalidArgument},
		"the defaults":                {named(orders), ""},
		"all kinds of characters":     {called("aZ09-_.fifo"), ""},
		"no name":                     {called(""), core.InvalidArgument},
		"the longest name":            {called(strings.Repeat("a", core.MaxNameLength)), ""},
		"a longer name":               {called(strings.Repeat("a", core.MaxNameLength+1)), core.InvalidArgument},
		"a blank in the name":         {called("a b"), core.InvalidArgument},
		"a NUL in the name":           {called("a\x00"), core.InvalidArgument},
		"a letter beyond ASCII":       {called("é"), core.InvalidArgument},
		"no account":                  {named(core.QueueName{Region: "r", Name: "n"}), core.InvalidArgument},
		"no region":                   {named(core.QueueName{Account: "a", Name: "n"}), core.InvalidArgument},
		"the longest delay":           {set(func(s *core.Settings) { s.Delay = core.MaxDelay }), ""},
		"a longer delay":              {set(func(s *core.Settings) { s.Delay = core.MaxDelay + 1 }), core.InvalidArgument},
		"a negative delay":            {set(func(s *core.Settings) { s.Delay = -1 }), core.InvalidArgument},
		"no visibility timeout":       {set(func(s *core.Settings) { s.VisibilityTimeout = 0 }), ""},
		"a negative timeout":          {set(func(s *core.Settings) { s.VisibilityTimeout = -1 }), core.InvalidArgument},
		"the longest timeout":         {set(func(s *core.Settings) { s.VisibilityTimeout = core.MaxVisibilityTimeout }), ""},
		"a longer timeout":            {set(func(s *core.Settings) { s.VisibilityTimeout = core.MaxVisibilityTimeout + 1 }), core.InvalidArgument},
		"the shortest retention":      {set(func(s *core.Settings) { s.Retention = core.MinRetention }), ""},
		"a shorter retention":         {set(func(s *core.Settings) { s.Retention = core.MinRetention - 1 }), core.InvalidArgument},
		"the longest retention":       {set(func(s *core.Settings) { s.Retention = core.MaxRetention }), ""},
		"a longer retention":          {set(func(s *core.Settings) { s.Retention = core.MaxRetention + 1 }), core.InvalidArgument},
		"the longest wait":            {set(func(s *core.Settings) { s.ReceiveWait = core.MaxReceiveWait }), ""},
		"a longer wait":               {set(func(s *core.Settings) { s.ReceiveWait = core.MaxReceiveWait + 1 }), core.InvalidArgument},
		"a negative wait":             {set(func(s *core.Settings) { s.ReceiveWait = -1 }), core.InvalidArgument},
		"messages of one byte":        {set(func(s *core.Settings) { s.MaxMessageSize = 1 }), ""},
		"messages of no byte":         {set(func(s *core.Settings) { s.MaxMessageSize = 0 }), core.InvalidArgument},
		"the biggest messages":        {set(func(s *core.Settings) { s.MaxMessageSize = core.MaxMessageBytes }), ""},
		"bigger messages":             {set(func(s *core.Settings) { s.MaxMessageSize = core.MaxMessageBytes + 1 }), core.InvalidArgument},
		"a body rule":                 {set(func(s *core.Settings) { s.Bodies = core.BodyBase64 }), ""},
		"a body rule that is not one": {set(func(s *core.Settings) { s.Bodies = "gzip" }), core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, _ := newBroker(t)
			_, created, err := broker.CreateQueue(context.Background(), tt.in)
			checkCode(t, err, tt.want)
			if created != (err == nil) {
				t.Errorf("created %v with error %v", created, err)
			}
		})
	}
}

// checkCode fails unless err has the code, "" standing for no error.
func checkCode(t *testing.T, err error, want core.Code) {
	t.Helper()
	if err == nil && want == "" {
		return
	}
	if err == nil || want == "" || core.CodeOf(err) != want {
		t.Errorf("got error %v, want code %q", err, want)
	}
}

func TestAlterQueueValidates(t *testing.T) {
	broker, _ := newBroker(t)
	for _, tt := range []struct {
		delay time.Duration
		want  core.Code
	}{{core.MaxDelay, ""}, {core.MaxDelay + 1, core.InvalidArgument}, {-1, core.InvalidArgument}} {
		_, err := broker.AlterQueue(context.Background(), orders, core.QueueChange{Delay: &tt.delay})
		checkCode(t, err, tt.want)
	}
}

func TestAlterQueueRefusesTagsOfNoText(t *testing.T) {
	broker, _ := newBroker(t)
	for _, value := range []string{"\x00", "\xFF"} {
		for _, change := range []core.QueueChange{{Tags: map[string]*string{"a": &value}}, {Attributes: map[string]*string{"a": &value}}} {
			_, err := broker.AlterQueue(context.Background(), orders, change)
			checkCode(t, err, core.InvalidArgument)
		}
	}
}

func TestTagsHaveNames(t *testing.T) {
	broker, _ := newBroker(t)
	value := "a"
	_, err := broker.AlterQueue(context.Background(), orders, core.QueueChange{Tags: map[string]*string{"": &value}})
	checkCode(t, err, core.InvalidArgument)
	_, err = broker.AlterTopic(context.Background(), core.TopicName(orders), core.TopicChange{Tags: map[string]*string{"": &value}})
	checkCode(t, err, core.InvalidArgument)
	_, _, err = broker.CreateQueue(context.Background(), core.NewQueue{Name: orders, Settings: core.DefaultSettings(), Tags: map[string]string{"": value}})
	checkCode(t, err, core.InvalidArgument)
	_, _, err = broker.CreateTopic(context.Background(), core.NewTopic{Name: core.TopicName(orders), Settings: core.DefaultTopicSettings(), Tags: map[string]string{"": value}})
	checkCode(t, err, core.InvalidArgument)
}

func TestQueueChangeApply(t *testing.T) {
	old := core.Queue{
		Settings:   core.DefaultSettings(),
		Attributes: map[string]string{"sqs.Policy": "{}", "stays": "yes"},
		Tags:       map[string]string{"team": "a"},
	}
	size, empty, added := 2048, "", "new"
	got := core.QueueChange{
		MaxMessageSize: &size,
		Attributes:     map[string]*string{"sqs.Policy": nil, "was.not.there": nil, "more": &added},
		Tags:           map[string]*string{"team": &empty},
	}.Apply(old)
	want := core.DefaultSettings()
	want.MaxMessageSize = size
	if got.Settings != want {
		t.Errorf("settings %+v, want %+v", got.Settings, want)
	}
	if !maps.Equal(got.Attributes, map[string]string{"stays": "yes", "more": "new"}) || !maps.Equal(got.Tags, map[string]string{"team": ""}) {
		t.Errorf("attributes %v, tags %v", got.Attributes, got.Tags)
	}
	if len(old.Attributes) != 2 || old.Attributes["sqs.Policy"] != "{}" || old.Tags["team"] != "a" {
		t.Errorf("the queue itself was changed: %+v", old)
	}
}

func TestListQueuesValidates(t *testing.T) {
	tests := map[string]struct {
		in   core.ListQueuesInput
		want core.Code
	}{
		"no queues":            {core.ListQueuesInput{Limit: 0}, core.InvalidArgument},
		"one queue":            {core.ListQueuesInput{Limit: 1}, ""},
		"a full page":          {core.ListQueuesInput{Limit: core.MaxListed}, ""},
		"more than a page":     {core.ListQueuesInput{Limit: core.MaxListed + 1}, core.InvalidArgument},
		"a cursor of no list":  {core.ListQueuesInput{Limit: 1, After: "a\x00"}, core.InvalidArgument},
		"the last to skip":     {core.ListQueuesInput{Limit: 1, Listed: core.Listed{Skip: core.MaxSkipped}}, ""},
		"too many to skip":     {core.ListQueuesInput{Limit: 1, Listed: core.Listed{Skip: core.MaxSkipped + 1}}, core.InvalidArgument},
		"less than none":       {core.ListQueuesInput{Limit: 1, Listed: core.Listed{Skip: -1}}, core.InvalidArgument},
		"a tag of no queue":    {core.ListQueuesInput{Limit: 1, Listed: core.Listed{Tags: map[string]string{"a": "\x00"}}}, core.InvalidArgument},
		"a prefix of no queue": {core.ListQueuesInput{Limit: 1, Prefix: "a\x00"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, _ := newBroker(t)
			page, err := broker.ListQueues(context.Background(), tt.in)
			checkCode(t, err, tt.want)
			if tt.in.Prefix != "" && len(page.Queues) > 0 {
				t.Errorf("found %d queues", len(page.Queues))
			}
		})
	}
}

func TestNamesThatNoQueueHasAreNotFound(t *testing.T) {
	broker, _ := newBroker(t)
	ctx := context.Background()
	for _, name := range []string{"", "a\x00b", "a/b", "\xFF", strings.Repeat("a", core.MaxNameLength+1)} {
		queue := core.QueueName{Account: orders.Account, Region: orders.Region, Name: name}
		operations := map[string]func() error{
			"queue":    func() error { _, err := broker.Queue(ctx, queue); return err },
			"describe": func() error { _, err := broker.DescribeQueue(ctx, queue); return err },
			"alter":    func() error { _, err := broker.AlterQueue(ctx, queue, core.QueueChange{}); return err },
			"edit": func() error {
				_, err := broker.EditQueue(ctx, queue, func(core.Queue) (core.QueueChange, error) { return core.QueueChange{}, nil })
				return err
			},
			"cool down": func() error { _, err := broker.StartCooldown(ctx, queue, core.AfterDelete, time.Minute); return err },
			"cooling":   func() error { _, err := broker.CoolingDown(ctx, queue, core.AfterDelete); return err },
			"delete":    func() error { return broker.DeleteQueue(ctx, queue) },
			"purge":     func() error { return broker.PurgeQueue(ctx, queue) },
			"receive": func() error {
				_, err := broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: queue, Limit: 1})
				return err
			},
		}
		for operation, do := range operations {
			if err := do(); core.CodeOf(err) != core.QueueNotFound {
				t.Errorf("%s of %.10q: %v, want QueueNotFound", operation, name, err)
			}
		}
	}
}
