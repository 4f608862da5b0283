package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func TestSendMessagesValidates(t *testing.T) {
	after := func(d time.Duration) *time.Duration { return &d }
	one := func(m core.NewMessage) []core.NewMessage { return []core.NewMessage{m} }
	big := make([]byte, core.MaxMessageBytes)
	tests := map[string]struct {
		messages []core.NewMessage
		want     core.Code
	}{
		"no messages":          {nil, core.InvalidArgument},
		"a full batch":         {make([]core.NewMessage, core.MaxBatch), ""},
		"more than a batch":    {make([]core.NewMessage, core.MaxBatch+1), core.InvalidArgument},
		"the biggest":          {one(core.NewMessage{Body: big}), ""},
		"a byte more":          {one(core.NewMessage{Body: big, Attributes: []core.Attribute{{Name: "a"}}}), core.MessageTooLong},
		"the last is too long": {[]core.NewMessage{{}, {Body: append(big, 0)}}, core.MessageTooLong},
		"priority -1":          {one(core.NewMessage{Priority: -1}), core.InvalidArgument},
		"priority 1":           {one(core.NewMessage{Priority: 1}), ""},
		"priority 16":          {one(core.NewMessage{Priority: core.MaxPriority}), ""},
		"priority 17":          {one(core.NewMessage{Priority: core.MaxPriority + 1}), core.InvalidArgument},
		"delay -1":             {one(core.NewMessage{Delay: after(-1)}), core.InvalidArgument},
		"the longest delay":    {one(core.NewMessage{Delay: after(core.MaxDelay)}), ""},
		"a longer delay":       {one(core.NewMessage{Delay: after(core.MaxDelay + 1)}), core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, stub := newBroker(t)
			sent, err := broker.SendMessages(context.Background(), core.SendInput{Queue: orders, Messages: tt.messages})
			checkCode(t, err, tt.want)
			if err == nil && len(sent) != len(tt.messages) || err != nil && len(stub.sent) > 0 {
				t.Errorf("%d results, %d messages stored", len(sent), len(stub.sent))
			}
		})
	}
}

func TestSendMessagesFillsInDefaults(t *testing.T) {
	broker, stub := newBroker(t)
	stub.queues[orders].Delay = time.Minute
	none := time.Duration(0)
	messages := []core.NewMessage{{}, {Delay: &none, Priority: 3}}
	if _, err := broker.SendMessages(context.Background(), core.SendInput{Queue: orders, Messages: messages}); err != nil {
		t.Fatal(err)
	}
	if got := stub.sent[0]; *got.Delay != time.Minute || got.Priority != core.DefaultPriority {
		t.Errorf("delay %v and priority %d, want the queue's and the default", *got.Delay, got.Priority)
	}
	if got := stub.sent[1]; *got.Delay != 0 || got.Priority != 3 {
		t.Errorf("delay %v and priority %d, want the message's own", *got.Delay, got.Priority)
	}
	if messages[0].Delay != nil || messages[0].Priority != 0 {
		t.Error("the caller's messages were changed")
	}
}

// A queue that changes between its reading and the operation is read again, with its new settings.
func TestOperationsReadAChangedQueueAgain(t *testing.T) {
	tests := map[string]struct {
		changes int
		want    core.Code
	}{
		"never":        {0, ""},
		"a few times":  {31, ""},
		"all the time": {32, core.Unavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, stub := newBroker(t)
			stub.changes = tt.changes
			_, err := broker.SendMessages(context.Background(), core.SendInput{Queue: orders, Messages: make([]core.NewMessage, 1)})
			checkCode(t, err, tt.want)
		})
	}
}

func TestBatchesOfHandlesAreBounded(t *testing.T) {
	tests := map[string]struct {
		handles int
		want    core.Code
	}{
		"none":      {0, core.InvalidArgument},
		"one":       {1, ""},
		"a batch":   {core.MaxBatch, ""},
		"one more":  {core.MaxBatch + 1, core.InvalidArgument},
		"very many": {1_000_000, core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, _ := newBroker(t)
			_, err := broker.DeleteMessages(context.Background(), core.DeleteInput{Queue: orders, Handles: make([]string, tt.handles)})
			checkCode(t, err, tt.want)
			_, err = broker.ChangeVisibility(context.Background(), core.ChangeVisibilityInput{Queue: orders, Changes: make([]core.VisibilityChange, tt.handles)})
			checkCode(t, err, tt.want)
		})
	}
}

func TestTimesAreBounded(t *testing.T) {
	tests := map[string]struct {
		timeout, wait time.Duration
		want          core.Code
	}{
		"none":               {0, 0, ""},
		"a negative timeout": {-1, 0, core.InvalidArgument},
		"the longest":        {core.MaxVisibilityTimeout, core.MaxReceiveWait, ""},
		"a longer timeout":   {core.MaxVisibilityTimeout + 1, 0, core.InvalidArgument},
		"a longer wait":      {0, core.MaxReceiveWait + 1, core.InvalidArgument},
		"a negative wait":    {0, -1, core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, stub := newBroker(t)
			stub.put(1, 1)
			_, err := broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: orders, Limit: 1, VisibilityTimeout: &tt.timeout, Wait: &tt.wait})
			checkCode(t, err, tt.want)
			if tt.wait != 0 {
				return
			}
			_, err = broker.ChangeVisibility(context.Background(), core.ChangeVisibilityInput{Queue: orders, Changes: []core.VisibilityChange{{Timeout: tt.timeout}}})
			checkCode(t, err, tt.want)
		})
	}
}

func TestLimitsOfReceiveAndPeek(t *testing.T) {
	tests := map[string]struct {
		limit int
		want  core.Code
	}{
		"none": {0, core.InvalidArgument}, "negative": {-1, core.InvalidArgument}, "one": {1, ""},
		"a batch": {core.MaxBatch, ""}, "one more": {core.MaxBatch + 1, core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker, _ := newBroker(t)
			_, err := broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: orders, Limit: tt.limit})
			checkCode(t, err, tt.want)
			_, err = broker.PeekMessages(context.Background(), core.PeekInput{Queue: orders, Limit: tt.limit})
			checkCode(t, err, tt.want)
		})
	}
}

func TestReceiveUsesTheQueuesTimeoutUnlessTold(t *testing.T) {
	broker, stub := newBroker(t)
	stub.queues[orders].VisibilityTimeout = time.Hour
	none := time.Duration(0)
	for _, timeout := range []*time.Duration{nil, &none} {
		if _, err := broker.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: orders, Limit: 1, VisibilityTimeout: timeout}); err != nil {
			t.Fatal(err)
		}
	}
	if stub.timeouts[0] != time.Hour || stub.timeouts[1] != 0 {
		t.Errorf("timeouts %v, want 1h and 0", stub.timeouts)
	}
}

func TestTimeDoesNotMoveBack(t *testing.T) {
	broker, _ := newBroker(t)
	_, err := broker.AdvanceClock(context.Background(), orders.Account, -time.Second)
	checkCode(t, err, core.InvalidArgument)
}
