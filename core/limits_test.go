package core_test

import (
	"testing"

	"github.com/polymq/polymq/core"
)

// What is neither sent nor published takes no room.
func TestFailuresTakeNoRoom(t *testing.T) {
	t.Parallel()
	code := func(err error) core.Code {
		if err == nil {
			return ""
		}
		return core.CodeOf(err)
	}
	t.Run("send", func(t *testing.T) {
		t.Parallel()
		broker, stub := newBroker(t)
		broker.LimitAccounts(core.Limits{Bytes: 10})
		send := func(name string) core.Code {
			_, err := broker.SendMessages(t.Context(), core.SendInput{Queue: named(name), Messages: []core.NewMessage{{Body: make([]byte, 10)}}})
			return code(err)
		}
		stub.change(func() { stub.away = true })
		if got := [...]core.Code{send("missing"), send("orders"), send("missing")}; got != [...]core.Code{core.QueueNotFound, core.Unavailable, core.QueueNotFound} {
			t.Errorf("what cannot be stored: %q", got)
		}
		stub.change(func() { stub.away = false })
		if got := [...]core.Code{send("orders"), send("orders")}; got != [...]core.Code{"", core.Throttled} {
			t.Errorf("what can be: %q", got)
		}
	})
	t.Run("publish", func(t *testing.T) {
		t.Parallel()
		broker, stub, _ := newTopicBroker(t, core.Subscription{Queue: orders})
		broker.LimitAccounts(core.Limits{Bytes: 5})
		stub.changes = 64 // as many as two publishes stand
		publish := func() core.Code { return code(publishTag(broker, "")) }
		if got := [...]core.Code{publish(), publish(), publish(), publish()}; got != [...]core.Code{core.Unavailable, core.Unavailable, "", core.Throttled} {
			t.Errorf("got %q", got)
		}
	})
}
