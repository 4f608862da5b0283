package server

import (
	"cmp"
	"slices"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	l := newLedger()
	ask := func(protocol, action, code string, c caller.Caller) {
		c.Account = "000000000000"
		l.meter(&c, protocol, action, code)
	}
	ask("sqs", "SendMessage", "", caller.Caller{RequestBytes: 300})
	ask("sqs", "SendMessage", "", caller.Caller{RequestBytes: 64<<10 + 500})  // a payload of 64 KiB in its envelope
	ask("sqs", "SendMessage", "", caller.Caller{RequestBytes: 256<<10 + 500}) // four times as much
	ask("sqs", "ReceiveMessage", "", caller.Caller{AnswerBytes: 130 << 10})
	ask("sqs", "ReceiveMessage", "", caller.Caller{Empty: true})
	ask("sqs", "SendMessage", "", caller.Caller{FIFO: true})
	ask("mns", "ReceiveMessage", "MessageNotExist", caller.Caller{})
	ask("mns", "PeekMessage", "MessageNotExist", caller.Caller{})
	ask("mns", "PublishMessage", "", caller.Caller{})
	ask("sns", "Publish", "", caller.Caller{})
	ask("api", "send-messages", "", caller.Caller{}) // of no cloud
	used := l.take()
	slices.SortFunc(used, func(a, b core.Usage) int { return cmp.Compare(a.Service, b.Service) })
	want := []core.Usage{
		{Service: "mns-queues", Requests: 2, Units: 2, Receives: 1, EmptyReceives: 1},
		{Service: "mns-topics", Requests: 1, Units: 1},
		{Service: "sns", Requests: 1, Units: 1},
		{Service: "sqs", Requests: 5, Units: 1 + 1 + 4 + 2 + 1, Receives: 2, EmptyReceives: 1},
		{Service: "sqs-fifo", Requests: 1, Units: 1},
	}
	for i := range want {
		want[i].Account = "000000000000"
	}
	if !slices.Equal(used, want) {
		t.Errorf("got %+v, want %+v", used, want)
	}
	if again := l.take(); len(again) != 0 {
		t.Errorf("taken twice: %+v", again)
	}
}
