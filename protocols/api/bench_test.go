package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/api"
)

// BenchmarkOperations shows what an operation costs besides the store.
func BenchmarkOperations(b *testing.B) {
	c := newClientOf(b, core.NewBroker(willing{}), api.Options{})
	body := strings.Repeat("x", 200)
	for name, op := range map[string]struct{ path, body string }{
		"send/body=200B": {"messages", `{"messages": [{"body": "` + body + `"}]}`},
		"receive":        {"messages:receive", `{"limit": 1, "wait_seconds": 0}`},
		"delete":         {"messages:delete", `{"receipt_handles": ["handle"]}`},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.serve(httptest.NewRequest("POST", "/api/v1/queues/orders/"+op.path, strings.NewReader(op.body)))
			}
		})
	}
}
