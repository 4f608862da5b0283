package sqs

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// fixture is a server on a database of its own.
type fixture struct {
	broker *core.Broker
	server *Server
}

func start(t testing.TB) fixture {
	t.Helper()
	broker := pgtest.Broker(t)
	return fixture{broker, New(broker, &caller.Options{}, Options{})}
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// spelled gives the value of a header of that very spelling.
func spelled(h http.Header, name string) string { return strings.Join(h[name], ",") }

// do sends a request to the server.
func (f fixture) do(t testing.TB, r *http.Request) reply {
	t.Helper()
	r.Host = "localhost:4566"
	recorder := httptest.NewRecorder()
	f.server.ServeHTTP(recorder, r)
	if id := spelled(recorder.Header(), "x-amzn-RequestId"); len(id) != 36 {
		t.Errorf("got request id %q, want a UUID", id)
	}
	return reply{recorder.Code, recorder.Header(), recorder.Body.String()}
}

// json calls an action in JSON. Headers are name, value, name, value.
func (f fixture) json(t testing.TB, action, body string, headers ...string) reply {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return f.do(t, r)
}

// query calls an action in the query protocol, with parameters as in a form.
func (f fixture) query(t testing.TB, action, parameters string) reply {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action="+action+"&Version=2012-11-05&"+parameters))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return f.do(t, r)
}

// ok calls an action in JSON that must succeed, and gives its result.
func (f fixture) ok(t testing.TB, action, body string, headers ...string) map[string]any {
	t.Helper()
	got := f.json(t, action, body, headers...)
	if got.status != http.StatusOK {
		t.Fatalf("%s %s: got %d %s", action, body, got.status, got.body)
	}
	var result map[string]any
	if err := json.Unmarshal([]byte(got.body), &result); err != nil {
		t.Fatalf("%s: %v in %s", action, err, got.body)
	}
	return result
}

const queueURLOfOrders = "http://localhost:4566/000000000000/orders"

// orders makes the queue that most tests are about.
func (f fixture) orders(t testing.TB) {
	t.Helper()
	f.ok(t, "CreateQueue", `{"QueueName":"orders"}`)
}

// send sends messages of the bodies given to orders.
func (f fixture) send(t testing.TB, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":`+quote(body)+`}`)
	}
}

// receive receives from orders; members are those of the request beside the queue.
func (f fixture) receive(t testing.TB, members string) []map[string]any {
	t.Helper()
	result := f.ok(t, "ReceiveMessage", `{"QueueUrl":"orders"`+members+`}`)
	var messages []map[string]any
	list, _ := result["Messages"].([]any)
	for _, m := range list {
		messages = append(messages, m.(map[string]any))
	}
	return messages
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// wantFault checks an error in JSON.
func (r reply) wantFault(t testing.TB, want wireError, message string) {
	t.Helper()
	var got struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	side := "Sender"
	if want.status >= 500 {
		side = "Receiver"
	}
	if r.status != want.status || got.Type != want.name || spelled(r.header, "x-amzn-query-error") != want.code+";"+side ||
		r.header.Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("got %d %s and query error %q, want %+v", r.status, r.body, spelled(r.header, "x-amzn-query-error"), want)
	}
	if message != "" && got.Message != message {
		t.Errorf("got  %s\nwant %s", got.Message, message)
	}
}

// wantQueryFault checks an error in the query protocol.
func (r reply) wantQueryFault(t testing.TB, want wireError, message string) {
	t.Helper()
	var got struct {
		XMLName xml.Name `xml:"http://queue.amazonaws.com/doc/2012-11-05/ ErrorResponse"`
		Error   struct {
			Type, Code, Message string
			Detail              *struct{}
		}
		RequestId string
	}
	if err := xml.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	side := "Sender"
	if want.status >= 500 {
		side = "Receiver"
	}
	if r.status != want.status || got.Error.Code != want.code || got.Error.Type != side || got.Error.Detail == nil ||
		got.RequestId != spelled(r.header, "x-amzn-RequestId") || r.header.Get("Content-Type") != "text/xml" {
		t.Errorf("got %d %s, want %+v", r.status, r.body, want)
	}
	if message != "" && got.Error.Message != message {
		t.Errorf("got  %s\nwant %s", got.Error.Message, message)
	}
}

// parametersOf gives name=value&… with the values escaped.
func parametersOf(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// stubStore is a store that answers at once: with an error, or with what the tests of the wire need.
type stubStore struct {
	core.Store       // nil: other methods are not called
	err        error // of Queue
	receiveErr error
	messages   []core.Message
	returned   chan []string
}

func (s *stubStore) Notify(func(core.Arrival)) {}

func (s *stubStore) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func (s *stubStore) Queue(_ context.Context, name core.QueueName) (*core.Queue, error) {
	if s.err != nil {
		return nil, s.err
	}
	return &core.Queue{ID: 1, Name: name, FIFO: strings.HasSuffix(name.Name, fifoSuffix), Settings: core.DefaultSettings()}, nil
}

// ListQueues gives a full page, and says that there is another.
func (s *stubStore) ListQueues(_ context.Context, in core.ListQueuesInput) (core.QueuePage, error) {
	return core.QueuePage{Queues: make([]core.Queue, in.Limit), Next: "orders"}, nil
}

func (s *stubStore) SendMessages(_ context.Context, _ *core.Queue, messages []core.NewMessage) ([]core.Sent, error) {
	return make([]core.Sent, len(messages)), nil
}

func (s *stubStore) ReceiveMessages(_ context.Context, _ *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	if s.receiveErr != nil {
		return nil, s.receiveErr
	}
	return s.messages[:min(in.Limit, len(s.messages))], nil
}

func (s *stubStore) ReturnMessages(_ context.Context, _ *core.Queue, handles []string) ([]error, error) {
	s.returned <- handles
	return make([]error, len(handles)), nil
}

func (s *stubStore) DeleteMessages(_ context.Context, _ *core.Queue, handles []string, _ bool) ([]error, error) {
	return make([]error, len(handles)), nil
}

func (s *stubStore) ChangeVisibility(_ context.Context, _ *core.Queue, in core.ChangeVisibilityInput) ([]core.VisibilityResult, error) {
	return make([]core.VisibilityResult, len(in.Changes)), nil
}

// startOn gives a server on a stub.
func startOn(store *stubStore) fixture {
	broker := core.NewBroker(store)
	return fixture{broker, New(broker, &caller.Options{}, Options{})}
}

func httptestGet(target string) *http.Request {
	return httptest.NewRequest(http.MethodGet, target, nil)
}
