package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/coverage"
)

func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	document := c.call(200, "GET", "/openapi.json", "")
	paths := document["paths"].(object)
	if !strings.HasPrefix(document["openapi"].(string), "3.1") || document["info"].(object)["version"] != "v1.2.3" {
		t.Errorf("got OpenAPI %v of %v", document["openapi"], document["info"])
	}
	for _, path := range []string{"/api/v1/queues", "/api/v1/queues/{name}", "/api/v1/queues/{name}/messages:receive"} {
		if paths[path] == nil {
			t.Errorf("the document has no %s", path)
		}
	}
	for path, item := range paths {
		for method, op := range item.(object) {
			responses, _ := json.Marshal(op.(object)["responses"].(object)["default"])
			if !strings.Contains(string(responses), "application/problem+json") || strings.Contains(string(responses), "ErrorModel") {
				t.Errorf("%s %s documents errors as %s", method, path, responses)
			}
		}
	}
}

// What is there already is answered too, and the document says how.
func TestOpenAPIDocumentTellsOfWhatIsThere(t *testing.T) {
	t.Parallel()
	c := newTopicClient(t)
	paths := c.call(200, "GET", "/openapi.json", "")["paths"].(object)
	c.queue("orders")
	for _, tt := range []struct{ path, document, body string }{
		{"/queues", "/queues", `{"name": "again"}`}, {"/topics", "/topics", `{"name": "events"}`},
		{"/topics/events/subscriptions", "/topics/{topic}/subscriptions", `{"queue": "orders"}`},
	} {
		c.call(201, "POST", tt.path, tt.body)
		c.call(200, "POST", tt.path, tt.body)
		responses := paths["/api/v1"+tt.document].(object)["post"].(object)["responses"].(object)
		made, _ := json.Marshal(responses["201"].(object)["content"])
		there, _ := responses["200"].(object)
		if again, _ := json.Marshal(there["content"]); string(again) != string(made) {
			t.Errorf("%s: 200 is documented as %s, 201 as %s", tt.path, again, made)
		}
	}
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newClient(t).serve(httptest.NewRequest("GET", "/api/v1/docs", nil))
	if w.Code != 200 || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("got %d with %v", w.Code, w.Header())
	}
	for _, elsewhere := range []string{"http://", "https://", "src="} {
		if strings.Contains(w.Body.String(), elsewhere) {
			t.Errorf("the page has %q in it", elsewhere)
		}
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	actions := api.Actions()
	for _, want := range []string{"send-messages", "receive-messages", "list-queues", "advance-clock"} {
		if !slices.Contains(actions, coverage.Action{Name: want, Done: true}) {
			t.Errorf("%s is missing from %v", want, actions)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if got := newClient(t).call(200, "GET", "/version", ""); got["version"] != "v1.2.3" {
		t.Errorf("got %v", got)
	}
}

// away is a store whose database is not there.
type away struct{ core.Store }

func (away) Notify(func(core.Arrival)) {}

func (away) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func (away) Ready(context.Context) error {
	return core.Wrap(core.Unavailable, errors.New("connection refused"), "the database cannot be reached")
}

func (away) DescribeQueue(context.Context, core.QueueName) (core.Queue, error) {
	return core.Queue{}, core.Errorf(core.Unavailable, "the database cannot be reached")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	up, down := newClient(t), newClientOf(t, core.NewBroker(away{}), api.Options{})
	tests := map[string]struct {
		c          *client
		path, want string
	}{
		"alive":                      {up, "/healthz", `{"status":"ok"}`},
		"alive without its database": {down, "/healthz", `{"status":"ok"}`},
		"ready":                      {up, "/readyz", `{"status":"ready","database":"ready"}`},
		"ready to say what is wrong": {down, "/readyz", `{"status":"ready","database":"away"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if w := tt.c.serve(httptest.NewRequest("GET", tt.path, nil)); w.Code != 200 || w.Body.String() != tt.want {
				t.Errorf("got %d %s, want 200 %s", w.Code, w.Body, tt.want)
			}
		})
	}
	w := down.serve(httptest.NewRequest("GET", "/api/v1/queues/orders", nil))
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("got %d and Retry-After %q while the database is away, want 503 and 1", w.Code, w.Header().Get("Retry-After"))
	}
}

func TestListUsage(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	if got := objects(c.call(http.StatusOK, http.MethodGet, "/usage", "")["usage"]); len(got) != 0 {
		t.Errorf("of nothing: got %v", got)
	}
	used := []core.Usage{
		{Account: pgtest.Account, Service: "sqs", Requests: 5, Units: 9, Receives: 2, EmptyReceives: 1},
		{Account: "111122223333", Service: "sns", Requests: 1, Units: 1},
	}
	if err := c.broker.AddUsage(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	got := objects(c.call(http.StatusOK, http.MethodGet, "/usage?days=1", "")["usage"])
	want := object{"service": "sqs", "requests": 5., "billed_as": 9., "receives": 2., "empty_receives": 1.}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := objects(c.call(http.StatusOK, http.MethodGet, "/usage?account=111122223333", "")["usage"]); len(got) != 1 || got[0]["service"] != "sns" {
		t.Errorf("of another account: got %v", got)
	}
	c.call(http.StatusUnprocessableEntity, http.MethodGet, "/usage?days=401", "")
}

func TestListServers(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	servers := objects(c.call(http.StatusOK, http.MethodGet, "/servers", "")["servers"])
	if len(servers) != 1 || servers[0]["self"] != true || servers[0]["id"] == "" {
		t.Errorf("got %v", servers)
	}
}
