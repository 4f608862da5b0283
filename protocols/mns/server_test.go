package mns

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ method, target, root, want string }{
		"create":                      {"PUT", "/queues/q", "Queue", "CreateQueue"},
		"set":                         {"PUT", "/queues/q?metaoverride=true", "Queue", "SetQueueAttributes"},
		"set, as signing has it":      {"PUT", "/queues/q?metaOverride=true", "Queue", "SetQueueAttributes"},
		"get":                         {"GET", "/queues/q", "", "GetQueueAttributes"},
		"delete":                      {"DELETE", "/queues/q", "", "DeleteQueue"},
		"list":                        {"GET", "/queues", "", "ListQueue"},
		"send":                        {"POST", "/queues/q/messages", "Message", "SendMessage"},
		"batch send":                  {"POST", "/queues/q/messages", "Messages", "BatchSendMessage"},
		"receive":                     {"GET", "/queues/q/messages?waitseconds=10", "", "ReceiveMessage"},
		"batch receive":               {"GET", "/queues/q/messages?numOfMessages=16&waitseconds=10", "", "BatchReceiveMessage"},
		"peek":                        {"GET", "/queues/q/messages?peekonly=true", "", "PeekMessage"},
		"batch peek":                  {"GET", "/queues/q/messages?numOfMessages=16&peekonly=true", "", "BatchPeekMessage"},
		"delete message":              {"DELETE", "/queues/q/messages?ReceiptHandle=1-x", "", "DeleteMessage"},
		"batch delete":                {"DELETE", "/queues/q/messages", "ReceiptHandles", "BatchDeleteMessage"},
		"change visibility":           {"PUT", "/queues/q/messages?receiptHandle=1-x&visibilityTimeout=1", "", "ChangeMessageVisibility"},
		"topic":                       {"PUT", "/topics/t", "Topic", "CreateTopic"},
		"topic, set":                  {"PUT", "/topics/t?metaoverride=true", "Topic", "SetTopicAttributes"},
		"publish":                     {"POST", "/topics/t/messages", "Message", "PublishMessage"},
		"subscribe":                   {"PUT", "/topics/t/Subscriptions/s", "Subscription", "Subscribe"},
		"subscriptions":               {"GET", "/topics/t/subscriptions/", "", "ListSubscriptionByTopic"},
		"account, set":                {"PUT", "/?accountmeta=true", "Account", "SetAccountAttributes"},
		"account":                     {"GET", "/?accountmeta=true", "", "GetAccountAttributes"},
		"account of Java":             {"GET", "/?account", "", "GetAccount"},
		"open service":                {"POST", "/commonbuy/openservice", "", "OpenService"},
		"words in any case":           {"GET", "/Queues/q/Messages?PEEKONLY=TRUE", "", "PeekMessage"},
		"slashes":                     {"GET", "//queues//q/messages/", "", "ReceiveMessage"},
		"queue of any name":           {"GET", "/queues/messages/messages", "", "ReceiveMessage"},
		"proxy's form":                {"GET", "http://1234.mns.cn-hangzhou.aliyuncs.com/queues/q", "", "GetQueueAttributes"},
		"nothing":                     {"GET", "/", "", "InvalidRequestURL"},
		"unknown path":                {"GET", "/buckets", "", "InvalidRequestURL"},
		"unknown part":                {"GET", "/queues/q/letters", "", "InvalidRequestURL"},
		"path too long":               {"GET", "/queues/q/messages/1/2/3/4", "", "InvalidRequestURL"},
		"unknown method":              {"PATCH", "/queues/q", "", "InvalidRequestURL"},
		"no queue to send to":         {"POST", "/queues", "", "InvalidRequestURL"},
		"root of another action":      {"POST", "/queues/q/messages", "ReceiptHandles", "InvalidArgument"},
		"handle, but the body counts": {"DELETE", "/queues/q/messages?receipthandle", "ReceiptHandles", "DeleteMessage"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, tt.target, nil)
			q, err := parseQuery(r.URL.RawQuery)
			if err != nil {
				t.Fatal(err)
			}
			in := &request{method: r.Method, target: targetOf(r.URL.Path), query: q, root: tt.root}
			var got string
			if found, err := in.route(); err != nil {
				got = wireErrorOf(err).code
			} else {
				got = found.name
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		target, header string
		want           bool
	}{
		"version":              {"/", "x-mns-version: 2015-06-06", true},
		"version 2":            {"/anything", "Authorization: MNS ak:sig", true},
		"version 4":            {"/", "Authorization: MNS4-HMAC-SHA256 Credential=ak/20250603/r/mns/aliyun_v4_request,Signature=0", true},
		"private cloud":        {"/", "Authorization: APSARA-MNS4-HMAC-SHA256 Credential=ak/20250603/r/mns/apsara_v4_request,Signature=0", true},
		"by hand":              {"/queues", "Accept: */*", true},
		"by hand, topic":       {"/topics/t/messages", "Accept: */*", true},
		"AWS":                  {"/queues/q", "Authorization: AWS4-HMAC-SHA256 Credential=ak/20250603/r/sqs/aws4_request", false},
		"AWS, unsigned":        {"/queues/q", "X-Amz-Target: AmazonSQS.SendMessage", false},
		"AWS query":            {"/queues/q?Action=SendMessage", "Accept: */*", false},
		"MQ":                   {"/topics/t/messages", "Authorization: MQ ak:sig", false},
		"MQ, unsigned":         {"/topics/t/messages", "x-mq-version: 2015-06-06", false},
		"Alibaba's management": {"/", "Authorization: ACS3-HMAC-SHA256 Credential=ak", false},
		"a queue of SQS":       {"/000000000000/orders", "Accept: */*", false},
		"the root":             {"/", "Accept: */*", false},
		"the JSON API":         {"/api/v1/queues", "Accept: */*", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, tt.target, nil)
			name, value, _ := strings.Cut(tt.header, ": ")
			r.Header.Set(name, value)
			if got := Matches(r); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestEveryCoreErrorHasItsWords(t *testing.T) {
	t.Parallel()
	for _, code := range core.Codes {
		if e := wireErrorOf(core.Errorf(code, "text")); e.status < 400 || e.code == "" || e.message == "" {
			t.Errorf("%s: got %+v", code, e)
		}
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range Actions() {
		if seen[a.Name] {
			t.Errorf("%s is listed twice", a.Name)
		}
		seen[a.Name] = true
		if !a.Done {
			t.Errorf("%s is said not to be done", a.Name)
		}
	}
	if len(seen) != 29 || !seen["BatchPeekMessage"] {
		t.Errorf("got %d actions, want the manual's 29", len(seen))
	}
}

func TestUnknownVersion(t *testing.T) {
	t.Parallel()
	start(t).do(t, http.MethodGet, "/queues", "", "x-mns-version: 2014-07-08").want(t, 400, "InvalidVersionHeader")
}

// A client that signs names its version; a request by hand need not.
func TestMissingVersion(t *testing.T) {
	t.Parallel()
	keys := oneKey{"GOOD": {ID: "GOOD", Account: "111122223333", Secret: "hunter22"}}
	server := New(core.NewBroker(oneQueueStore{}), &caller.Options{Keys: keys, Verify: true}, Options{})
	for given, want := range map[string]string{"": "<Code>MissingVersionHeader</Code>", version: "<QueueName>q</QueueName>", "2014-07-08": "<Code>InvalidVersionHeader</Code>"} {
		r := vectorRequest("GET", "/queues/q", "X-Mns-Version", given, "Date", time.Now().UTC().Format(http.TimeFormat))
		if given == "" {
			r.Header.Del("X-Mns-Version")
		}
		sign2(r, "GOOD", "hunter22")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("version %q: got %d %s, want %s", given, w.Code, w.Body, want)
		}
	}
}

// raw sends a request byte by byte and gives the answer as it is on the wire.
func (f fixture) raw(t *testing.T, request string) (head, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ = strings.Cut(string(text), "\r\n\r\n")
	return head + "\r\n", body
}

// Some clients look headers up in exactly this spelling.
func TestHeaderSpelling(t *testing.T) {
	t.Parallel()
	f := start(t)
	head, body := f.raw(t, "PUT /queues/orders HTTP/1.1\r\nHost: mq.example.com:9090\r\nConnection: close\r\nContent-Length: 8\r\nx-mns-version: 2015-06-06\r\n\r\n<Queue/>")
	for _, line := range []string{"HTTP/1.1 201 Created", "Location: http://mq.example.com:9090/queues/orders", "x-mns-version: 2015-06-06", "Content-Length: 0", "Server: polymq"} {
		if !strings.Contains(head, line+"\r\n") {
			t.Errorf("the answer has no %q:\n%s", line, head)
		}
	}
	if !regexp.MustCompile(`\r\nx-mns-request-id: [0-9A-F]{24}\r\n`).MatchString(head) || body != "" {
		t.Errorf("got %s%q", head, body)
	}
	head, body = f.raw(t, "GET /queues/orders/messages HTTP/1.1\r\nHost: mq.example.com:9090\r\nConnection: close\r\n\r\n")
	id := regexp.MustCompile(`\r\nx-mns-request-id: ([0-9A-F]{24})\r\n`).FindStringSubmatch(head)
	if id == nil || !strings.HasPrefix(head, "HTTP/1.1 404") || !strings.Contains(head, "\r\nContent-Type: text/xml;charset=utf-8\r\n") || strings.Contains(head, "Transfer-Encoding") {
		t.Fatalf("got %s", head)
	}
	want := `<?xml version="1.0" encoding="utf-8"?>
<Error xmlns="http://mns.aliyuncs.com/doc/v1">
<Code>MessageNotExist</Code>
<Message>there is no message to hand out</Message>
<RequestId>` + id[1] + `</RequestId>
<HostId>http://mq.example.com:9090</HostId>
</Error>
`
	if body != want {
		t.Errorf("got %s, want %s", body, want)
	}
	head, body = f.raw(t, "DELETE /queues/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 204") || strings.Contains(head, "Content-") || body != "" {
		t.Errorf("got %s%q", head, body)
	}
}

// The requests of each client, with what it alone does (specs/mns.md 8).
func TestRequestsOfClients(t *testing.T) {
	t.Parallel()
	const hello = "hello"
	const helloBase64 = "aGVsbG8="
	digest := md5.Sum([]byte("<Message><MessageBody>" + helloBase64 + "</MessageBody></Message>"))
	tests := map[string]struct {
		document string // %s: the body
		headers  []string
		encodes  bool
	}{
		"Go": {"<Message><MessageBody>%s</MessageBody><DelaySeconds>0</DelaySeconds><Priority>0</Priority></Message>", []string{
			"User-Agent: aliyun-sdk-go/2.0.1(linux/-/amd64;1.26)", "Content-Type: application/xml", "Security-Token: t"}, false},
		"Java": {`<?xml version="1.0" encoding="UTF-8" standalone="no"?><Message xmlns="http://mns.aliyuncs.com/doc/v1"><MessageBody>%s</MessageBody></Message>`, []string{
			"User-Agent: aliyun-sdk-java/2.0.0(Linux/5.10/amd64;21)", "Content-Type: text/xml;charset=UTF-8", "Expect: 100-continue",
			"Authorization: MNS4-HMAC-SHA256 Credential=ak/20250603/cn-hangzhou/mns/aliyun_v4_request,Signature=0"}, true},
		"Python": {`<?xml version="1.0" encoding="utf-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>%s</MessageBody><Priority>8</Priority></Message>`, []string{
			"User-Agent: aliyun-sdk-python/1.3.0(Linux/5.10/x86_64;3.11)", "content-type: text/xml;charset=UTF-8"}, true},
		"PHP": {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Message xmlns=\"http://mns.aliyuncs.com/doc/v1/\"><MessageBody>%s</MessageBody></Message>\n", []string{
			"User-Agent: aliyun-sdk-php/1.4.0(guzzle)", "Content-Type: text/xml"}, true},
		"@alicloud/mns": {`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>%s</MessageBody></Message>`, []string{
			"x-mns-date: Tue, 03 Jun 2025 11:23:48 GMT", "Content-Type: text/xml"}, false},
		"ali-mns": {"<Message><MessageBody>%s</MessageBody></Message>", []string{
			"User-Agent: Node/v20.1.0 (linux)", "Content-MD5: " + base64.StdEncoding.EncodeToString(digest[:])}, true},
		"C#": {"\uFEFF<?xml version=\"1.0\" encoding=\"utf-8\"?><Message xmlns=\"http://mns.aliyuncs.com/doc/v1\"><MessageBody>%s</MessageBody></Message>", []string{
			"User-Agent: aliyun-sdk-dotnet/1.0.0.0 .NET"}, true},
	}
	f := start(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queue := "q" + hex.EncodeToString([]byte(name))
			f.create(t, queue, "")
			sentBody := hello
			if tt.encodes {
				sentBody = helloBase64
			}
			target := "/queues/" + queue + "/messages"
			f.do(t, http.MethodPost, target, strings.Replace(tt.document, "%s", sentBody, 1), tt.headers...).want(t, 201, "")

			// To its own kind a body goes as it came, to other protocols as the text that was meant.
			if got := f.do(t, http.MethodGet, target+"?peekonly=true", "", tt.headers[0]).want(t, 200, "").doc.MessageBody; got != sentBody {
				t.Errorf("got %q back, want %q", got, sentBody)
			}
			message := pgtest.Receive(t, f.broker, pgtest.Name(queue), 1)[0]
			if got := core.EncodeBody(message.Body, message.Form, core.BodyAuto, core.ReadsText); string(got) != hello {
				t.Errorf("another protocol got %q, want %q", got, hello)
			}

			// And the text of another protocol as the client's SDK takes it.
			pgtest.Send(t, f.broker, pgtest.Name(queue), hello)
			if got := f.receive(t, queue, tt.headers[0]).MessageBody; got != sentBody {
				t.Errorf("got %q of another protocol, want %q", got, sentBody)
			}
		})
	}
}

// A queue's own rule says how bodies are handed out, whoever reads them.
func TestBodyRules(t *testing.T) {
	t.Parallel()
	f := start(t)
	const python = "User-Agent: aliyun-sdk-python/1.3.0"
	const helloBase64 = "aGVsbG8="
	for rule, want := range map[core.BodyRule][2]string{ // of a marked body; of a text from elsewhere
		core.BodyAuto:   {helloBase64, "hello"},
		core.BodyAsSent: {helloBase64, "hello"},
		core.BodyText:   {"hello", "hello"},
		core.BodyBase64: {helloBase64, helloBase64},
	} {
		queue := "rule-" + string(rule)
		f.create(t, queue, "")
		if _, err := f.broker.AlterQueue(t.Context(), pgtest.Name(queue), core.QueueChange{Bodies: &rule}); err != nil {
			t.Fatal(err)
		}
		f.send(t, queue, "<MessageBody>"+helloBase64+"</MessageBody>", python)
		pgtest.Send(t, f.broker, pgtest.Name(queue), "hello")
		got := f.do(t, http.MethodGet, "/queues/"+queue+"/messages?numOfMessages=2", "").want(t, 200, "").doc.Messages
		if len(got) != 2 || got[0].MessageBody != want[0] || got[1].MessageBody != want[1] {
			t.Errorf("%q: got %+v, want %v", rule, got, want)
		}
	}
}

func TestBodyThatXMLCannotCarry(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	for _, body := range []string{"bell \x07", "\xff\x00", "\ufffe"} {
		pgtest.Send(t, f.broker, pgtest.Name("orders"), body)
		got := f.receive(t, "orders")
		digest := md5.Sum([]byte(got.MessageBody))
		if got.MessageBody != base64.StdEncoding.EncodeToString([]byte(body)) || !strings.EqualFold(got.MessageBodyMD5, hex.EncodeToString(digest[:])) {
			t.Errorf("%q: got %q with MD5 %s", body, got.MessageBody, got.MessageBodyMD5)
		}
	}
}

func TestContentMD5(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	const body = "<Message><MessageBody>hello</MessageBody></Message>"
	digest := md5.Sum([]byte(body))
	digits := hex.EncodeToString(digest[:])
	empty := md5.Sum(nil)
	tests := map[string]struct {
		given string
		code  string
	}{
		"of the digest":         {base64.StdEncoding.EncodeToString(digest[:]), ""},
		"of its digits":         {base64.StdEncoding.EncodeToString([]byte(digits)), ""},
		"of its digits, upper":  {base64.StdEncoding.EncodeToString([]byte(strings.ToUpper(digits))), ""},
		"digits":                {digits, ""},
		"digits, upper":         {strings.ToUpper(digits), ""},
		"of another body":       {base64.StdEncoding.EncodeToString(empty[:]), "InvalidDigest"},
		"digits of another one": {hex.EncodeToString(empty[:]), "InvalidDigest"},
		"no digest":             {"*", "InvalidDigest"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status := 201
			if tt.code != "" {
				status = 400
			}
			f.do(t, http.MethodPost, "/queues/orders/messages", body, "Content-MD5: "+tt.given).want(t, status, tt.code)
		})
	}
	f.do(t, http.MethodGet, "/queues/orders/messages", "", "Content-MD5: "+base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(empty[:])))).want(t, 200, "")
}

func TestLargeRequests(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	large := "<Message><MessageBody>" + strings.Repeat("x", maxBody) + "</MessageBody></Message>"
	f.do(t, http.MethodPost, "/queues/orders/messages", large).want(t, 400, "InvalidArgument")
	f.do(t, http.MethodPost, "/queues/orders/messages", zipped(t, large), "Content-Encoding: gzip").want(t, 400, "InvalidArgument")
	f.do(t, http.MethodPost, "/queues/orders/messages", zipped(t, "<Message><MessageBody>hello</MessageBody></Message>"), "Content-Encoding: gzip").want(t, 201, "")
	f.do(t, http.MethodPost, "/queues/orders/messages", "no gzip", "Content-Encoding: gzip").want(t, 400, "InvalidArgument")
	many := "<Message>" + strings.Repeat("<x/>", 1<<20) + "<MessageBody>hello</MessageBody></Message>"
	f.do(t, http.MethodPost, "/queues/orders/messages", many).want(t, 201, "")
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var buf bytes.Buffer
	writer := gzip.NewWriter(&buf)
	if _, err := io.WriteString(writer, text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// A request that waits when its client goes takes nothing with it.
func TestVanishedWaitingClient(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	handler, ended := New(f.broker, new(caller.Options), Options{}), make(chan struct{}, 5)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		ended <- struct{}{}
	}))
	t.Cleanup(server.Close)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/queues/orders/messages?waitseconds=30", nil)
		if err != nil {
			t.Fatal(err)
		}
		gone := make(chan error)
		go func() {
			resp, err := httpClient.Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			gone <- err
		}()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		select {
		case <-ended: // the server may hear of it later than the client
		case <-time.After(20 * time.Second):
			t.Fatal("the server still waits for a message, whose client is gone")
		}
	}
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	if got := f.do(t, http.MethodGet, "/queues/orders/messages?waitseconds=30", "").want(t, 200, "").doc; got.DequeueCount != 1 {
		t.Errorf("got receive number %d", got.DequeueCount)
	}
}

// vanished is a client that is gone by the time its answer is written.
type vanished struct{ http.ResponseWriter }

func (vanished) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestVanishedReceiver(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(f fixture, r *http.Request){
		"before the answer": func(f fixture, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			server := New(f.broker, new(caller.Options), Options{})
			c := &call{Caller: server.callers.Identify(r)}
			resp, err := server.do(r, c)
			if err != nil {
				panic(err)
			}
			cancel()
			server.reply(httptest.NewRecorder(), r.WithContext(ctx), c, resp, nil)
		},
		"during the answer": func(f fixture, r *http.Request) {
			New(f.broker, new(caller.Options), Options{}).ServeHTTP(vanished{httptest.NewRecorder()}, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.create(t, "orders", "")
			f.send(t, "orders", "<MessageBody>hello</MessageBody>")
			serve(f, httptest.NewRequest(http.MethodGet, "/queues/orders/messages?numOfMessages=16", nil))
			if got := f.receive(t, "orders"); got.MessageBody != "hello" || got.DequeueCount != 1 {
				t.Errorf("got %+v, want the message as if nobody had received it", got)
			}
		})
	}
}

// A client that looks in another region is the usual reason for a missing queue: the log says so.
func TestQueueInAnotherRegion(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	pgtest.Queue(t, broker, "orders")
	var log bytes.Buffer
	r := httptest.NewRequest(http.MethodGet, "/queues/orders", nil)
	r.Host = "1234.mns.cn-hangzhou.aliyuncs.com"
	w := httptest.NewRecorder()
	New(broker, new(caller.Options), Options{}).ServeHTTP(w, r.WithContext(zerolog.New(&log).Level(zerolog.InfoLevel).WithContext(t.Context())))
	if w.Code != 404 || strings.Contains(w.Body.String(), pgtest.Region) || !strings.Contains(log.String(), pgtest.Region) {
		t.Errorf("got %d %s and logged %q", w.Code, w.Body, log.String())
	}
}

// The text of an internal error goes to the log and nowhere else.
func TestInternalError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	ctx := zerolog.New(&log).WithContext(t.Context())
	server := New(core.NewBroker(brokenStore{}), new(caller.Options), Options{})
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/queues/orders", nil).WithContext(ctx))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "<Code>InternalError</Code>") || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret") {
		t.Errorf("logged %q", log.String())
	}
}

// MNS states no limit of messages in flight, so that which SQS has does not end its receives.
func TestReceiveBeyondTheLimitInFlight(t *testing.T) {
	t.Parallel()
	server := New(core.NewBroker(fullStore{}), new(caller.Options), Options{})
	for _, target := range []string{"/queues/q/messages", "/queues/q/messages?numOfMessages=16"} {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != 200 {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
	}
}

// fullStore has as many messages in flight as SQS lets a queue have.
type fullStore struct{ oneQueueStore }

func (s fullStore) ReceiveMessages(ctx context.Context, queue *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	if !in.Unbounded {
		return nil, core.Errorf(core.InFlightLimit, "full")
	}
	return s.oneQueueStore.ReceiveMessages(ctx, queue, in)
}

type brokenStore struct{ core.Store }

func (brokenStore) Notify(func(core.Arrival)) {}

func (brokenStore) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func (brokenStore) AccountAttributes(context.Context, string, string) (map[string]string, error) {
	return nil, nil
}

func (brokenStore) DescribeQueue(context.Context, core.QueueName) (core.Queue, error) {
	return core.Queue{}, errors.New("secret")
}

// FuzzRequest sends anything to a server whose store is never reached with nonsense: whatever comes,
// the answer is one that a client understands.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/queues/q/messages", "<Message><MessageBody>a</MessageBody><DelaySeconds>1</DelaySeconds></Message>")
	f.Add("PUT", "/queues/q?metaoverride=true", "<Queue><LoggingEnabled>True</LoggingEnabled></Queue>")
	f.Add("DELETE", "/queues/q/messages", "<ReceiptHandles><ReceiptHandle>1-x</ReceiptHandle></ReceiptHandles>")
	f.Add("POST", "/queues/q/messages", "<Messages><Message><UserProperties><PropertyValue><Name>n</Name></PropertyValue></UserProperties></Message></Messages>")
	f.Add("GET", "/queues/q/messages?numOfMessages=1&waitseconds=0&peekonly=true", "")
	server := New(core.NewBroker(oneQueueStore{body: []byte("hello")}), new(caller.Options), Options{})
	f.Fuzz(func(t *testing.T, method, target, body string) {
		parsed, err := url.ParseRequestURI(target)
		if err != nil || !slices.Contains([]string{"GET", "PUT", "POST", "DELETE"}, method) {
			return
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL = parsed
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("got %d: %s", w.Code, w.Body)
		}
		if w.Body.Len() == 0 {
			return
		}
		s, err := newScanner(w.Body.Bytes())
		if err != nil {
			t.Fatalf("the answer is no XML: %v: %q", err, w.Body)
		}
		if _, err := s.root(); err != nil {
			t.Fatalf("the answer is no XML: %v: %q", err, w.Body)
		}
		if err := errors.Join(s.skip(), s.end()); err != nil {
			t.Fatalf("the answer is no XML: %v: %q", err, w.Body)
		}
	})
}
