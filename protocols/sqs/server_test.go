package sqs

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
)

// What an SDK sees of the actions that every application uses, byte for byte.
func TestBothWires(t *testing.T) {
	t.Parallel()
	f := start(t)
	const md5OfHello = "5d41402abc4b2a76b9719d911017c592"
	const open, end = ` xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`, `<ResponseMetadata><RequestId>UUID</RequestId></ResponseMetadata>`
	tests := []struct {
		action, json, parameters string // "" where the wire's call was made before
		wantJSON, wantXML        string
	}{
		{"CreateQueue", `{"QueueName":"orders"}`, "QueueName=orders",
			`{"QueueUrl":"http://localhost:4566/000000000000/orders"}`,
			`<CreateQueueResponse` + open + `<CreateQueueResult><QueueUrl>http://localhost:4566/000000000000/orders</QueueUrl></CreateQueueResult>` + end + `</CreateQueueResponse>`},
		{"SendMessage", `{"QueueUrl":"http://localhost:4566/000000000000/orders","MessageBody":"hello"}`, "QueueUrl=" + queueURLOfOrders + "&MessageBody=hello",
			`{"MessageId":"UUID","MD5OfMessageBody":"` + md5OfHello + `"}`,
			`<SendMessageResponse` + open + `<SendMessageResult><MessageId>UUID</MessageId><MD5OfMessageBody>` + md5OfHello + `</MD5OfMessageBody></SendMessageResult>` + end + `</SendMessageResponse>`},
		{"ReceiveMessage", `{"QueueUrl":"http://localhost:4566/000000000000/orders"}`, "QueueUrl=orders",
			`{"Messages":[{"MessageId":"UUID","ReceiptHandle":"HANDLE","MD5OfBody":"` + md5OfHello + `","Body":"hello"}]}`,
			`<ReceiveMessageResponse` + open + `<ReceiveMessageResult><Message><MessageId>UUID</MessageId><ReceiptHandle>HANDLE</ReceiptHandle><MD5OfBody>` +
				md5OfHello + `</MD5OfBody><Body>hello</Body></Message></ReceiveMessageResult>` + end + `</ReceiveMessageResponse>`},
		{"ReceiveMessage", `{"QueueUrl":"orders"}`, "QueueUrl=orders",
			`{}`, `<ReceiveMessageResponse` + open + `<ReceiveMessageResult/>` + end + `</ReceiveMessageResponse>`},
		{"PurgeQueue", `{"QueueUrl":"orders"}`, "QueueUrl=orders",
			`{}`, `<PurgeQueueResponse` + open + end + `</PurgeQueueResponse>`},
		{"GetQueueUrl", `{"QueueName":"orders"}`, "QueueName=orders",
			`{"QueueUrl":"http://localhost:4566/000000000000/orders"}`,
			`<GetQueueUrlResponse` + open + `<GetQueueUrlResult><QueueUrl>http://localhost:4566/000000000000/orders</QueueUrl></GetQueueUrlResult>` + end + `</GetQueueUrlResponse>`},
		{"GetQueueAttributes", `{"QueueUrl":"orders"}`, "QueueUrl=orders",
			`{}`, `<GetQueueAttributesResponse` + open + `<GetQueueAttributesResult/>` + end + `</GetQueueAttributesResponse>`},
		{"GetQueueAttributes", `{"QueueUrl":"orders","AttributeNames":["VisibilityTimeout","DelaySeconds","VisibilityTimeout"]}`,
			"QueueUrl=orders&AttributeName.1=VisibilityTimeout&AttributeName.2=DelaySeconds",
			`{"Attributes":{"DelaySeconds":"0","VisibilityTimeout":"30"}}`,
			`<GetQueueAttributesResponse` + open + `<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>` +
				`<Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute></GetQueueAttributesResult>` + end + `</GetQueueAttributesResponse>`},
		{"ListQueues", `{}`, "",
			`{"QueueUrls":["http://localhost:4566/000000000000/orders"]}`,
			`<ListQueuesResponse` + open + `<ListQueuesResult><QueueUrl>http://localhost:4566/000000000000/orders</QueueUrl></ListQueuesResult>` + end + `</ListQueuesResponse>`},
		{"ListQueues", `{"QueueNamePrefix":"x"}`, "QueueNamePrefix=x",
			`{}`, `<ListQueuesResponse` + open + `<ListQueuesResult/>` + end + `</ListQueuesResponse>`},
	}
	uuid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	handle := regexp.MustCompile(`(ReceiptHandle(">|":"|>))[A-Za-z0-9._-]+`)
	plain := func(s string) string {
		return handle.ReplaceAllString(uuid.ReplaceAllString(s, "UUID"), "${1}HANDLE")
	}
	for _, tt := range tests {
		got := f.json(t, tt.action, tt.json)
		if got.status != http.StatusOK || plain(got.body) != tt.wantJSON || got.header.Get("Content-Type") != "application/x-amz-json-1.0" {
			t.Errorf("%s: got  %d %s\nwant %s", tt.action, got.status, got.body, tt.wantJSON)
		}
		got = f.query(t, tt.action, tt.parameters)
		if got.status != http.StatusOK || plain(got.body) != tt.wantXML || got.header.Get("Content-Type") != "text/xml" {
			t.Errorf("%s: got  %d %s\nwant %s", tt.action, got.status, got.body, tt.wantXML)
		}
		if !strings.Contains(got.body, "<RequestId>"+spelled(got.header, "x-amzn-RequestId")+"<") {
			t.Errorf("%s: the document has another request id than the header", tt.action)
		}
	}
}

// How a request says what it wants (specs/sqs.md 1.1, 1.6).
func TestRecognition(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.ok(t, "CreateQueue", `{"QueueName":"returns"}`)
	const form = "application/x-www-form-urlencoded"
	tests := map[string]struct {
		method, target, body string
		header               []string
		status               int
		want                 string // in the body
	}{
		"JSON at a queue's path":          {"POST", "/000000000000/orders", `{"QueueName":"orders"}`, []string{"X-Amz-Target", "AmazonSQS.GetQueueUrl"}, 200, `{"QueueUrl":`},
		"JSON of an old type":             {"POST", "/", `{"QueueName":"orders"}`, []string{"X-Amz-Target", "AmazonSQS.GetQueueUrl", "Content-Type", "application/json"}, 200, `{"QueueUrl":`},
		"JSON, no queue but the path's":   {"POST", "/000000000000/orders", `{}`, []string{"X-Amz-Target", "AmazonSQS.ReceiveMessage"}, 200, `{}`},
		"JSON, unknown action":            {"POST", "/", `{}`, []string{"X-Amz-Target", "AmazonSQS.Fly"}, 400, `#UnknownOperationException"`},
		"GET with parameters":             {"GET", "/?Action=GetQueueUrl&QueueName=orders", "", nil, 200, "<GetQueueUrlResponse"},
		"POST with parameters in the URL": {"POST", "/?Action=GetQueueUrl&QueueName=orders", "", nil, 200, "<GetQueueUrlResponse"},
		"POST of a form":                  {"POST", "/", "Action=GetQueueUrl&QueueName=orders", []string{"Content-Type", form}, 200, "<GetQueueUrlResponse"},
		"POST of no type":                 {"POST", "/", "Action=GetQueueUrl&QueueName=orders", nil, 200, "<GetQueueUrlResponse"},
		"the URL before the body":         {"POST", "/?Action=GetQueueUrl&QueueName=orders", "Action=ListQueues", []string{"Content-Type", form}, 200, "<GetQueueUrlResponse"},
		"a queue's path":                  {"GET", "/000000000000/orders?Action=ReceiveMessage", "", nil, 200, "<ReceiveMessageResult/>"},
		"a queue's path, other styles":    {"GET", "/queue/us-east-1/000000000000/orders?Action=ReceiveMessage", "", nil, 200, "<ReceiveMessageResult/>"},
		"a queue's path, no such queue":   {"GET", "/000000000000/nothing?Action=ReceiveMessage", "", nil, 400, "NonExistentQueue"},
		"QueueUrl before the path":        {"GET", "/000000000000/nothing?Action=ReceiveMessage&QueueUrl=returns", "", nil, 200, "<ReceiveMessageResult/>"},
		"another queue's URL at a path":   {"GET", "/000000000000/orders?Action=GetQueueUrl&QueueName=returns", "", nil, 200, "/returns<"},
		"CreateQueue at a path":           {"GET", "/000000000000/orders?Action=CreateQueue&QueueName=x", "", nil, 400, "The action CreateQueue is not valid for this endpoint."},
		"ListQueues at a path":            {"GET", "/000000000000/orders?Action=ListQueues", "", nil, 400, "<Code>InvalidAction</Code>"},
		"unknown action":                  {"GET", "/?Action=Fly", "", nil, 400, "The action Fly is not valid for this endpoint."},
		"no action":                       {"GET", "/000000000000/orders", "", []string{"Accept", "application/json"}, 404, "<UnknownOperationException/>"},
		"no action but a JSON body":       {"POST", "/", `{"Action":"100%"}`, []string{"Content-Type", "application/json"}, 404, "<UnknownOperationException/>"},
		"no queue":                        {"GET", "/?Action=ReceiveMessage", "", nil, 400, "The request must contain the parameter QueueUrl."},
		"a broken escape":                 {"GET", "/?Action=GetQueueUrl&QueueName=%zz", "", nil, 400, "<Code>MalformedQueryString</Code>"},
		"answer in JSON":                  {"GET", "/?Action=ListQueues", "", []string{"Accept", "application/json"}, 200, `{"ListQueuesResponse":{"ListQueuesResult":{"queueUrls":["`},
		"answer in JSON, no result":       {"GET", "/000000000000/orders?Action=PurgeQueue", "", []string{"Accept", "application/json"}, 200, `{"PurgeQueueResponse":{"ResponseMetadata":{"RequestId":"`},
		"error in JSON":                   {"GET", "/?Action=Fly", "", []string{"Accept", "application/json"}, 400, `{"Error":{"Type":"Sender","Code":"InvalidAction","Message":"`},
		"CBOR":                            {"POST", "/service/AmazonSQS/operation/SendMessage", "\xa0", []string{"Smithy-Protocol", "rpc-v2-cbor", "Content-Type", "application/cbor"}, 400, "com.amazonaws.sqs#UnsupportedOperation"},
		"gzip that is none":               {"POST", "/", "{}", []string{"X-Amz-Target", "AmazonSQS.ListQueues", "Content-Encoding", "gzip"}, 400, "SerializationException"},
		"too much":                        {"POST", "/", `{"MessageBody":"` + strings.Repeat("x", maxRequest) + `"}`, []string{"X-Amz-Target", "AmazonSQS.SendMessage"}, 400, "InvalidParameterValueException"},
		"too many parameters":             {"POST", "/", "Action=ListQueues" + strings.Repeat("&a", 10_000), []string{"Content-Type", form}, 400, "MalformedQueryString"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, tt.target, strings.NewReader(tt.body))
			for i := 0; i < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			if got := f.do(t, r); got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %.300s, want %d with %s", got.status, got.body, tt.status, tt.want)
			}
		})
	}
}

// The largest message is taken though each of its bytes is escaped.
func TestLargestRequest(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sent := f.ok(t, "SendMessage", `{"QueueUrl":"orders","MessageBody":"`+strings.Repeat(`\u0022`, maxMessageSize)+`"}`)
	if want := md5Of(strings.Repeat(`"`, maxMessageSize)); sent["MD5OfMessageBody"] != want {
		t.Errorf("got %v, want the MD5 %s", sent, want)
	}
}

// Signature 2 has the access key in the form.
func TestAccountOfAnOldSignature(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.query(t, "CreateQueue", "QueueName=orders&AWSAccessKeyId=111122223333&SignatureVersion=2&Signature=x")
	if !strings.Contains(got.body, "/111122223333/orders<") {
		t.Errorf("got %s, want a queue of 111122223333", got.body)
	}
}

func TestEveryCodeHasAName(t *testing.T) {
	t.Parallel()
	for _, code := range core.Codes {
		if e := coreErrors[code]; e.status < 400 || e.code == "" || !strings.Contains(e.name, "#") {
			t.Errorf("%s has no row: %+v", code, e)
		}
	}
	if len(coreErrors) != len(core.Codes) {
		t.Errorf("the table has %d rows for %d codes", len(coreErrors), len(core.Codes))
	}
}

func TestFaultsOfTheServer(t *testing.T) {
	t.Parallel()
	const receive = `{"QueueUrl":"orders"}`
	tests := map[string]struct {
		err     error
		want    wireError
		message string
		logged  bool
	}{
		"a fault":     {errors.New("disk on fire"), internalFailure, "internal error", true},
		"no database": {core.Errorf(core.Unavailable, "the database is away"), serviceUnavailable, "the database is away", false},
		"a bound":     {core.Errorf(core.Throttled, "too much at once"), requestThrottled, "too much at once", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startOn(&stubStore{err: tt.err})
			f.json(t, "ReceiveMessage", receive).wantFault(t, tt.want, tt.message)
			f.query(t, "ReceiveMessage", "QueueUrl=orders").wantQueryFault(t, tt.want, tt.message)

			var log bytes.Buffer
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(receive))
			r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
			f.do(t, r.WithContext(zerolog.New(&log).Level(zerolog.InfoLevel).WithContext(r.Context())))
			if got := strings.Contains(log.String(), "disk on fire"); got != tt.logged {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}

func TestPanicIsAFault(t *testing.T) {
	t.Parallel()
	f := startOn(&stubStore{}) // DescribeQueue is a method of a nil interface
	f.json(t, "GetQueueAttributes", `{"QueueUrl":"orders"}`).wantFault(t, internalFailure, "internal error")
}

// A receiver that has gone gets nothing, and its messages go back.
func TestVanishedReceiver(t *testing.T) {
	t.Parallel()
	request := func(ctx context.Context) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"QueueUrl":"orders","MaxNumberOfMessages":10}`))
		r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
		return r.WithContext(ctx)
	}
	messages := []core.Message{{Handle: "a", Body: []byte("x")}, {Handle: "b", Body: []byte("y")}}

	t.Run("before the answer", func(t *testing.T) {
		t.Parallel()
		store := &stubStore{messages: messages, returned: make(chan []string, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		New(core.NewBroker(&cancelling{store, cancel}), new(caller.Options), Options{}).ServeHTTP(w, request(ctx))
		if got := <-store.returned; !slices.Equal(got, []string{"a", "b"}) || w.Body.Len() > 0 {
			t.Errorf("returned %v and answered %q", got, w.Body)
		}
	})
	t.Run("at the answer", func(t *testing.T) {
		t.Parallel()
		store := &stubStore{messages: messages, returned: make(chan []string, 1)}
		startOn(store).server.ServeHTTP(brokenWriter{httptest.NewRecorder()}, request(t.Context()))
		if got := <-store.returned; !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("returned %v", got)
		}
	})
}

// cancelling lets the client go away while its messages are received.
type cancelling struct {
	*stubStore
	cancel context.CancelFunc
}

func (s *cancelling) Queue(ctx context.Context, name core.QueueName) (*core.Queue, error) {
	defer s.cancel() // before the receive's look; the store of this test gives its messages all the same
	return s.stubStore.Queue(ctx, name)
}

// brokenWriter takes an answer and finds, on sending it, that nobody is there.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) FlushError() error { return errors.New("broken pipe") }

func TestActions(t *testing.T) {
	t.Parallel()
	all := Actions()
	done := slices.DeleteFunc(slices.Clone(all), func(a coverage.Action) bool { return !a.Done })
	if len(all) != 23 || len(done) != 23 || !slices.IsSortedFunc(all, func(a, b coverage.Action) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("got %d actions, %d of them done: %v", len(all), len(done), all)
	}
}

// FuzzServer looks for requests that are the server's fault.
func FuzzServer(f *testing.F) {
	f.Add("SendMessage", `{"QueueUrl":"http://h/000000000000/q","MessageBody":"b","DelaySeconds":1,"MessageAttributes":{"a":{"DataType":"Number.x","StringValue":"1"}}}`)
	f.Add("SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"b"},{"Id":"2","MessageBody":""}]}`)
	f.Add("SendMessage", `{"QueueUrl":"q.fifo","MessageBody":"b","DelaySeconds":0,"MessageGroupId":"g","MessageDeduplicationId":"d"}`)
	f.Add("SendMessageBatch", `{"QueueUrl":"q.fifo","Entries":[{"Id":"1","MessageBody":"b","MessageGroupId":"g"}]}`)
	f.Add("ReceiveMessage", `{"QueueUrl":"q","AttributeNames":["All"],"MessageAttributeNames":[".*"],"WaitTimeSeconds":0}`)
	f.Add("DeleteMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"1","ReceiptHandle":"h"}]}`)
	f.Add("ChangeMessageVisibility", `{"QueueUrl":"q","ReceiptHandle":"h","VisibilityTimeout":0}`)
	f.Add("SendMessage", "QueueUrl=q&MessageBody=b&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=AA%3D%3D")
	f.Add("SendMessageBatch", "QueueUrl=q&SendMessageBatchRequestEntry.1.Id=1&SendMessageBatchRequestEntry.1.MessageBody=b&SendMessageBatchRequestEntry.1.MessageGroupId=g")
	server := startOn(&stubStore{
		messages: []core.Message{{Handle: "h", Body: []byte("b"), Attributes: []core.Attribute{{Name: "n", Type: "String", Value: []byte("v")}}}},
		returned: make(chan []string, 1),
	})
	hot := []string{"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
	f.Fuzz(func(t *testing.T, action, body string) {
		if !slices.Contains(hot, action) || strings.Contains(body, "WaitTimeSeconds") && action == "ReceiveMessage" && !strings.Contains(body, `"WaitTimeSeconds":0`) {
			return // the stub knows no other action
		}
		if got := server.json(t, action, body); got.status >= 500 {
			t.Errorf("JSON: got %d %s", got.status, got.body)
		}
		if got := server.query(t, action, body); got.status >= 500 {
			t.Errorf("query: got %d %s", got.status, got.body)
		}
	})
}

// BenchmarkServer measures what the protocol costs beside the storage.
func BenchmarkServer(b *testing.B) {
	body := strings.Repeat("x", 200)
	f := startOn(&stubStore{messages: []core.Message{{Handle: strings.Repeat("h", 60), Body: []byte(body)}}})
	requests := map[string]string{
		"SendMessage":    `{"QueueUrl":"http://localhost:4566/000000000000/orders","MessageBody":"` + body + `"}`,
		"ReceiveMessage": `{"QueueUrl":"http://localhost:4566/000000000000/orders","MaxNumberOfMessages":1,"WaitTimeSeconds":0}`,
		"DeleteMessage":  `{"QueueUrl":"http://localhost:4566/000000000000/orders","ReceiptHandle":"` + strings.Repeat("h", 60) + `"}`,
	}
	for action, text := range requests {
		b.Run("action="+action, func(b *testing.B) {
			reader := strings.NewReader(text)
			r := httptest.NewRequest(http.MethodPost, "/", reader)
			r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00")
			w := discard{}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(text)
				clear(w)
				f.server.ServeHTTP(w, r)
			}
		})
	}
}

// discard is a writer that keeps nothing but the header.
type discard http.Header

func (d discard) Header() http.Header          { return http.Header(d) }
func (discard) WriteHeader(int)                {}
func (discard) Write(body []byte) (int, error) { return len(body), nil }

// A queue that is missed is not made in an account that is another's.
func TestAutoCreateKeepsToTheAccount(t *testing.T) {
	t.Parallel()
	s := &Server{options: Options{AutoCreateQueues: true}} // making one would need a broker
	c := &call{Caller: caller.Caller{Account: "111122223333", Verified: true}, action: "SendMessage", named: core.QueueName{Account: "444455556666", Region: "us-east-1", Name: "q"}}
	if s.createMissing(t.Context(), c, core.Errorf(core.QueueNotFound, "no queue")) {
		t.Error("it was made")
	}
}
