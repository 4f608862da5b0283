package mns

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// fixture is a server on a database of its own.
type fixture struct {
	broker *core.Broker
	url    string
}

func start(t testing.TB) fixture {
	t.Helper()
	broker := pgtest.Broker(t)
	server := httptest.NewServer(New(broker, new(caller.Options), Options{}))
	t.Cleanup(server.Close)
	return fixture{broker, server.URL}
}

// httpClient has connections of its own: servers of httptest close idle ones of the default client as they end, and a request of
// another test's whose answer has no body may fail by that.
var httpClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// reply is what came back, and what of any document in it.
type reply struct {
	status int
	header http.Header
	body   string
	doc    document
}

// document has the elements of all answers.
type document struct {
	XMLName          xml.Name
	Code             string
	RequestId        string
	HostId           string
	MessageId        string
	MessageBody      string
	MessageBodyMD5   string
	ReceiptHandle    string
	EnqueueTime      int64
	NextVisibleTime  int64
	FirstDequeueTime int64
	DequeueCount     int
	Priority         int
	MessageGroupId   string
	UserProperties   []property             `xml:"UserProperties>PropertyValue"`
	SystemProperties []property             `xml:"SystemProperties>SystemPropertyValue"`
	Messages         []document             `xml:"Message"`
	Queues           []queueDocument        `xml:"Queue"`
	Topics           []topicDocument        `xml:"Topic"`
	Subscriptions    []subscriptionDocument `xml:"Subscription"`
	NextMarker       string
	Errors           []deleteError `xml:"Error"`
	AccountId        string
	LoggingBucket    string
	OrderId          string
	queueDocument
}

type queueDocument struct {
	QueueURL, QueueName, LoggingEnabled                                                             string
	DelaySeconds, MaximumMessageSize, MessageRetentionPeriod, VisibilityTimeout                     int
	PollingWaitSeconds, ActiveMessages, InactiveMessages, DelayMessages, CreateTime, LastModifyTime int64
}

type topicDocument struct {
	TopicURL, TopicName, LoggingEnabled                                                  string
	MaximumMessageSize, MessageRetentionPeriod, MessageCount, CreateTime, LastModifyTime int64
}

type subscriptionDocument struct {
	SubscriptionURL, SubscriptionName, Subscriber, TopicOwner, TopicName string
	Endpoint, FilterTag, NotifyStrategy, NotifyContentFormat             string
	CreateTime, LastModifyTime                                           int64
}

type deleteError struct{ ErrorCode, ErrorMessage, ReceiptHandle string }

// do sends a request as a client without a User-Agent would; headers come as "Name: value".
func (f fixture) do(t testing.TB, method, target, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Mns-Version", version)
	req.Header.Set("User-Agent", "")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, text := exchange(t, req)
	r := reply{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if len(text) > 0 {
		if err := xml.Unmarshal(text, &r.doc); err != nil {
			t.Fatalf("%s %s answers %q: %v", method, target, text, err)
		}
	}
	return r
}

// exchange sends a request and reads what comes back.
func exchange(t testing.TB, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, text
}

// want fails the test unless the answer has the status and, if it is an error, the code.
func (r reply) want(t testing.TB, status int, code string) reply {
	t.Helper()
	if r.status != status || r.doc.Code != code {
		t.Fatalf("got %d %q, want %d %q:\n%s", r.status, r.doc.Code, status, code, r.body)
	}
	return r
}

// create makes a queue with the attributes, XML as it goes into the Queue element.
func (f fixture) create(t testing.TB, name, attributes string) {
	t.Helper()
	f.do(t, http.MethodPut, "/queues/"+name, "<Queue>"+attributes+"</Queue>").want(t, http.StatusCreated, "")
}

// send sends a message, XML as it goes into the Message element.
func (f fixture) send(t testing.TB, queue, message string, headers ...string) document {
	t.Helper()
	return f.do(t, http.MethodPost, "/queues/"+queue+"/messages", "<Message>"+message+"</Message>", headers...).want(t, http.StatusCreated, "").doc
}

func (f fixture) receive(t testing.TB, queue string, headers ...string) document {
	t.Helper()
	return f.do(t, http.MethodGet, "/queues/"+queue+"/messages", "", headers...).want(t, http.StatusOK, "").doc
}
