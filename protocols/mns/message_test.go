package mns

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// An MD5 that is known from elsewhere: that of "hello".
const helloMD5 = "5D41402ABC4B2A76B9719D911017C592"

func TestSendReceiveDelete(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<VisibilityTimeout>30</VisibilityTimeout>")
	sent := f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	if len(sent.MessageId) != 32 || sent.MessageId != strings.ToUpper(sent.MessageId) || sent.MessageBodyMD5 != helloMD5 || sent.ReceiptHandle != "" {
		t.Errorf("sent: got %+v", sent)
	}
	got := f.receive(t, "orders")
	if got.MessageId != sent.MessageId || got.MessageBody != "hello" || got.MessageBodyMD5 != helloMD5 || got.DequeueCount != 1 || got.Priority != 8 {
		t.Errorf("received: got %+v", got)
	}
	if got.EnqueueTime < 1e12 || got.FirstDequeueTime < got.EnqueueTime || got.NextVisibleTime != got.FirstDequeueTime+30_000 {
		t.Errorf("times in ms: sent %d, received %d, visible %d", got.EnqueueTime, got.FirstDequeueTime, got.NextVisibleTime)
	}
	f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 404, "MessageNotExist") // in flight
	target := "/queues/orders/messages?ReceiptHandle=" + got.ReceiptHandle
	f.do(t, http.MethodDelete, target, "").want(t, 204, "")
	f.do(t, http.MethodDelete, target, "").want(t, 404, "MessageNotExist")
	pgtest.Advance(t, f.broker, time.Minute)
	f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 404, "MessageNotExist")
}

func TestReceiveAgain(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<VisibilityTimeout>30</VisibilityTimeout>")
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	first := f.receive(t, "orders")
	pgtest.Advance(t, f.broker, 15*time.Second)
	f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 404, "MessageNotExist")
	pgtest.Advance(t, f.broker, 15*time.Second)
	second := f.receive(t, "orders")
	if second.DequeueCount != 2 || second.FirstDequeueTime != first.FirstDequeueTime || second.EnqueueTime != first.EnqueueTime || second.ReceiptHandle == first.ReceiptHandle {
		t.Errorf("got %+v after %+v", second, first)
	}
	f.do(t, http.MethodDelete, "/queues/orders/messages?ReceiptHandle="+first.ReceiptHandle, "").want(t, 404, "MessageNotExist")
	f.do(t, http.MethodDelete, "/queues/orders/messages?ReceiptHandle="+second.ReceiptHandle, "").want(t, 204, "")
}

// What a handle is worth, for a delete and for a change of visibility alike (specs/mns.md 4.4).
func TestReceiptHandles(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handle func(f fixture, t *testing.T) string
		status int
		code   string
	}{
		"expired": {func(f fixture, t *testing.T) string {
			handle := f.receive(t, "orders").ReceiptHandle
			pgtest.Advance(t, f.broker, 30*time.Second)
			return handle
		}, 404, "MessageNotExist"},
		"superseded": {func(f fixture, t *testing.T) string {
			handle := f.receive(t, "orders").ReceiptHandle
			pgtest.Advance(t, f.broker, 30*time.Second)
			f.receive(t, "orders")
			return handle
		}, 404, "MessageNotExist"},
		"superseded by a change of visibility": {func(f fixture, t *testing.T) string {
			handle := f.receive(t, "orders").ReceiptHandle
			f.do(t, http.MethodPut, "/queues/orders/messages?VisibilityTimeout=60&ReceiptHandle="+handle, "").want(t, 200, "")
			return handle
		}, 404, "MessageNotExist"},
		"message deleted": {func(f fixture, t *testing.T) string {
			handle := f.receive(t, "orders").ReceiptHandle
			f.do(t, http.MethodDelete, "/queues/orders/messages?ReceiptHandle="+handle, "").want(t, 204, "")
			return handle
		}, 404, "MessageNotExist"},
		"of another queue": {func(f fixture, t *testing.T) string {
			f.create(t, "other", "")
			f.send(t, "other", "<MessageBody>hello</MessageBody>")
			return f.receive(t, "other").ReceiptHandle
		}, 400, "ReceiptHandleError"},
		"no handle at all": {func(fixture, *testing.T) string { return "1-ODU4OTkzNDU5My0xNDM1MTk3NjAwLTItNg%3D%3D" }, 400, "ReceiptHandleError"},
		"no text":          {func(fixture, *testing.T) string { return "%00%ff" }, 400, "ReceiptHandleError"},
		"empty":            {func(fixture, *testing.T) string { return "" }, 400, "MissingReceiptHandle"},
	}
	for name, tt := range tests {
		for method, more := range map[string]string{http.MethodDelete: "", http.MethodPut: "&VisibilityTimeout=10"} {
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				f := start(t)
				f.create(t, "orders", "<VisibilityTimeout>30</VisibilityTimeout>")
				f.send(t, "orders", "<MessageBody>hello</MessageBody>")
				handle := tt.handle(f, t)
				f.do(t, method, "/queues/orders/messages?ReceiptHandle="+handle+more, "").want(t, tt.status, tt.code)
			})
		}
	}
}

// Handles go into queries unescaped by some clients and into base64 by none: their alphabet is small.
func TestReceiptHandleAlphabet(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	handle := f.receive(t, "orders").ReceiptHandle
	if escaped := url.QueryEscape(handle); escaped != handle || len(handle) >= 256 || handle[0] < '0' || handle[0] > '9' || handle[1] != '-' {
		t.Errorf("got handle %q", handle)
	}
}

func TestChangeMessageVisibility(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<VisibilityTimeout>30</VisibilityTimeout>")
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	received := f.receive(t, "orders")
	pgtest.Advance(t, f.broker, 10*time.Second)
	changed := f.do(t, http.MethodPut, "/queues/orders/messages?receiptHandle="+received.ReceiptHandle+"&visibilityTimeout=60", "").want(t, 200, "").doc
	if since := changed.NextVisibleTime - received.NextVisibleTime; changed.ReceiptHandle == "" || changed.ReceiptHandle == received.ReceiptHandle || since < 40_000 || since > 50_000 {
		t.Errorf("got %q, visible %d ms later than before, want 40 s from a new handle", changed.ReceiptHandle, since)
	}
	pgtest.Advance(t, f.broker, 40*time.Second)
	f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 404, "MessageNotExist")
	zero := f.do(t, http.MethodPut, "/queues/orders/messages?VisibilityTimeout=0&ReceiptHandle="+changed.ReceiptHandle, "").want(t, 200, "").doc
	if again := f.receive(t, "orders"); again.DequeueCount != 2 || zero.ReceiptHandle == "" {
		t.Errorf("got %+v, want the second receive", again)
	}
}

func TestChangeMessageVisibilityRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	handle := f.receive(t, "orders").ReceiptHandle
	tests := map[string]struct {
		query  string
		status int
		code   string
	}{
		"no timeout":      {"ReceiptHandle=" + handle, 400, "MissingVisibilityTimeout"},
		"no handle":       {"VisibilityTimeout=1", 400, "MissingReceiptHandle"},
		"negative":        {"ReceiptHandle=" + handle + "&VisibilityTimeout=-1", 400, "InvalidArgument"},
		"too long":        {"ReceiptHandle=" + handle + "&VisibilityTimeout=43201", 400, "InvalidArgument"},
		"no number":       {"ReceiptHandle=" + handle + "&VisibilityTimeout=x", 400, "InvalidArgument"},
		"given twice":     {"ReceiptHandle=" + handle + "&VisibilityTimeout=1&visibilitytimeout=2", 400, "InvalidQueryString"},
		"longest allowed": {"ReceiptHandle=" + handle + "&VisibilityTimeout=43200", 200, ""},
	}
	for _, name := range []string{"no timeout", "no handle", "negative", "too long", "no number", "given twice", "longest allowed"} {
		tt := tests[name]
		t.Run(name, func(t *testing.T) {
			f.do(t, http.MethodPut, "/queues/orders/messages?"+tt.query, "").want(t, tt.status, tt.code)
		})
	}
	f.do(t, http.MethodPut, "/queues/other/messages?VisibilityTimeout=1&ReceiptHandle="+handle, "").want(t, 404, "QueueNotExist")
}

func TestDelayedMessage(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<DelaySeconds>60</DelaySeconds>")
	f.send(t, "orders", "<MessageBody>at once</MessageBody><DelaySeconds>0</DelaySeconds><Priority>0</Priority>") // as the Go client sends
	if got := f.receive(t, "orders"); got.MessageBody != "at once" || got.Priority != 8 {
		t.Errorf("got %+v", got)
	}
	byQueue := f.send(t, "orders", "<MessageBody>in a minute</MessageBody>")
	byMessage := f.send(t, "orders", "<MessageBody>in two</MessageBody><DelaySeconds>120</DelaySeconds>")
	f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 404, "MessageNotExist")
	f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true", "").want(t, 404, "MessageNotExist")
	f.do(t, http.MethodDelete, "/queues/orders/messages?ReceiptHandle="+byMessage.ReceiptHandle, "").want(t, 204, "")
	f.do(t, http.MethodPut, "/queues/orders/messages?VisibilityTimeout=5&ReceiptHandle="+byQueue.ReceiptHandle, "").want(t, 200, "")
	pgtest.Advance(t, f.broker, 5*time.Second)
	if got := f.receive(t, "orders"); got.MessageBody != "in a minute" || got.DequeueCount != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestPriorities(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	for _, priority := range []int{16, 8, 1, 9} {
		f.send(t, "orders", fmt.Sprintf("<Priority>%d</Priority><MessageBody>%d</MessageBody>", priority, priority))
	}
	var got []int
	for range 4 {
		got = append(got, f.receive(t, "orders").Priority)
	}
	if want := []int{1, 8, 9, 16}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSendMessageRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<MaximumMessageSize>1024</MaximumMessageSize>")
	body := strings.Repeat("é", 512)
	property := func(name, value, kind string) string {
		return "<MessageBody>x</MessageBody><UserProperties><PropertyValue><Name>" + name + "</Name><Value>" + value + "</Value><Type>" + kind + "</Type></PropertyValue></UserProperties>"
	}
	system := func(name, kind string) string {
		return "<MessageBody>x</MessageBody><SystemProperties><SystemPropertyValue><Name>" + name + "</Name><Value>1</Value><Type>" + kind + "</Type></SystemPropertyValue></SystemProperties>"
	}
	tests := map[string]struct{ message, code string }{
		"as long as allowed":           {"<MessageBody>" + body + "</MessageBody>", ""},
		"longest delay":                {"<MessageBody>x</MessageBody><DelaySeconds>604800</DelaySeconds>", ""},
		"least urgent":                 {"<MessageBody>x</MessageBody><Priority>16</Priority>", ""},
		"unknown element":              {"<MessageBody>x</MessageBody><MessageTag>red</MessageTag>", ""},
		"longest property":             {property(strings.Repeat("n", 256), strings.Repeat("é", 4096), "STRING"), ""},
		"blank body":                   {"<MessageBody> </MessageBody>", ""},
		"too long":                     {"<MessageBody>" + body + "x</MessageBody>", "InvalidArgument"},
		"no body":                      {"<Priority>1</Priority>", "InvalidArgument"},
		"empty body":                   {"<MessageBody></MessageBody>", "InvalidArgument"},
		"empty body, one tag":          {"<MessageBody/>", "InvalidArgument"},
		"elements in the body":         {"<MessageBody>a <b>bold</b> claim</MessageBody>", "InvalidArgument"},
		"delay too long":               {"<MessageBody>x</MessageBody><DelaySeconds>604801</DelaySeconds>", "InvalidArgument"},
		"negative delay":               {"<MessageBody>x</MessageBody><DelaySeconds>-1</DelaySeconds>", "InvalidArgument"},
		"priority too high":            {"<MessageBody>x</MessageBody><Priority>17</Priority>", "InvalidArgument"},
		"negative priority":            {"<MessageBody>x</MessageBody><Priority>-1</Priority>", "InvalidArgument"},
		"group's name too long":        {"<MessageBody>x</MessageBody><MessageGroupId>" + strings.Repeat("g", 129) + "</MessageGroupId>", "InvalidArgument"},
		"unescaped &":                  {"<MessageBody>salt & pepper</MessageBody>", "MalformedXML"},
		"control character":            {"<MessageBody>\x07</MessageBody>", "MalformedXML"},
		"control character by number":  {"<MessageBody>&#7;</MessageBody>", "MalformedXML"},
		"no UTF-8":                     {"<MessageBody>\xff</MessageBody>", "MalformedXML"},
		"property without a name":      {property("", "1", "STRING"), "InvalidArgument"},
		"property without a value":     {property("n", "", "STRING"), "InvalidArgument"},
		"property's name too long":     {property(strings.Repeat("n", 257), "1", "STRING"), "InvalidArgument"},
		"property's value too long":    {property("n", strings.Repeat("v", 4097), "STRING"), "InvalidArgument"},
		"property of another type":     {property("n", "1", "LONG"), "InvalidArgument"},
		"property that is no number":   {property("n", "one", "NUMBER"), "InvalidArgument"},
		"number without end":           {property("n", "Infinity", "NUMBER"), "InvalidArgument"},
		"not a number":                 {property("n", "NaN", "NUMBER"), "InvalidArgument"},
		"number with underscores":      {property("n", "1_000", "NUMBER"), "InvalidArgument"},
		"hexadecimal number":           {property("n", "0x1p4", "NUMBER"), "InvalidArgument"},
		"number with a blank":          {property("n", "1 ", "NUMBER"), "InvalidArgument"},
		"number of a sign alone":       {property("n", "-", "NUMBER"), "InvalidArgument"},
		"property that is no boolean":  {property("n", "1", "BOOLEAN"), "InvalidArgument"},
		"property that is no base64":   {property("n", "*", "BINARY"), "InvalidArgument"},
		"too many properties":          {"<MessageBody>x</MessageBody><UserProperties>" + strings.Repeat("<PropertyValue/>", 51) + "</UserProperties>", "InvalidArgument"},
		"unknown system property":      {system("AWSTraceHeader", "STRING"), "InvalidArgument"},
		"system property of a service": {system("DLQSourceArn", "STRING"), "InvalidArgument"},
		"system property, other type":  {system("traceparent", "NUMBER"), "InvalidArgument"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status := 400
			if tt.code == "" {
				status = 201
			}
			f.do(t, http.MethodPost, "/queues/orders/messages", "<Message>"+tt.message+"</Message>").want(t, status, tt.code)
		})
	}
	f.do(t, http.MethodPost, "/queues/other/messages", "<Message><MessageBody>x</MessageBody></Message>").want(t, 404, "QueueNotExist")
	f.do(t, http.MethodPost, "/queues/orders/messages", "<Topic/>").want(t, 400, "InvalidArgument")
	f.do(t, http.MethodPost, "/queues/orders/messages", "").want(t, 400, "InvalidArgument")
}

func TestPropertiesGivenTwice(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	const user = "<PropertyValue><Name>n</Name><Value>1</Value><Type>STRING</Type></PropertyValue>"
	const system = "<SystemPropertyValue><Name>baggage</Name><Value>1</Value><Type>STRING</Type></SystemPropertyValue>"
	for _, properties := range []string{
		"<UserProperties>" + user + user + "</UserProperties>",
		"<SystemProperties>" + system + system + "</SystemProperties>",
	} {
		f.do(t, http.MethodPost, "/queues/orders/messages", "<Message><MessageBody>x</MessageBody>"+properties+"</Message>").want(t, 400, "InvalidArgument")
	}
}

// Texts that are easily spoiled on their way come back as they were sent.
func TestBodiesComeBack(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	for name, text := range map[string]string{
		"markup":    "<a b='1' c=\"2\">&amp; ]]> <!-- --></a>",
		"line ends": "one\r\ntwo\rthree\n\tfour",
		"blanks":    "  two before, two after  ",
		"unicode":   "naïve 队列 😀 \u00a0\u2028\ufeff",
		"percent":   "100% a+b %2B &c=d",
		"long":      strings.Repeat("<&>\r", 1<<14),
	} {
		t.Run(name, func(t *testing.T) {
			sent := f.send(t, "orders", "<MessageBody>"+string(appendEscaped(nil, text))+"</MessageBody>")
			got := f.receive(t, "orders")
			if got.MessageBody != text || got.MessageBodyMD5 != sent.MessageBodyMD5 {
				t.Errorf("got %.100q, want %.100q", got.MessageBody, text)
			}
		})
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.send(t, "orders", `<UserProperties>
	  <PropertyValue><Name>size</Name><Value>12.50</Value><Type>NUMBER</Type></PropertyValue>
	  <PropertyValue><Value>r&lt;d</Value><Name>color</Name><Type>STRING</Type></PropertyValue>
	  <PropertyValue><Name>new</Name><Value>True</Value><Type>BOOLEAN</Type></PropertyValue>
	  <PropertyValue><Name>bytes</Name><Value>AP8=</Value><Type>BINARY</Type></PropertyValue>
	</UserProperties><SystemProperties>
	  <SystemPropertyValue><Name>traceparent</Name><Value>00-1</Value><Type>STRING</Type></SystemPropertyValue>
	  <SystemPropertyValue><Name>baggage</Name><Value>a=1</Value><Type>STRING</Type></SystemPropertyValue>
	</SystemProperties><MessageGroupId>g1</MessageGroupId><MessageBody>hello</MessageBody>`)
	reply := f.do(t, http.MethodGet, "/queues/orders/messages", "").want(t, 200, "")
	got := reply.doc
	user := []property{{"bytes", "AP8=", "BINARY"}, {"color", "r<d", "STRING"}, {"new", "True", "BOOLEAN"}, {"size", "12.50", "NUMBER"}}
	if !slices.Equal(got.UserProperties, user) {
		t.Errorf("user properties: got %v, want %v", got.UserProperties, user)
	}
	system := []property{{"traceparent", "00-1", "STRING"}, {"baggage", "a=1", "STRING"}}
	if !slices.Equal(got.SystemProperties, system) || got.MessageGroupId != "g1" {
		t.Errorf("system properties: got %v in group %q, want %v in g1", got.SystemProperties, got.MessageGroupId, system)
	}
	// The form that Python's and PHP's clients need (specs/mns.md 2.2).
	const end = `<Priority>8</Priority>
<MessageGroupId>g1</MessageGroupId>
<SystemProperties>
<SystemPropertyValue>
<Name>traceparent</Name>
<Value>00-1</Value>
<Type>STRING</Type>
</SystemPropertyValue>
<SystemPropertyValue>
<Name>baggage</Name>
<Value>a=1</Value>
<Type>STRING</Type>
</SystemPropertyValue>
</SystemProperties>
<UserProperties>
<PropertyValue>
<Name>bytes</Name>
<Value>AP8=</Value>
<Type>BINARY</Type>
</PropertyValue>
`
	if !strings.Contains(reply.body, end) {
		t.Errorf("got\n%s\nwant in it\n%s", reply.body, end)
	}
}

// What other protocols make of properties, and MNS of what they send.
func TestPropertiesBetweenProtocols(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.send(t, "orders", `<MessageBody>hello</MessageBody><UserProperties>
	  <PropertyValue><Name>size</Name><Value>12.50</Value><Type>NUMBER</Type></PropertyValue>
	  <PropertyValue><Name>new</Name><Value>true</Value><Type>BOOLEAN</Type></PropertyValue>
	  <PropertyValue><Name>bytes</Name><Value>AP8=</Value><Type>BINARY</Type></PropertyValue>
	</UserProperties>`)
	received := pgtest.Receive(t, f.broker, pgtest.Name("orders"), 1)
	var got []string
	for _, a := range received[0].Attributes {
		got = append(got, fmt.Sprintf("%s %s %q", a.Name, a.Type, a.Value))
	}
	if want := []string{`bytes Binary "\x00\xff"`, `new String.Boolean "true"`, `size Number "12.50"`}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	_, err := f.broker.SendMessages(t.Context(), core.SendInput{Queue: pgtest.Name("orders"), Messages: []core.NewMessage{{
		Body: []byte("hello"),
		Attributes: []core.Attribute{
			{Name: "bell", Type: "String", Value: []byte("\x07")},
			{Name: "bytes", Type: "Binary.gzip", Value: []byte{1}},
			{Name: "maybe", Type: "String.Boolean", Value: []byte("maybe")},
			{Name: "note", Type: "String.note", Value: []byte("x")},
			{Name: "size", Type: "Number.int", Value: []byte("1")},
		},
		System: map[string]string{"AWSTraceHeader": "Root=1", "tracestate": "a=1"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	shown := f.receive(t, "orders")
	user := []property{{"bell", "Bw==", "BINARY"}, {"bytes", "AQ==", "BINARY"}, {"maybe", "maybe", "STRING"}, {"note", "x", "STRING"}, {"size", "1", "NUMBER"}}
	if !slices.Equal(shown.UserProperties, user) {
		t.Errorf("user properties: got %v, want %v", shown.UserProperties, user)
	}
	if system := []property{{"tracestate", "a=1", "STRING"}}; !slices.Equal(shown.SystemProperties, system) {
		t.Errorf("system properties: got %v, want %v", shown.SystemProperties, system)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	sent := f.do(t, http.MethodPost, "/queues/orders/messages", `<Messages xmlns="http://mns.aliyuncs.com/doc/v1/">
	  <Message><MessageBody>hello</MessageBody><Priority>2</Priority></Message>
	  <Message><MessageBody>world</MessageBody><Priority>1</Priority></Message>
	  <Message><MessageBody>later</MessageBody><DelaySeconds>60</DelaySeconds></Message></Messages>`).want(t, 201, "").doc
	if n := len(sent.Messages); sent.XMLName.Local != "Messages" || n != 3 || sent.Messages[0].MessageBodyMD5 != helloMD5 || sent.Messages[1].ReceiptHandle != "" || sent.Messages[2].ReceiptHandle == "" {
		t.Fatalf("sent: got %+v", sent)
	}
	got := f.do(t, http.MethodGet, "/queues/orders/messages?numOfMessages=16", "").want(t, 200, "").doc
	if len(got.Messages) != 2 || got.Messages[0].MessageBody != "world" || got.Messages[1].MessageId != sent.Messages[0].MessageId {
		t.Fatalf("received: got %+v", got)
	}
	handles := func(handles ...string) string {
		return "<ReceiptHandles><ReceiptHandle>" + strings.Join(handles, "</ReceiptHandle><ReceiptHandle>") + "</ReceiptHandle></ReceiptHandles>"
	}
	f.do(t, http.MethodDelete, "/queues/orders/messages", handles(got.Messages[0].ReceiptHandle, sent.Messages[2].ReceiptHandle)).want(t, 204, "")
	failed := f.do(t, http.MethodDelete, "/queues/orders/messages", handles(got.Messages[0].ReceiptHandle, got.Messages[1].ReceiptHandle, "nonsense")).want(t, 404, "")
	if failed.doc.XMLName.Local != "Errors" || len(failed.doc.Errors) != 2 {
		t.Fatalf("deleted: got %s", failed.body)
	}
	for i, want := range []deleteError{{"MessageNotExist", "", got.Messages[0].ReceiptHandle}, {"ReceiptHandleError", "", "nonsense"}} {
		e := failed.doc.Errors[i]
		if e.ErrorCode != want.ErrorCode || e.ErrorMessage == "" || e.ReceiptHandle != want.ReceiptHandle {
			t.Errorf("failure %d: got %+v, want %+v", i, e, want)
		}
	}
	attributes := f.do(t, http.MethodGet, "/queues/orders", "").want(t, 200, "").doc // what could be deleted is
	if attributes.ActiveMessages+attributes.InactiveMessages+attributes.DelayMessages != 0 {
		t.Errorf("messages are left: %+v", attributes.queueDocument)
	}
}

func TestBatchesRefuse(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	messages := func(n int, body string) string {
		return "<Messages>" + strings.Repeat("<Message><MessageBody>"+body+"</MessageBody></Message>", n) + "</Messages>"
	}
	handles := func(n int) string {
		return "<ReceiptHandles>" + strings.Repeat("<ReceiptHandle>1-x</ReceiptHandle>", n) + "</ReceiptHandles>"
	}
	tests := map[string]struct {
		method, query, body string
		status              int
		code                string
	}{
		"16 messages":              {"POST", "", messages(16, "x"), 201, ""},
		"17 messages":              {"POST", "", messages(17, "x"), 400, "InvalidArgument"},
		"no messages":              {"POST", "", messages(0, ""), 400, "InvalidArgument"},
		"64 KiB":                   {"POST", "", messages(16, strings.Repeat("x", 4096)), 201, ""},
		"more than 64 KiB":         {"POST", "", messages(16, strings.Repeat("x", 4097)), 400, "InvalidArgument"},
		"one is empty":             {"POST", "", "<Messages><Message><MessageBody>x</MessageBody></Message><Message/></Messages>", 400, "InvalidArgument"},
		"17 handles":               {"DELETE", "", handles(17), 400, "InvalidArgument"},
		"16 handles":               {"DELETE", "", handles(16), 404, ""},
		"no handles":               {"DELETE", "", handles(0), 400, "MissingReceiptHandle"},
		"an empty handle":          {"DELETE", "", "<ReceiptHandles><ReceiptHandle/></ReceiptHandles>", 400, "MissingReceiptHandle"},
		"neither handle nor body":  {"DELETE", "", "", 400, "MissingReceiptHandle"},
		"receive none":             {"GET", "numOfMessages=0", "", 400, "InvalidArgument"},
		"receive 17":               {"GET", "numOfMessages=17", "", 400, "InvalidArgument"},
		"receive some":             {"GET", "numOfMessages=some", "", 400, "InvalidArgument"},
		"peek 17":                  {"GET", "peekonly=true&numOfMessages=17", "", 400, "InvalidArgument"},
		"wait 31 s":                {"GET", "numOfMessages=1&waitseconds=31", "", 400, "InvalidArgument"},
		"wait -1 s":                {"GET", "waitseconds=-1", "", 400, "InvalidArgument"},
		"unknown parameter":        {"GET", "wait=1", "", 400, "InvalidQueryString"},
		"switch that is not one":   {"GET", "peekonly=perhaps", "", 400, "InvalidQueryString"},
		"escape that is not one":   {"GET", "waitseconds=%zz", "", 400, "InvalidQueryString"},
		"switch that is off":       {"GET", "peekonly=false&", "", 200, ""},
		"a single one as a batch":  {"GET", "numofmessages=1", "", 200, ""},
		"a peek knows no wait":     {"GET", "peekonly=true&waitseconds=99", "", 200, ""},
		"peek, in another order":   {"GET", "numOfMessages=1&PeekOnly=TRUE", "", 200, ""},
		"body with a GET":          {"GET", "", "<Nothing/>", 200, ""},
		"handle wins over handles": {"DELETE", "ReceiptHandle=1-x", handles(1), 400, "ReceiptHandleError"},
	}
	for _, name := range []string{"16 messages", "64 KiB"} { // first, so that there are messages to receive
		tt := tests[name]
		f.do(t, tt.method, "/queues/orders/messages", tt.body).want(t, tt.status, tt.code)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.do(t, tt.method, "/queues/orders/messages?"+tt.query, tt.body).want(t, tt.status, tt.code)
		})
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPost} {
		body := map[string]string{http.MethodGet: "", http.MethodDelete: handles(1), http.MethodPost: messages(1, "x")}[method]
		f.do(t, method, "/queues/other/messages", body).want(t, 404, "QueueNotExist")
	}
}

func TestPeekMessage(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true", "").want(t, 404, "MessageNotExist")
	f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true&numOfMessages=4", "").want(t, 404, "MessageNotExist")
	f.do(t, http.MethodGet, "/queues/other/messages?peekonly=true", "").want(t, 404, "QueueNotExist")
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	f.send(t, "orders", "<MessageBody>world</MessageBody>")
	for range 2 { // nothing changes
		got := f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true", "").want(t, 200, "")
		d := got.doc
		if d.MessageBody != "hello" || d.DequeueCount != 0 || d.FirstDequeueTime != d.EnqueueTime || d.Priority != 8 || d.MessageBodyMD5 != helloMD5 {
			t.Errorf("got %+v", d)
		}
		if strings.Contains(got.body, "ReceiptHandle") || strings.Contains(got.body, "NextVisibleTime") {
			t.Errorf("a peek shows neither handle nor time:\n%s", got.body)
		}
	}
	if got := f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true&numOfMessages=16", "").want(t, 200, "").doc; len(got.Messages) != 2 {
		t.Errorf("got %d messages, want both", len(got.Messages))
	}
	f.receive(t, "orders")
	if got := f.do(t, http.MethodGet, "/queues/orders/messages?peekonly=true&numOfMessages=16", "").want(t, 200, "").doc; len(got.Messages) != 1 {
		t.Errorf("got %d messages, want only the visible one", len(got.Messages))
	}
}

func TestLongPolling(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<PollingWaitSeconds>30</PollingWaitSeconds>")
	for _, query := range []string{"?waitseconds=30", ""} { // the request's own, and the queue's
		got := make(chan reply)
		go func() { got <- f.do(t, http.MethodGet, "/queues/orders/messages"+query, "") }()
		f.send(t, "orders", "<MessageBody>hello</MessageBody>")
		if d := (<-got).want(t, 200, "").doc; d.MessageBody != "hello" {
			t.Errorf("%q: got %+v", query, d)
		}
	}
	start := time.Now()
	f.do(t, http.MethodGet, "/queues/orders/messages?waitseconds=0", "").want(t, 404, "MessageNotExist")
	f.do(t, http.MethodGet, "/queues/orders/messages?waitseconds=1", "").want(t, 404, "MessageNotExist")
	if waited := time.Since(start); waited < time.Second || waited > 15*time.Second {
		t.Errorf("waited %v, want 1 s", waited)
	}
}
