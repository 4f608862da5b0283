package sdktests

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A dialect is how an SDK that does not run here writes its requests, byte for byte as specs/mns.md 8 has it. PHP's headers
// are those that Guzzle 7.4 on curl makes of what the SDK sets, C#'s those of .NET's HttpWebRequest. C++'s
// is the manual's own, for its source cannot be read.
type dialect struct {
	name      string
	head      string // behind the request line; {host}, {date}, {authorization}, {length} of a body and {more} of a list are filled in
	prolog    string // of a document
	end       string // behind it
	namespace string
	encodes   bool // bodies are base64
}

var dialects = []dialect{
	{
		name: "csharp",
		head: "{more}User-Agent: aliyun-sdk-dotnet/1.0.0.0(.NET Runtime 4.0/.NET Framework 4.0/Microsoft Windows NT 6.2.9200.0)\r\nDate: {date}\r\nx-mns-version: 2015-06-06\r\n" +
			"Host: {host}\r\nContent-Type: text/xml\r\nAuthorization: {authorization}\r\n{length}Expect: 100-continue\r\nConnection: Keep-Alive\r\n",
		prolog: "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?>", namespace: "http://mns.aliyuncs.com/doc/v1", encodes: true,
	},
	{
		name: "php",
		head: "Host: {host}\r\nuser-agent: aliyun-sdk-php/1.4.0(Linux/6.1.0/x86_64;8.2.36)\r\n{more}Date: {date}\r\nContent-Type: text/xml\r\nx-mns-version: 2015-06-06\r\n" +
			"Authorization: {authorization}\r\n{length}",
		prolog: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", end: "\n", namespace: "http://mns.aliyuncs.com/doc/v1/", encodes: true,
	},
	{
		name: "cpp",
		head: "Host: {host}\r\nAccept: */*\r\nAuthorization: {authorization}\r\n{length}Content-Type: text/xml;charset=utf-8\r\nDate: {date}\r\n" +
			"x-mns-version: 2015-06-06\r\n{more}",
		prolog: "<?xml version=\"1.0\" encoding=\"utf-8\"?>", namespace: "http://mns.aliyuncs.com/doc/v1/",
	},
}

// body gives a text as the SDK writes it into a message.
func (d dialect) body(text string) string {
	if d.encodes {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// A replay is one connection that speaks a dialect.
type replay struct {
	dialect
	host string
	conn net.Conn
	from *bufio.Reader
}

func (d dialect) dial(t *testing.T, v *verifying) *replay {
	t.Helper()
	host := strings.TrimPrefix(v.url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &replay{d, host, conn, bufio.NewReader(conn)}
}

// do sends a request with the document, a root element without its namespace ("" for none), and gives the
// answer's header and body. Lists are asked for with more headers.
func (r *replay) do(t *testing.T, method, target, document string, status int, more ...string) (http.Header, string) {
	t.Helper()
	if document != "" {
		name := regexp.MustCompile(`^<\w+`).FindString(document)
		document = r.prolog + name + ` xmlns="` + r.namespace + `"` + document[len(name):] + r.end
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	contentType := regexp.MustCompile(`Content-Type: (.*)\r`).FindStringSubmatch(r.head)[1]
	signed := slices.Sorted(slices.Values(append([]string{"x-mns-version: 2015-06-06"}, more...)))
	mac := hmac.New(sha1.New, []byte(rootSecret))
	fmt.Fprintf(mac, "%s\n\n%s\n%s\n%s\n%s", method, contentType, date, strings.ReplaceAll(strings.Join(signed, "\n"), ": ", ":"), target)
	length, headers := "Content-Length: "+strconv.Itoa(len(document))+"\r\n", ""
	for _, header := range more {
		headers += header + "\r\n"
	}
	head := r.head
	if document == "" {
		length, head = "", strings.Replace(head, "Expect: 100-continue\r\n", "", 1)
	}
	head = strings.NewReplacer("{host}", r.host, "{date}", date, "{length}", length, "{more}", headers,
		"{authorization}", "MNS "+rootKey+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil))).Replace(head)
	if _, err := io.WriteString(r.conn, method+" "+target+" HTTP/1.1\r\n"+head+"\r\n"+document); err != nil {
		t.Fatal(err)
	}
	for {
		resp, err := http.ReadResponse(r.from, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s %s: %v", method, target, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s %s: %v", method, target, err)
		}
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		if resp.StatusCode != status {
			t.Fatalf("%s %s: got %d %s, want %d", method, target, resp.StatusCode, body, status)
		}
		if strings.Contains(string(body), "/>") || regexp.MustCompile(`<(\w+)></(\w+)>`).Match(body) {
			t.Errorf("%s %s: C# reads the node behind an empty element as its value: %s", method, target, body)
		}
		return resp.Header, string(body)
	}
}

// elements gives the texts of all elements of that name.
func elements(document, name string) []string {
	var texts []string
	for _, found := range regexp.MustCompile(`<`+name+`>([^<]*)</`+name+`>`).FindAllStringSubmatch(document, -1) {
		texts = append(texts, found[1])
	}
	return texts
}

func wantElements(t *testing.T, document, name string, want ...string) {
	t.Helper()
	if got := elements(document, name); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q in %s", name, got, want, document)
	}
}

// What SDKs that cannot run here send is answered as they need it: the statuses that PHP compares, the URLs that it
// splits, values where C# looks for them.
func TestMNSReplays(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			t.Run("queue", func(t *testing.T) { d.dial(t, v).queue(t) })
			t.Run("messages", func(t *testing.T) { d.dial(t, v).messages(t) })
			t.Run("batches", func(t *testing.T) { d.dial(t, v).batches(t) })
			t.Run("topic", func(t *testing.T) { d.dial(t, v).topic(t) })
			t.Run("errors", func(t *testing.T) { d.dial(t, v).errors(t) })
		})
	}
}

func (r *replay) queue(t *testing.T) {
	name := r.name + "-queue"
	at := "/queues/" + name
	for _, status := range []int{201, 204} {
		header, _ := r.do(t, "PUT", at, "<Queue><VisibilityTimeout>45</VisibilityTimeout><MessageRetentionPeriod>3600</MessageRetentionPeriod></Queue>", status)
		if got, want := header.Get("Location"), "http://"+r.host+at; got != want || len(strings.Split(got, "/")) != 5 {
			t.Errorf("Location: got %s, want %s", got, want)
		}
	}
	r.do(t, "PUT", at+"?metaoverride=true", "<Queue><VisibilityTimeout>50</VisibilityTimeout><LoggingEnabled>True</LoggingEnabled></Queue>", 204)
	_, document := r.do(t, "GET", at, "", 200)
	wantElements(t, document, "VisibilityTimeout", "50")
	wantElements(t, document, "MessageRetentionPeriod", "3600")
	wantElements(t, document, "LoggingEnabled", "True")
	_, document = r.do(t, "GET", "/queues", "", 200, "x-mns-prefix: "+name, "x-mns-ret-number: 10")
	wantElements(t, document, "QueueURL", "http://"+r.host+at)
	r.do(t, "DELETE", at, "", 204)
}

func (r *replay) messages(t *testing.T) {
	at := "/queues/" + r.name + "-messages"
	r.do(t, "PUT", at, "<Queue></Queue>", 201)
	const text = "naïve <&> 日本語"
	_, document := r.do(t, "POST", at+"/messages", "<Message><MessageBody>"+r.body(text)+"</MessageBody><Priority>3</Priority><UserProperties><PropertyValue><Name>colour</Name><Value>red</Value><Type>STRING</Type></PropertyValue></UserProperties>"+
		"<SystemProperties><SystemPropertyValue><Name>baggage</Name><Value>a=b</Value><Type>STRING</Type></SystemPropertyValue></SystemProperties></Message>", 201)
	id := elements(document, "MessageId")
	_, document = r.do(t, "GET", at+"/messages?peekonly=true", "", 200)
	wantElements(t, document, "MessageBody", r.body(text))
	_, document = r.do(t, "GET", at+"/messages?waitseconds=10", "", 200)
	wantElements(t, document, "MessageBody", r.body(text))
	wantElements(t, document, "MessageId", id...)
	wantElements(t, document, "Priority", "3")
	wantElements(t, document, "DequeueCount", "1")
	wantElements(t, document, "Value", "a=b", "red") // system properties first: PHP's loop over the others runs to the end
	if !regexp.MustCompile(`<Name>baggage</Name>\s+<Value>a=b</Value>\s+<Type>STRING</Type>`).MatchString(document) {
		t.Errorf("PHP steps over what has no blanks between: %s", document)
	}
	first := elements(document, "ReceiptHandle")[0]
	_, document = r.do(t, "PUT", at+"/messages?ReceiptHandle="+first+"&VisibilityTimeout=60", "", 200)
	second := elements(document, "ReceiptHandle")[0]
	r.do(t, "DELETE", at+"/messages?ReceiptHandle="+first, "", 404)
	r.do(t, "DELETE", at+"/messages?ReceiptHandle="+second, "", 204)
}

func (r *replay) batches(t *testing.T) {
	at := "/queues/" + r.name + "-batches"
	r.do(t, "PUT", at, "<Queue></Queue>", 201)
	var messages, handles strings.Builder
	for range 16 {
		messages.WriteString("<Message><MessageBody>" + r.body("hello") + "</MessageBody><DelaySeconds>0</DelaySeconds></Message>")
	}
	_, document := r.do(t, "POST", at+"/messages", "<Messages>"+messages.String()+"</Messages>", 201)
	if ids := elements(document, "MessageId"); len(ids) != 16 {
		t.Errorf("got %d ids", len(ids))
	}
	_, document = r.do(t, "GET", at+"/messages?numOfMessages=16&peekonly=true", "", 200)
	if bodies := elements(document, "MessageBody"); len(bodies) != 16 {
		t.Errorf("peeked %d", len(bodies))
	}
	_, document = r.do(t, "GET", at+"/messages?numOfMessages=16&waitseconds=10", "", 200)
	received := elements(document, "ReceiptHandle")
	for _, handle := range received {
		handles.WriteString("<ReceiptHandle>" + handle + "</ReceiptHandle>")
	}
	r.do(t, "DELETE", at+"/messages", "<ReceiptHandles>"+handles.String()+"</ReceiptHandles>", 204)
	_, document = r.do(t, "DELETE", at+"/messages", "<ReceiptHandles>"+handles.String()+"</ReceiptHandles>", 404)
	wantElements(t, document, "ReceiptHandle", received...)
	wantElements(t, document, "ErrorCode", slices.Repeat([]string{"MessageNotExist"}, 16)...)
}

func (r *replay) topic(t *testing.T) {
	queue, name := r.name+"-subscribed", r.name+"-topic"
	at, sub := "/topics/"+name, "/topics/"+name+"/subscriptions/all"
	r.do(t, "PUT", "/queues/"+queue, "<Queue></Queue>", 201)
	header, _ := r.do(t, "PUT", at, "<Topic><MaximumMessageSize>2048</MaximumMessageSize></Topic>", 201)
	if got := header.Get("Location"); got != "http://"+r.host+at {
		t.Errorf("Location: got %s", got)
	}
	r.do(t, "PUT", at+"?metaoverride=true", "<Topic><MaximumMessageSize>4096</MaximumMessageSize></Topic>", 204)
	_, document := r.do(t, "GET", at, "", 200)
	wantElements(t, document, "MaximumMessageSize", "4096")
	_, document = r.do(t, "GET", "/topics", "", 200, "x-mns-prefix: "+name)
	wantElements(t, document, "TopicURL", "http://"+r.host+at)
	header, _ = r.do(t, "PUT", sub, "<Subscription><Endpoint>acs:mns:0:127:queues/"+queue+"</Endpoint><FilterTag>red</FilterTag><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy>"+
		"<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat></Subscription>", 201)
	if got := header.Get("Location"); got != "http://"+r.host+sub {
		t.Errorf("Location: got %s", got)
	}
	r.do(t, "PUT", sub+"?metaoverride=true", "<Subscription><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy></Subscription>", 204)
	_, document = r.do(t, "GET", sub, "", 200)
	wantElements(t, document, "NotifyStrategy", "BACKOFF_RETRY")
	wantElements(t, document, "FilterTag", "red")
	_, document = r.do(t, "GET", at+"/subscriptions", "", 200, "x-mns-ret-number: 5")
	wantElements(t, document, "SubscriptionURL", "http://"+r.host+sub)
	r.do(t, "POST", at+"/messages", "<Message><MessageBody>unwanted</MessageBody><MessageTag>blue</MessageTag></Message>", 201)
	_, document = r.do(t, "POST", at+"/messages", "<Message><MessageBody>"+r.body("hello")+"</MessageBody><MessageTag>red</MessageTag><MessageAttributes>"+
		`<DirectMail>{"AccountName":"a@example.com","Subject":"s","AddressType":0,"IsHtml":0,"ReplyToAddress":0}</DirectMail></MessageAttributes></Message>`, 201)
	if len(elements(document, "MessageId")) != 1 || len(elements(document, "MessageBodyMD5")) != 1 {
		t.Errorf("published: %s", document)
	}
	_, document = r.do(t, "GET", "/queues/"+queue+"/messages?numOfMessages=16", "", 200)
	wantElements(t, document, "MessageBody", r.body("hello"))
	r.do(t, "DELETE", sub, "", 204)
	r.do(t, "DELETE", at, "", 204)
	r.do(t, "DELETE", "/queues/"+queue, "", 204)
}

func (r *replay) errors(t *testing.T) {
	for _, tt := range []struct {
		method, target, document string
		status                   int
		code                     string
	}{
		{"GET", "/queues/none", "", 404, "QueueNotExist"},
		{"GET", "/topics/none", "", 404, "TopicNotExist"},
		{"GET", "/topics/none/subscriptions/none", "", 404, "SubscriptionNotExist"},
		{"POST", "/queues/none/messages", "<Message><MessageBody>a</MessageBody></Message>", 404, "QueueNotExist"},
		{"PUT", "/queues/" + r.name + "-bad", "<Queue><DelaySeconds>-1</DelaySeconds></Queue>", 400, "InvalidArgument"},
		{"PUT", "/queues/" + r.name + "-bad", "<Queue><DelaySeconds>1", 400, "MalformedXML"},
		{"PUT", "/queues/" + r.name + "_bad", "<Queue></Queue>", 400, "InvalidQueueName"},
	} {
		_, document := r.do(t, tt.method, tt.target, tt.document, tt.status)
		wantElements(t, document, "Code", tt.code)
		wantElements(t, document, "HostId", "http://"+r.host)
		if !strings.Contains(document, `<Error xmlns="http://mns.aliyuncs.com/doc/v1">`) {
			t.Errorf("got %s", document)
		}
	}
}
