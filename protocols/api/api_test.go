package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
)

// object is JSON as it came.
type object = map[string]any

// client calls an API on a database of its own.
type client struct {
	t      testing.TB
	engine *gin.Engine
	store  core.Store
	broker *core.Broker
}

// newClient starts an API in test mode.
func newClient(t *testing.T) *client {
	t.Helper()
	store := pgtest.New(t)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	c := newClientOf(t, broker, api.Options{Version: "v1.2.3", TestMode: true})
	c.store = store
	return c
}

func newClientOf(t testing.TB, broker *core.Broker, options api.Options) *client {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.NoRoute(api.NotFound)
	jsonAPI := api.New(broker, &caller.Options{Region: "us-east-1"}, options)
	jsonAPI.Register(engine)
	jsonAPI.RegisterHealth(engine)
	return &client{t: t, engine: engine, broker: broker}
}

// serve makes a request and gives the answer as it is.
func (c *client) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.engine.ServeHTTP(w, r)
	return w
}

// call makes a request below /api/v1 and gives what the answer says. It fails the test unless the
// answer has that status.
func (c *client) call(wantStatus int, method, path, body string) object {
	c.t.Helper()
	w := c.serve(httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body)))
	if w.Code != wantStatus {
		c.t.Fatalf("%s %s: got %d, want %d: %s", method, path, w.Code, wantStatus, w.Body)
	}
	if w.Code == http.StatusNoContent {
		return nil
	}
	var answer object
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
	return answer
}

// queue makes a queue with default settings.
func (c *client) queue(name string) {
	c.t.Helper()
	c.call(201, "POST", "/queues", `{"name": "`+name+`"}`)
}

// send sends messages, given as JSON objects.
func (c *client) send(queue string, messages ...string) []object {
	c.t.Helper()
	return objects(c.call(201, "POST", "/queues/"+queue+"/messages", `{"messages": [`+strings.Join(messages, ",")+`]}`)["messages"])
}

// receive receives up to ten messages without waiting.
func (c *client) receive(queue string) []object {
	c.t.Helper()
	return objects(c.call(200, "POST", "/queues/"+queue+"/messages:receive", `{"limit": 10, "wait_seconds": 0}`)["messages"])
}

// handle gives a request body with the receipt handle of a message.
func handle(message object) string {
	return `{"receipt_handles": ["` + message["receipt_handle"].(string) + `"]}`
}

// objects gives a JSON array of objects as such.
func objects(array any) []object {
	list := array.([]any)
	objects := make([]object, len(list))
	for i := range list {
		objects[i] = list[i].(object)
	}
	return objects
}

// values gives one value of each of the objects.
func values(list []object, name string) []string {
	values := make([]string, len(list))
	for i := range list {
		values[i], _ = list[i][name].(string)
	}
	return values
}
