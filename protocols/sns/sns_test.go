package sns

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
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

// signingPair is the key that all tests share, for it takes long to make one.
var signingPair struct {
	sync.Mutex
	pair []byte
}

func start(t testing.TB) fixture { return startWith(t, caller.Options{}, Options{}) }

func startWith(t testing.TB, callers caller.Options, options Options) fixture {
	t.Helper()
	broker := pgtest.Broker(t)
	f := fixture{broker, New(broker, &callers, options)}
	signingPair.Lock()
	defer signingPair.Unlock()
	ctx := context.Background()
	if signingPair.pair != nil {
		if _, err := broker.SharedSecret(ctx, "push_signing", signingPair.pair); err != nil {
			t.Fatal(err)
		}
		return f
	}
	_, _, err := f.server.signer.certificate()
	if err == nil {
		signingPair.pair, err = broker.FindSecret(ctx, "push_signing")
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// authorization is of the account and the service that tests speak as.
const authorization = "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00"

// do sends a request to the server.
func (f fixture) do(t testing.TB, r *http.Request) reply {
	t.Helper()
	r.Host = "localhost:4566"
	recorder := httptest.NewRecorder()
	f.server.ServeHTTP(recorder, r)
	return reply{recorder.Code, recorder.Header(), recorder.Body.String()}
}

// call calls an action. Parameters are name, value, name, value.
func (f fixture) call(t testing.TB, action string, parameters ...string) reply {
	t.Helper()
	return f.do(t, request(action, parameters...))
}

func request(action string, parameters ...string) *http.Request {
	form := url.Values{"Action": {action}, "Version": {Version}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Authorization", authorization)
	return r
}

// follow follows a link, as anybody can.
func (f fixture) follow(t testing.TB, link string) reply {
	t.Helper()
	return f.do(t, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(link, "http://localhost:4566"), nil))
}

// document is any answer of the query protocol.
type document struct {
	XMLName  xml.Name
	Children []element `xml:",any"`
}

type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// find gives the text of the first element of that name.
func find(elements []element, name string) (string, bool) {
	for _, e := range elements {
		if e.XMLName.Local == name {
			return e.Text, true
		}
		if text, ok := find(e.Children, name); ok {
			return text, true
		}
	}
	return "", false
}

// all gives the texts of all elements of that name.
func all(elements []element, name string) (texts []string) {
	for _, e := range elements {
		if e.XMLName.Local == name {
			texts = append(texts, e.Text)
		}
		texts = append(texts, all(e.Children, name)...)
	}
	return texts
}

// ok calls an action that must succeed.
func (f fixture) ok(t testing.TB, action string, parameters ...string) document {
	t.Helper()
	return f.call(t, action, parameters...).document(t)
}

func (r reply) document(t testing.TB) document {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	var d document
	if err := xml.Unmarshal([]byte(r.body), &d); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return d
}

// text gives what the element of that name says.
func (d document) text(t testing.TB, name string) string {
	t.Helper()
	text, ok := find(d.Children, name)
	if !ok {
		t.Fatalf("no %s in %+v", name, d)
	}
	return text
}

// attributes gives the entries of a map.
func (d document) attributes() map[string]string {
	read := map[string]string{}
	keys, values := all(d.Children, "key"), all(d.Children, "value")
	for i := range keys {
		read[keys[i]] = values[i]
	}
	return read
}

// wantFault checks an error.
func (r reply) wantFault(t testing.TB, want wireError, message string) {
	t.Helper()
	var got struct {
		Error struct{ Type, Code, Message string }
	}
	if err := xml.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	first, _, _ := strings.Cut(got.Error.Message, "\n")
	if r.status != want.status || got.Error.Code != want.code || got.Error.Type != want.side() || message != "" && first != message {
		t.Errorf("got  %d %s %s\nwant %d %s %s", r.status, got.Error.Code, got.Error.Message, want.status, want.code, message)
	}
}

const (
	ordersARN = "arn:aws:sns:us-east-1:000000000000:orders"
	fifoARN   = "arn:aws:sns:us-east-1:000000000000:orders.fifo"
)

// orders makes the topic that most tests are about.
func (f fixture) orders(t testing.TB, parameters ...string) {
	t.Helper()
	f.ok(t, "CreateTopic", append([]string{"Name", "orders"}, parameters...)...)
}

// queue makes a queue and subscribes it, and gives the subscription's ARN.
func (f fixture) queue(t testing.TB, topic, name string, attributes ...string) string {
	t.Helper()
	_, _, err := f.broker.CreateQueue(context.Background(), core.NewQueue{Name: pgtest.Name(name), FIFO: isFIFO(name), Settings: core.DefaultSettings()})
	if err != nil {
		t.Fatal(err)
	}
	return f.subscribe(t, topic, "sqs", "arn:aws:sqs:us-east-1:000000000000:"+name, attributes...)
}

// subscribe subscribes with attributes, name, value, name, value.
func (f fixture) subscribe(t testing.TB, topic, protocol, endpoint string, attributes ...string) string {
	t.Helper()
	parameters := append([]string{"TopicArn", topic, "Protocol", protocol, "Endpoint", endpoint, "ReturnSubscriptionArn", "true"}, entries("Attributes", attributes...)...)
	return f.ok(t, "Subscribe", parameters...).text(t, "SubscriptionArn")
}

// entries gives the parameters of a map.
func entries(name string, pairs ...string) (parameters []string) {
	for i := 0; i < len(pairs); i += 2 {
		prefix := name + ".entry." + string(rune('1'+i/2))
		parameters = append(parameters, prefix+".key", pairs[i], prefix+".value", pairs[i+1])
	}
	return parameters
}

// bodies gives the bodies of the messages in a queue.
func (f fixture) bodies(t testing.TB, queue string) []string {
	t.Helper()
	return pgtest.Bodies(pgtest.Receive(t, f.broker, pgtest.Name(queue), 10))
}

// envelope reads a message as SNS wraps it.
func envelope(t testing.TB, body string) map[string]any {
	t.Helper()
	var read map[string]any
	if err := json.Unmarshal([]byte(body), &read); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return read
}

// one gives the only body in a queue.
func (f fixture) one(t testing.TB, queue string) string {
	t.Helper()
	bodies := f.bodies(t, queue)
	if len(bodies) != 1 {
		t.Fatalf("got %d messages in %s, want 1", len(bodies), queue)
	}
	return bodies[0]
}

func keysOf(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
