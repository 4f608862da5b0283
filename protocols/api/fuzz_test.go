package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/api"
)

// willing is a store that does what it is asked, in no time.
type willing struct{ away }

func (willing) Queue(_ context.Context, name core.QueueName) (*core.Queue, error) {
	return &core.Queue{Name: name, Settings: core.DefaultSettings()}, nil
}

func (willing) CreateQueue(_ context.Context, in core.NewQueue) (core.Queue, bool, error) {
	return core.Queue{Name: in.Name, Settings: in.Settings}, true, nil
}

func (willing) AlterQueue(_ context.Context, name core.QueueName, change core.QueueChange) (core.Queue, error) {
	return change.Apply(core.Queue{Name: name, Settings: core.DefaultSettings()}), nil
}

func (willing) SendMessages(_ context.Context, _ *core.Queue, messages []core.NewMessage) ([]core.Sent, error) {
	return make([]core.Sent, len(messages)), nil
}

func (willing) ReceiveMessages(context.Context, *core.Queue, core.StoreReceive) ([]core.Message, error) {
	return []core.Message{{Handle: "handle", Body: []byte("hello")}}, nil
}

func (willing) ReturnMessages(_ context.Context, _ *core.Queue, handles []string) ([]error, error) {
	return make([]error, len(handles)), nil
}

func (willing) DeleteMessages(_ context.Context, _ *core.Queue, handles []string, _ bool) ([]error, error) {
	return make([]error, len(handles)), nil
}

func (willing) ChangeVisibility(_ context.Context, _ *core.Queue, in core.ChangeVisibilityInput) ([]core.VisibilityResult, error) {
	return make([]core.VisibilityResult, len(in.Changes)), nil
}

func (willing) AdvanceClock(_ context.Context, _ string, by time.Duration) (time.Time, error) {
	return time.Unix(0, 0).Add(by), nil
}

// operations are those with a body.
var operations = []struct{ method, path string }{
	{"POST", "/queues"}, {"PATCH", "/queues/orders"}, {"POST", "/queues/orders/messages"}, {"POST", "/queues/orders/messages:receive"},
	{"POST", "/queues/orders/messages:delete"}, {"POST", "/queues/orders/messages:visibility"}, {"POST", "/queues/orders/messages:return"}, {"POST", "/clock"},
}

// FuzzRequests sends arbitrary bodies, which must be understood or refused: a fault of the server
// or a panic is neither.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"name": "orders", "delay_seconds": 5, "body_rule": "text", "tags": {"a": "b"}}`, `{"tags": {"a": null}}`,
		`{"messages": [{"body": "x", "priority": 3, "attributes": {"a": {"type": "Binary", "value": "AP8="}}}]}`,
		`{"messages": [{"body": "AP8=", "body_encoding": "base64"}, null]}`, `{"limit": 1e2, "wait_seconds": null}`,
		`{"receipt_handles": ["handle"]}`, `{"changes": [{"receipt_handle": "handle", "visibility_timeout_seconds": 1}]}`,
		`{"advance_seconds": 0.5, "account": "111122223333"}`, `[]`, `null`, `{`, "", "\x00\xff", `{"name": "\ud800"}`,
		`{"limit": 1, "limit": 18446744073709551616}`, strings.Repeat(`{"a":`, 50),
	} {
		f.Add(seed)
	}
	c := newClientOf(f, core.NewBroker(willing{}), api.Options{TestMode: true})
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range operations {
			if w := c.serve(httptest.NewRequest(op.method, "/api/v1"+op.path, strings.NewReader(body))); w.Code >= 500 {
				t.Errorf("%s %s: %d %s", op.method, op.path, w.Code, w.Body)
			}
		}
	})
}
