package core_test

import (
	"context"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestFIFOSendChecks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", core.MaxIDLength)
	tests := map[string]struct {
		fifo    bool
		message core.NewMessage
		want    core.Code
	}{
		"a group":                           {true, core.NewMessage{GroupID: "g"}, ""},
		"no group":                          {true, core.NewMessage{}, core.InvalidArgument},
		"no group, standard queue":          {false, core.NewMessage{}, ""},
		"the longest group id":              {true, core.NewMessage{GroupID: long}, ""},
		"a longer group id":                 {true, core.NewMessage{GroupID: long + "x"}, core.InvalidArgument},
		"a longer group id, standard queue": {false, core.NewMessage{GroupID: long + "x"}, core.InvalidArgument},
		"the longest deduplication id":      {true, core.NewMessage{GroupID: "g", DeduplicationID: long}, ""},
		"a longer deduplication id":         {true, core.NewMessage{GroupID: "g", DeduplicationID: long + "x"}, core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker, stub := newBroker(t)
			stub.queues[orders].FIFO = tt.fifo
			_, err := broker.SendMessages(context.Background(), core.SendInput{Queue: orders, Messages: []core.NewMessage{{GroupID: "first"}, tt.message}})
			if got := codeOf(err); got != tt.want {
				t.Errorf("got %q, want %q: %v", got, tt.want, err)
			}
			if stored := len(stub.sent); tt.want != "" && stored != 0 {
				t.Errorf("%d messages were stored all the same", stored)
			}
		})
	}
}

func TestFIFOReceiveChecks(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]core.Code{core.MaxIDLength: "", core.MaxIDLength + 1: core.InvalidArgument} {
		broker, _ := newBroker(t)
		_, err := broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: orders, Limit: 1, AttemptID: strings.Repeat("x", length)})
		if got := codeOf(err); got != want {
			t.Errorf("an attempt id of %d bytes: %q, want %q", length, got, want)
		}
	}
}

func TestDeduplicationScopeChecks(t *testing.T) {
	t.Parallel()
	broker, _ := newBroker(t)
	for scope, want := range map[core.DeduplicationScope]core.Code{core.DeduplicateInQueue: "", core.DeduplicateInGroup: "", "message": core.InvalidArgument} {
		settings := core.DefaultSettings()
		settings.DeduplicationScope = scope
		name := orders
		name.Name = "new.fifo"
		if _, _, err := broker.CreateQueue(context.Background(), core.NewQueue{Name: name, FIFO: true, Settings: settings}); codeOf(err) != want {
			t.Errorf("create with scope %q: %v", scope, err)
		}
		if _, err := broker.AlterQueue(context.Background(), orders, core.QueueChange{DeduplicationScope: &scope}); codeOf(err) != want {
			t.Errorf("alter to scope %q: %v", scope, err)
		}
	}
}

// codeOf gives "" where there is no error.
func codeOf(err error) core.Code {
	if err == nil {
		return ""
	}
	return core.CodeOf(err)
}
