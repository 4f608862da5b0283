package mns

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// neverSaid are codes of the manual's lists that no request is answered with: what they are about cannot happen
// here, or they are another one's second name, or SDKs make them by themselves.
var neverSaid = []string{
	"InvalidContentType", "QueueDeletedRecently", "TopicDeletedRecently", "SubscriberNotExist", "InternalServerError", "InvalidDegist", "BatchSendFail", "BatchDeleteFail",
}

// faulty is a request, and what is done with it before and after it is signed.
type faulty struct {
	method, target, body string
	before, after        func(*http.Request)
}

func setHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func dropHeader(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }

// faults are requests for each error of the manual's table (specs/mns.md 6.2), to a server that has a queue and
// a topic "orders" and a FIFO queue "fifo", and takes one receive a second from "slow". Receipt handles
// are put in for HANDLE (of a message that is gone).
var faults = map[string]struct {
	status   int
	requests []faulty
}{
	"AccessDenied":               {403, []faulty{{"GET", "/queues/orders", "", func(r *http.Request) { r.Host = "444455556666.mns.us-east-1.localhost" }, nil}}},
	"InvalidAccessKeyId":         {403, []faulty{{"GET", "/queues/orders", "", nil, setHeader("Authorization", "MNS NOBODY:uDJQXbk2xOhH95MDXmgbAGdtyE4=")}}},
	"SignatureDoesNotMatch":      {403, []faulty{{"GET", "/queues/orders", "", nil, setHeader("X-Mns-Marker", "b")}}},
	"InvalidAuthorizationHeader": {400, []faulty{{"GET", "/queues/orders", "", nil, setHeader("Authorization", "MNS GOOD")}, {"GET", "/queues/orders", "", nil, setHeader("Authorization", "MNS4-HMAC-SHA256 GOOD")}}},
	"MissingAuthorizationHeader": {400, []faulty{{"GET", "/queues/orders", "", nil, dropHeader("Authorization")}}},
	"InvalidDateHeader":          {400, []faulty{{"GET", "/queues/orders", "", setHeader("Date", "today"), nil}}},
	"MissingDateHeader":          {400, []faulty{{"GET", "/queues/orders", "", dropHeader("Date"), nil}}},
	"TimeExpired":                {408, []faulty{{"GET", "/queues/orders", "", setHeader("Date", "Tue, 03 Jun 2025 11:23:48 GMT"), nil}}},
	"MissingVersionHeader":       {400, []faulty{{"GET", "/queues/orders", "", dropHeader("X-Mns-Version"), nil}}},
	"InvalidVersionHeader":       {400, []faulty{{"GET", "/queues/orders", "", setHeader("X-Mns-Version", "2014-07-08"), nil}}},
	"InvalidDigest":              {400, []faulty{{"POST", "/queues/orders/messages", "<Message><MessageBody>a</MessageBody></Message>", setHeader("Content-Md5", "AAAA"), nil}}},
	"InvalidRequestURL":          {400, []faulty{{"GET", "/nothing", "", nil, nil}, {"POST", "/queues/orders", "", nil, nil}, {"GET", "/queues/a/b/c/d/e", "", nil, nil}}},
	"InvalidQueryString":         {400, []faulty{{"GET", "/queues/orders/messages?unknown=1", "", nil, nil}, {"GET", "/queues/orders/messages?peekonly=maybe", "", nil, nil}}},
	"MalformedXML": {400, []faulty{
		{"PUT", "/queues/new", "<Queue>", nil, nil}, {"POST", "/queues/orders/messages", "hello", nil, nil}, {"POST", "/topics/orders/messages", "<Message><MessageBody>a&b</MessageBody></Message>", nil, nil},
		{"DELETE", "/queues/orders/messages", "<!DOCTYPE a><ReceiptHandles/>", nil, nil},
	}},
	"InvalidArgument": {400, []faulty{
		{"PUT", "/queues/new", "<Topic/>", nil, nil}, {"PUT", "/queues/new", "<Queue><VisibilityTimeout>0</VisibilityTimeout></Queue>", nil, nil},
		{"PUT", "/queues/new", "<Queue><VisibilityTimeout>43201</VisibilityTimeout></Queue>", nil, nil}, {"PUT", "/queues/new", "<Queue><DelaySeconds>x</DelaySeconds></Queue>", nil, nil},
		{"POST", "/queues/orders/messages", "<Message><MessageBody></MessageBody></Message>", nil, nil}, {"POST", "/queues/orders/messages", "<Message><MessageBody>a</MessageBody><Priority>17</Priority></Message>", nil, nil},
		{"POST", "/queues/orders/messages", "<Message><MessageBody>" + strings.Repeat("a", 65537) + "</MessageBody></Message>", nil, nil},
		{"GET", "/queues/orders/messages?waitseconds=31", "", nil, nil}, {"GET", "/queues/orders/messages?numOfMessages=17", "", nil, nil}, {"GET", "/queues/orders/messages?numOfMessages=0", "", nil, nil},
		{"GET", "/queues", "", setHeader("X-Mns-Ret-Number", "1001"), nil}, {"PUT", "/topics/orders/subscriptions/s", "<Subscription><Endpoint>http://a/</Endpoint><NotifyStrategy>NEVER</NotifyStrategy></Subscription>", nil, nil},
	}},
	"MissingReceiptHandle":     {400, []faulty{{"PUT", "/queues/orders/messages?VisibilityTimeout=1", "", nil, nil}, {"DELETE", "/queues/orders/messages?ReceiptHandle=", "", nil, nil}}},
	"MissingVisibilityTimeout": {400, []faulty{{"PUT", "/queues/orders/messages?ReceiptHandle=HANDLE", "", nil, nil}}},
	"ReceiptHandleError": {400, []faulty{{"DELETE", "/queues/orders/messages?ReceiptHandle=1-nonsense", "", nil, nil}, {"PUT", "/queues/orders/messages?ReceiptHandle=1-nonsense&VisibilityTimeout=1", "", nil, nil},
		{"DELETE", "/queues/fifo/messages?ReceiptHandle=HANDLE", "", nil, nil}}},
	"MessageNotExist": {404, []faulty{
		{"GET", "/queues/orders/messages", "", nil, nil}, {"GET", "/queues/orders/messages?numOfMessages=16", "", nil, nil}, {"GET", "/queues/orders/messages?peekonly=true", "", nil, nil},
		{"GET", "/queues/orders/messages?peekonly=true&numOfMessages=16", "", nil, nil}, {"DELETE", "/queues/orders/messages?ReceiptHandle=HANDLE", "", nil, nil},
		{"PUT", "/queues/orders/messages?ReceiptHandle=HANDLE&VisibilityTimeout=1", "", nil, nil},
	}},
	"QueueNotExist": {404, []faulty{
		{"GET", "/queues/none", "", nil, nil}, {"PUT", "/queues/none?metaoverride=true", "<Queue/>", nil, nil}, {"POST", "/queues/none/messages", "<Message><MessageBody>a</MessageBody></Message>", nil, nil},
		{"POST", "/queues/none/messages", "<Messages><Message><MessageBody>a</MessageBody></Message></Messages>", nil, nil}, {"GET", "/queues/none/messages", "", nil, nil}, {"GET", "/queues/none/messages?peekonly=true", "", nil, nil},
		{"DELETE", "/queues/none/messages?ReceiptHandle=HANDLE", "", nil, nil}, {"DELETE", "/queues/none/messages", "<ReceiptHandles><ReceiptHandle>HANDLE</ReceiptHandle></ReceiptHandles>", nil, nil},
	}},
	"QueueAlreadyExist":           {409, []faulty{{"PUT", "/queues/orders", "<Queue><DelaySeconds>1</DelaySeconds></Queue>", nil, nil}}},
	"InvalidQueueName":            {400, []faulty{{"PUT", "/queues/a_b", "<Queue/>", nil, nil}, {"PUT", "/queues/-a", "<Queue/>", nil, nil}}},
	"QueueNameLengthError":        {400, []faulty{{"PUT", "/queues/" + strings.Repeat("a", 257), "<Queue/>", nil, nil}}},
	"QpsLimitExceeded":            {400, []faulty{{"GET", "/queues/slow/messages", "", nil, nil}}},
	"TopicNotExist":               {404, []faulty{{"GET", "/topics/none", "", nil, nil}, {"PUT", "/topics/none?metaoverride=true", "<Topic/>", nil, nil}, {"POST", "/topics/none/messages", "<Message><MessageBody>a</MessageBody></Message>", nil, nil}, {"PUT", "/topics/none/subscriptions/s", "<Subscription><Endpoint>http://a/</Endpoint></Subscription>", nil, nil}}},
	"TopicAlreadyExist":           {409, []faulty{{"PUT", "/topics/orders", "<Topic><MaximumMessageSize>1024</MaximumMessageSize></Topic>", nil, nil}}},
	"TopicNameInvalid":            {400, []faulty{{"PUT", "/topics/a_b", "<Topic/>", nil, nil}}},
	"TopicNameLengthError":        {400, []faulty{{"PUT", "/topics/" + strings.Repeat("a", 257), "<Topic/>", nil, nil}}},
	"SubscriptionNotExist":        {404, []faulty{{"GET", "/topics/orders/subscriptions/none", "", nil, nil}, {"PUT", "/topics/orders/subscriptions/none?metaoverride=true", "<Subscription><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy></Subscription>", nil, nil}}},
	"SubscriptionAlreadyExist":    {409, []faulty{{"PUT", "/topics/orders/subscriptions/all", "<Subscription><Endpoint>http://b/</Endpoint></Subscription>", nil, nil}}},
	"SubscriptionNameInvalid":     {400, []faulty{{"PUT", "/topics/orders/subscriptions/a_b", "<Subscription><Endpoint>http://a/</Endpoint></Subscription>", nil, nil}}},
	"SubscriptionNameLengthError": {400, []faulty{{"PUT", "/topics/orders/subscriptions/" + strings.Repeat("a", 257), "<Subscription><Endpoint>http://a/</Endpoint></Subscription>", nil, nil}}},
	"EndpointInvalid":             {400, []faulty{{"PUT", "/topics/orders/subscriptions/s", "<Subscription><Endpoint>ftp://a/</Endpoint></Subscription>", nil, nil}, {"PUT", "/topics/orders/subscriptions/s", "<Subscription><Endpoint>acs:mns:r:1:topics/t</Endpoint></Subscription>", nil, nil}}},
	"FifoMissingMessageGroupId":   {400, []faulty{{"POST", "/queues/fifo/messages", "<Message><MessageBody>a</MessageBody></Message>", nil, nil}, {"POST", "/queues/fifo/messages", "<Messages><Message><MessageBody>a</MessageBody></Message></Messages>", nil, nil}}},
	"InternalError":               {500, nil}, // TestInternalError
}

// Each error has its status and its code in the one document that all SDKs read: without a slash at the end of
// the namespace, or Java's find no code in it, and with four elements that are not empty.
func TestErrorTable(t *testing.T) {
	t.Parallel()
	key := core.Key{ID: "GOOD", Account: pgtest.Account, Secret: "hunter22"}
	broker := pgtest.Broker(t)
	handler := New(broker, &caller.Options{Keys: oneKey{"GOOD": &key}, Verify: true, Region: pgtest.Region}, Options{})
	do := func(in faulty) *httptest.ResponseRecorder {
		r := httptest.NewRequest(in.method, in.target, strings.NewReader(in.body))
		r.Header.Set("X-Mns-Version", version)
		r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		if in.before != nil {
			in.before(r)
		}
		sign2(r, key.ID, string(key.Secret))
		if in.after != nil {
			in.after(r)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	gone := prepareErrors(t, handler, do)
	for code, tt := range faults {
		for _, in := range tt.requests {
			in.target, in.body = strings.ReplaceAll(in.target, "HANDLE", gone), strings.ReplaceAll(in.body, "HANDLE", gone)
			w := do(in)
			var doc struct {
				XMLName                          xml.Name
				Code, Message, RequestId, HostId string
			}
			if err := xml.Unmarshal(w.Body.Bytes(), &doc); err != nil {
				t.Errorf("%s: %s %s %.100s answers %d %s", code, in.method, in.target, in.body, w.Code, w.Body)
				continue
			}
			if w.Code != tt.status || doc.Code != code || doc.Message == "" || len(doc.RequestId) != 24 || !strings.HasPrefix(doc.HostId, "http://") ||
				doc.XMLName != (xml.Name{Space: "http://mns.aliyuncs.com/doc/v1", Local: "Error"}) || w.Header().Get("Content-Type") != "text/xml;charset=utf-8" || strings.Join(w.Header()[strings.ToLower("X-Mns-Request-Id")], "") != doc.RequestId {
				t.Errorf("%s: %s %.60s %.100s answers %d %s", code, in.method, in.target, in.body, w.Code, w.Body)
			}
		}
	}
	if queues, err := broker.ListQueues(t.Context(), core.ListQueuesInput{Account: pgtest.Account, Region: pgtest.Region, Limit: 10}); err != nil || len(queues.Queues) != 3 {
		t.Errorf("what was refused has left %+v, %v", queues, err)
	}
}

// prepareErrors makes what the requests for errors meet, and gives the handle of a message that is gone.
func prepareErrors(t *testing.T, handler *Server, do func(faulty) *httptest.ResponseRecorder) (handle string) {
	t.Helper()
	broker := handler.broker
	for _, in := range []faulty{
		{"PUT", "/queues/orders", "<Queue/>", nil, nil}, {"PUT", "/queues/slow", "<Queue/>", nil, nil}, {"PUT", "/topics/orders", "<Topic/>", nil, nil},
		{"PUT", "/topics/orders/subscriptions/all", "<Subscription><Endpoint>http://a/</Endpoint></Subscription>", nil, nil},
		{"POST", "/queues/orders/messages", "<Message><MessageBody>a</MessageBody></Message>", nil, nil},
	} {
		if w := do(in); w.Code != 201 {
			t.Fatalf("%s %s: got %d %s", in.method, in.target, w.Code, w.Body)
		}
	}
	limit := `{"Enabled":true,"MaxReceivesPerSecond":1}`
	slow, err := broker.AlterQueue(t.Context(), pgtest.Name("slow"), core.QueueChange{Attributes: map[string]*string{AttributeRate: &limit}})
	if err != nil {
		t.Fatal(err)
	}
	handler.meters.of(slow.ID).filled = time.Now().Add(time.Hour) // it has none left for as long as the test may take
	if _, _, err := broker.CreateQueue(t.Context(), core.NewQueue{Name: pgtest.Name("fifo"), FIFO: true, Settings: DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := xml.Unmarshal(do(faulty{"GET", "/queues/orders/messages", "", nil, nil}).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if w := do(faulty{"DELETE", "/queues/orders/messages?ReceiptHandle=" + doc.ReceiptHandle, "", nil, nil}); w.Code != 204 {
		t.Fatalf("delete: got %d %s", w.Code, w.Body)
	}
	return doc.ReceiptHandle
}

// The table above has every code that the server knows, and the manual's others are named.
func TestErrorTableIsWhole(t *testing.T) {
	t.Parallel()
	manual := strings.Fields(`AccessDenied InvalidAccessKeyId SignatureDoesNotMatch InvalidAuthorizationHeader MissingAuthorizationHeader InvalidDateHeader MissingDateHeader
		TimeExpired MissingVersionHeader InvalidVersionHeader InvalidContentType InvalidDigest InvalidDegist InvalidRequestURL InvalidQueryString MalformedXML InvalidArgument
		MissingReceiptHandle MissingVisibilityTimeout ReceiptHandleError MessageNotExist QueueNotExist QueueAlreadyExist QueueDeletedRecently InvalidQueueName QueueNameLengthError
		QpsLimitExceeded TopicNotExist TopicAlreadyExist TopicNameInvalid TopicNameLengthError TopicDeletedRecently SubscriptionNotExist SubscriptionAlreadyExist
		SubscriptionNameInvalid SubscriptionNameLengthError EndpointInvalid SubscriberNotExist FifoMissingMessageGroupId InternalError InternalServerError BatchSendFail BatchDeleteFail`)
	never := map[string]bool{}
	for _, code := range neverSaid {
		never[code] = true
	}
	for _, code := range manual {
		if _, said := faults[code]; said == never[code] {
			t.Errorf("%s is in the table: %t, is never said: %t", code, said, never[code])
		}
	}
	for code, e := range coreErrors {
		if _, said := faults[e.code]; !said && code != core.EntityLimit { // MNS makes no users
			t.Errorf("%s is answered with %s, which the manual does not have", code, e.code)
		}
	}
}

// In JSON an error has the same four members.
func TestErrorsInJSON(t *testing.T) {
	t.Parallel()
	f := start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/queues/none/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Mns-Version", jsonVersion)
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var doc map[string]string
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || resp.StatusCode != 404 || doc["Code"] != "QueueNotExist" || doc["Message"] == "" || len(doc["RequestId"]) != 24 || doc["HostId"] != f.url || len(doc) != 4 {
		t.Errorf("got %d %v, %v", resp.StatusCode, doc, err)
	}
}
