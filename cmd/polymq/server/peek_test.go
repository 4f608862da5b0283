package server

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// look asks for LocalStack's view of messages.
func look(t *testing.T, srv *Server, method, path, body string, header http.Header) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL()+"/_aws/sqs/messages"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	resp, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestLocalStacksViewOfMessages(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	if status, body, err := post(srv, "/queues/orders/messages", `{"messages": [{"body": "now"}, {"body": "later", "delay_seconds": 600}]}`); err != nil || status != http.StatusCreated {
		t.Fatalf("send: %d %s %v", status, body, err)
	}
	tests := map[string]struct {
		path, accept, want, not string
	}{
		"by URL":            {"?QueueUrl=http://localhost/000000000000/orders", "", "<Body>now</Body>", "later"},
		"by path, hidden":   {"/us-east-1/000000000000/orders?ShowDelayed=true", "", "<Body>later</Body>", "Fault"},
		"in JSON":           {"?QueueUrl=orders", "application/json", `"Body":"now"`, "<"},
		"never received":    {"?QueueUrl=orders", "application/json", `{"Name":"ApproximateReceiveCount","Value":"0"}`, "FirstReceive"},
		"no queue":          {"", "application/json", `{"ErrorResponse":{"Error":{"Type":"Sender","Code":"AWS.SimpleQueueService.NonExistentQueue"`, "now"},
		"in another region": {"/eu-west-1/000000000000/orders", "", "NonExistentQueue", "now"},
	}
	for name, tt := range tests {
		for range 2 { // nothing is received by it
			if _, got := look(t, srv, http.MethodGet, tt.path, "", http.Header{"Accept": {tt.accept}}); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
				t.Errorf("%s: got %s", name, got)
			}
		}
	}
}

// Messages in flight and delayed ones are shown where they are asked for, each by itself, and say then what they are.
func TestLocalStacksViewOfHiddenMessages(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	for _, step := range []struct{ path, body string }{
		{"messages", `{"messages": [{"body": "taken"}]}`},
		{"messages:receive", `{}`},
		{"messages", `{"messages": [{"body": "now"}, {"body": "later", "delay_seconds": 600}]}`},
	} {
		if status, body, err := post(srv, "/queues/orders/"+step.path, step.body); err != nil || status >= http.StatusMultipleChoices {
			t.Fatalf("%s: %d %s %v", step.path, status, body, err)
		}
	}
	type message struct {
		Body, ReceiptHandle string
		Attribute           []struct{ Name, Value string }
	}
	for query, want := range map[string]map[string]string{ // whether they are visible, and delayed
		"&ShowInvisible=1":                     {"now": "true,", "taken": "false,"},
		"&ShowInvisible=True&ShowDelayed=1":    {"now": "true,false", "taken": "false,false", "later": "true,true"},
		"&ShowInvisible=0&ShowDelayed=yes":     {"now": ","},
		"":                                     {"now": ","},
		"&ShowInvisible=true":                  {"now": "true,", "taken": "false,"},
		"&ShowDelayed=true":                    {"now": ",false", "later": ",true"},
		"&ShowInvisible=true&ShowDelayed=true": {"now": "true,false", "taken": "false,false", "later": "true,true"},
		"&ShowInvisible=false":                 {"now": ","},
	} {
		_, text := look(t, srv, http.MethodGet, "?QueueUrl=orders"+query, "", http.Header{"Accept": {"application/json"}})
		var answer struct {
			ReceiveMessageResponse struct {
				ReceiveMessageResult struct{ Message json.RawMessage }
			}
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		list := string(answer.ReceiveMessageResponse.ReceiveMessageResult.Message)
		if len(want) == 1 { // which is no list
			list = "[" + list + "]"
		}
		var messages []message
		if err := json.Unmarshal([]byte(list), &messages); err != nil {
			t.Fatalf("%s: %v in %s", query, err, text)
		}
		got := map[string]string{}
		for _, m := range messages {
			attributes := map[string]string{}
			for _, a := range m.Attribute {
				attributes[a.Name] = a.Value
			}
			got[m.Body] = attributes["IsVisible"] + "," + attributes["IsDelayed"]
			if m.ReceiptHandle != "SQS/BACKDOOR/ACCESS" {
				t.Errorf("%s: the handle is %q", query, m.ReceiptHandle)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
}

// What JSON shows is what LocalStack makes of the XML, member by member.
func TestLocalStacksViewInJSON(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	createQueue(t, srv, "queue")
	want := func(header http.Header, path, body, pattern string) {
		t.Helper()
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		if _, got := look(t, srv, method, path, body, header); !regexp.MustCompile(`^` + pattern + `$`).MatchString(got) {
			t.Errorf("%s %s: got %s, want %s", path, body, got, pattern)
		}
	}
	const id = `"[0-9a-f-]{36}"`
	const metadata = `,"ResponseMetadata":{"RequestId":` + id + `}}}`
	asJSON := http.Header{"Accept": {"application/json"}}
	want(asJSON, "?QueueUrl=queue", "", `{"ReceiveMessageResponse":{"ReceiveMessageResult":null`+metadata)
	want(asJSON, "", "", `{"ErrorResponse":{"Error":{"Type":"Sender","Code":"AWS.SimpleQueueService.NonExistentQueue","Message":"[^"]+"},"RequestId":`+id+`}}`)
	const sent = `{"messages": [{"body": "a \"b\"", "attributes": {"n": {"type": "Number", "value": "1"}, "s": {"type": "String", "value": "x"}}}]}`
	if status, body, err := post(srv, "/queues/queue/messages", sent); err != nil || status != http.StatusCreated {
		t.Fatalf("send: %d %s %v", status, body, err)
	}
	const attribute = `{"Name":"[A-Za-z]+","Value":"[0-9]+"}`
	const message = `{"MessageId":` + id + `,"ReceiptHandle":"SQS/BACKDOOR/ACCESS","MD5OfBody":"[0-9a-f]{32}","Body":"a \\"b\\"",` +
		`"Attribute":\[` + attribute + `,` + attribute + `,` + attribute + `\],"MD5OfMessageAttributes":"[0-9a-f]{32}",` +
		`"MessageAttribute":\[{"Name":"n","Value":{"DataType":"Number","StringValue":"1"}},{"Name":"s","Value":{"DataType":"String","StringValue":"x"}}\]}`
	const one = `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"Message":` + message + `}` + metadata
	want(asJSON, "?QueueUrl=queue", "", one)
	want(http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}, "", "Action=ReceiveMessage&QueueUrl=queue", one)
	if status, body, err := post(srv, "/queues/queue/messages", sent); err != nil || status != http.StatusCreated {
		t.Fatalf("send: %d %s %v", status, body, err)
	}
	want(asJSON, "?QueueUrl=queue", "", `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"Message":\[`+message+`,`+message+`\]}`+metadata)
	if status, body, err := post(srv, "/queues/queue/messages:receive", `{}`); err != nil || status != http.StatusOK {
		t.Fatalf("receive: %d %s %v", status, body, err)
	}
	sdk := http.Header{"X-Amz-Target": {"AmazonSQS.ReceiveMessage"}, "Content-Type": {"application/x-amz-json-1.0"}}
	want(sdk, "?ShowInvisible=1", `{"QueueUrl":"queue"}`, `{"Messages":\[{.*"IsVisible":"(true|false)".*"IsVisible":"(true|false)".*}\]}`)
}

// An SDK whose endpoint it is looks at messages by receiving them, and can do nothing else there.
func TestLocalStacksViewOfMessagesBySDK(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	createQueue(t, srv, "orders")
	if status, body, err := post(srv, "/queues/orders/messages", `{"messages": [{"body": "now"}]}`); err != nil || status != http.StatusCreated {
		t.Fatalf("send: %d %s %v", status, body, err)
	}
	const asJSON, form, only = "application/x-amz-json-1.0", "application/x-www-form-urlencoded", "This endpoint only accepts ReceiveMessage calls"
	for _, tt := range []struct {
		target, contentType, body string
		status                    int
		want                      string
	}{
		{"AmazonSQS.SendMessage", asJSON, `{"QueueUrl":"orders","MessageBody":"more"}`, http.StatusBadRequest, only},
		{"", form, "Action=SendMessage&QueueUrl=orders&MessageBody=more", http.StatusBadRequest, only},
		{"AmazonSQS.ReceiveMessage", asJSON, `{"QueueUrl":"orders","MaxNumberOfMessages":10}`, http.StatusOK, `"ApproximateReceiveCount":"0"`},
		{"AmazonSQS.ReceiveMessage", asJSON, `{"QueueUrl":"none"}`, http.StatusBadRequest, "QueueDoesNotExist"},
		{"", form, "Action=ReceiveMessage&QueueUrl=orders", http.StatusOK, "<Body>now</Body>"},
		{"AmazonSQS.ReceiveMessage", asJSON, `{"QueueUrl":"orders"}`, http.StatusOK, `"Body":"now"`}, // still
	} {
		header := http.Header{"Content-Type": {tt.contentType}}
		if tt.target != "" {
			header.Set("X-Amz-Target", tt.target)
		}
		status, got := look(t, srv, http.MethodPost, "", tt.body, header)
		if status != tt.status || !strings.Contains(got, tt.want) || strings.Contains(got, "more") {
			t.Errorf("%s %s: got %d %s", tt.target, tt.body, status, got)
		}
	}
}
