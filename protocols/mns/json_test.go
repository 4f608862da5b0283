package mns

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
)

// jsonReply is what came back of a request in JSON.
type jsonReply struct {
	status int
	body   string
	doc    jsonDocument
}

type jsonDocument struct {
	Code, Message, RequestId, HostId         string
	MessageId, MessageBody, MessageBodyMD5   string
	ReceiptHandle, MessageGroupId            string
	EnqueueTime, NextVisibleTime             int64
	FirstDequeueTime, DequeueCount, Priority int64
	UserProperties, SystemProperties         map[string]jsonProperty
	Messages                                 []jsonDocument
	Errors                                   []deleteError
}

// json sends a request as the clients of version 2026-04-09 do.
func (f fixture) json(t testing.TB, method, target, body string) jsonReply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Mns-Version", jsonVersion)
	req.Header.Set("Accept", "application/json")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, text := exchange(t, req)
	r := jsonReply{status: resp.StatusCode, body: string(text)}
	if resp.Header.Get("X-Mns-Version") != jsonVersion {
		t.Errorf("%s %s answers in version %s", method, target, resp.Header.Get("X-Mns-Version"))
	}
	if len(text) > 0 {
		if kind := resp.Header.Get("Content-Type"); kind != "application/json;charset=utf-8" {
			t.Errorf("%s %s answers with content type %s", method, target, kind)
		}
		if err := json.Unmarshal(text, &r.doc); err != nil {
			t.Fatalf("%s %s answers %q: %v", method, target, text, err)
		}
	}
	return r
}

func (r jsonReply) want(t testing.TB, status int, code string) jsonReply {
	t.Helper()
	if r.status != status || r.doc.Code != code {
		t.Fatalf("got %d %q, want %d %q:\n%s", r.status, r.doc.Code, status, code, r.body)
	}
	return r
}

func TestJSONSendReceiveDelete(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	const target = "/queues/orders/messages"
	sent := f.json(t, http.MethodPost, target, `{"MessageBody": "a <b> & \"c\"\r\n\u00e9", "Priority": 3, "DelaySeconds": 0, "MessageGroupId": "g", "UserProperties": {
		"colour": {"DataType": "STRING", "StringValue": "red"}, "data": {"DataType": "BINARY", "BinaryValue": "AAE="}}}`).want(t, 201, "").doc
	const body = "a <b> & \"c\"\r\né"
	shown := f.json(t, http.MethodGet, target+"?peekonly=true", "").want(t, 200, "").doc
	if shown.MessageBody != body || shown.ReceiptHandle != "" {
		t.Errorf("peeked: got %+v", shown)
	}
	got := f.json(t, http.MethodGet, target+"?waitseconds=0", "").want(t, 200, "").doc
	if got.MessageId != sent.MessageId || got.MessageBodyMD5 != sent.MessageBodyMD5 || got.MessageBody != body || got.Priority != 3 || got.MessageGroupId != "g" {
		t.Errorf("got %+v, sent %+v", got, sent)
	}
	if got.EnqueueTime < 1e12 || got.FirstDequeueTime < got.EnqueueTime || got.NextVisibleTime <= got.FirstDequeueTime || got.DequeueCount != 1 {
		t.Errorf("got %+v", got)
	}
	properties := map[string]jsonProperty{"colour": {DataType: "STRING", StringValue: "red"}, "data": {DataType: "BINARY", BinaryValue: "AAE="}}
	if !reflect.DeepEqual(got.UserProperties, properties) || got.SystemProperties != nil {
		t.Errorf("got properties %v and %v", got.UserProperties, got.SystemProperties)
	}
	changed := f.json(t, http.MethodPut, target+"?receiptHandle="+got.ReceiptHandle+"&visibilityTimeout=60", "").want(t, 200, "").doc
	f.json(t, http.MethodDelete, target+"?ReceiptHandle="+got.ReceiptHandle, "").want(t, 404, "MessageNotExist")
	f.json(t, http.MethodDelete, target+"?ReceiptHandle="+changed.ReceiptHandle, "").want(t, 204, "")
	empty := f.json(t, http.MethodGet, target, "").want(t, 404, "MessageNotExist").doc
	if empty.Message == "" || len(empty.RequestId) != 24 || empty.HostId != f.url {
		t.Errorf("got %+v", empty)
	}
}

func TestJSONBatches(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	const target = "/queues/orders/messages"
	sent := f.json(t, http.MethodPost, target, `{"Messages": [{"MessageBody": "one"}, {"MessageBody": "two", "DelaySeconds": 60}]}`).want(t, 201, "").doc
	if len(sent.Messages) != 2 || len(sent.Messages[0].MessageId) != 32 || sent.Messages[1].ReceiptHandle == "" {
		t.Errorf("sent: got %+v", sent)
	}
	if got := f.json(t, http.MethodGet, target+"?peekonly=true&numOfMessages=2", "").want(t, 200, "").doc.Messages; len(got) != 1 {
		t.Errorf("peeked at %+v", got)
	}
	got := f.json(t, http.MethodGet, target+"?numOfMessages=16&waitseconds=0", "").want(t, 200, "").doc.Messages
	if len(got) != 1 || got[0].MessageBody != "one" {
		t.Fatalf("received %+v", got)
	}
	handles := func(more string) string {
		return fmt.Sprintf(`{"ReceiptHandles": [%q, %q%s]}`, got[0].ReceiptHandle, sent.Messages[1].ReceiptHandle, more)
	}
	failed := f.json(t, http.MethodDelete, target, handles(`, "nonsense"`)).want(t, 404, "").doc.Errors
	if len(failed) != 1 || failed[0].ReceiptHandle != "nonsense" || failed[0].ErrorCode != "ReceiptHandleError" || failed[0].ErrorMessage == "" {
		t.Errorf("got %+v", failed)
	}
	if failed := f.json(t, http.MethodDelete, target, handles("")).want(t, 404, "").doc.Errors; len(failed) != 2 {
		t.Errorf("deleted again: got %+v", failed)
	}
}

func TestJSONRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	const target = "/queues/orders/messages"
	many := func(element string) string { return strings.TrimSuffix(strings.Repeat(element+",", 1000), ",") }
	tests := map[string]struct{ method, target, body, code string }{
		"no JSON":               {"POST", target, "<Message/>", "InvalidArgument"},
		"no object":             {"POST", target, `["MessageBody"]`, "InvalidArgument"},
		"not closed":            {"POST", target, `{"MessageBody": "x"`, "InvalidArgument"},
		"something behind":      {"POST", target, `{"MessageBody": "x"} {}`, "InvalidArgument"},
		"no body":               {"POST", target, `{}`, "InvalidArgument"},
		"null for a body":       {"POST", target, `{"MessageBody": null}`, "InvalidArgument"},
		"number for a text":     {"POST", target, `{"MessageBody": 1}`, "InvalidArgument"},
		"text for a number":     {"POST", target, `{"MessageBody": "x", "Priority": "high"}`, "InvalidArgument"},
		"part of a number":      {"POST", target, `{"MessageBody": "x", "Priority": 1.5}`, "InvalidArgument"},
		"priority too high":     {"POST", target, `{"MessageBody": "x", "Priority": 17}`, "InvalidArgument"},
		"no UTF-8":              {"POST", target, "{\"MessageBody\": \"\xff\"}", "InvalidArgument"},
		"property of no type":   {"POST", target, `{"MessageBody": "x", "UserProperties": {"a": {"StringValue": "x"}}}`, "InvalidArgument"},
		"list of properties":    {"POST", target, `{"MessageBody": "x", "UserProperties": [1]}`, "InvalidArgument"},
		"text for a property":   {"POST", target, `{"MessageBody": "x", "UserProperties": {"a": "x"}}`, "InvalidArgument"},
		"property twice":        {"POST", target, `{"MessageBody": "x", "UserProperties": {"a": {"DataType": "STRING", "StringValue": "x"}, "a": {"DataType": "STRING", "StringValue": "y"}}}`, "InvalidArgument"},
		"empty batch":           {"POST", target, `{"Messages": []}`, "InvalidArgument"},
		"batch too long":        {"POST", target, `{"Messages": [` + many(`{"MessageBody": "x"}`) + `]}`, "InvalidArgument"},
		"no handles":            {"DELETE", target, `{"ReceiptHandles": []}`, "MissingReceiptHandle"},
		"too many handles":      {"DELETE", target, `{"ReceiptHandles": [` + many(`"x"`) + `]}`, "InvalidArgument"},
		"object for a list":     {"DELETE", target, `{"ReceiptHandles": {}}`, "InvalidArgument"},
		"spoken in XML only":    {"GET", "/queues", "", "InvalidVersionHeader"},
		"no such path":          {"GET", "/buckets", "", "InvalidRequestURL"},
		"of a queue, unchanged": {"PUT", "/queues/orders", "{}", "InvalidVersionHeader"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.json(t, tt.method, tt.target, tt.body).want(t, 400, tt.code)
		})
	}
	f.json(t, http.MethodGet, target, "").want(t, 404, "MessageNotExist") // nothing of all this was stored
}

// JSON carries every character; what is no text at all goes out as base64.
func TestJSONBodies(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	for body, want := range map[string]string{"bell \x07": "bell \x07", "\ufffe": "\ufffe", "\xff\x00": "/wA=", "<&>": "<&>"} {
		pgtest.Send(t, f.broker, pgtest.Name("orders"), body)
		got := f.json(t, http.MethodGet, "/queues/orders/messages", "").want(t, 200, "").doc
		if got.MessageBody != want {
			t.Errorf("%q: got %q, want %q", body, got.MessageBody, want)
		}
	}
	// A body that XML cannot carry reaches readers of XML as base64.
	f.json(t, http.MethodPost, "/queues/orders/messages", `{"MessageBody": "bell \u0007"}`).want(t, 201, "")
	if got := f.receive(t, "orders").MessageBody; got != "YmVsbCAH" {
		t.Errorf("got %q", got)
	}
}

// What one form sends the other receives.
func TestJSONAndXML(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.send(t, "orders", `<MessageBody>hello</MessageBody>
		<UserProperties><PropertyValue><Name>n</Name><Value>1.5</Value><Type>NUMBER</Type></PropertyValue></UserProperties>
		<SystemProperties><SystemPropertyValue><Name>traceparent</Name><Value>00-1</Value><Type>STRING</Type></SystemPropertyValue></SystemProperties>`)
	got := f.json(t, http.MethodGet, "/queues/orders/messages", "").want(t, 200, "").doc
	if got.MessageBody != "hello" || got.MessageBodyMD5 != helloMD5 || got.UserProperties["n"] != (jsonProperty{DataType: "NUMBER", StringValue: "1.5"}) ||
		got.SystemProperties["traceparent"].StringValue != "00-1" {
		t.Errorf("JSON got %+v", got)
	}
	f.json(t, http.MethodPost, "/queues/orders/messages", `{"MessageBody": "hello", "UserProperties": {"b": {"DataType": "BOOLEAN", "StringValue": "true"}}}`).want(t, 201, "")
	back := f.receive(t, "orders")
	if back.MessageBody != "hello" || len(back.UserProperties) != 1 || back.UserProperties[0] != (property{"b", "true", "BOOLEAN"}) {
		t.Errorf("XML got %+v", back)
	}
}
