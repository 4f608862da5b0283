package mns

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

func TestCreateQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<VisibilityTimeout>60</VisibilityTimeout>")
	tests := map[string]struct {
		name, body string
		status     int
		code       string
	}{
		"new":                           {"new", "<Queue/>", 201, ""},
		"new, no body":                  {"new-too", "", 201, ""},
		"digit first":                   {"1", "<Queue/>", 201, ""},
		"longest name":                  {strings.Repeat("q", 256), "<Queue/>", 201, ""},
		"unknown element":               {"unknown-element", "<Queue><Colour><Hue>red</Hue></Colour></Queue>", 201, ""},
		"again":                         {"orders", "<Queue><VisibilityTimeout>60</VisibilityTimeout></Queue>", 204, ""},
		"again, a default given":        {"orders", "<Queue><DelaySeconds>0</DelaySeconds><VisibilityTimeout>60</VisibilityTimeout></Queue>", 204, ""},
		"again, another value":          {"orders", "<Queue><VisibilityTimeout>61</VisibilityTimeout></Queue>", 409, "QueueAlreadyExist"},
		"again, defaults":               {"orders", "<Queue/>", 409, "QueueAlreadyExist"},
		"again, logging":                {"orders", "<Queue><VisibilityTimeout>60</VisibilityTimeout><LoggingEnabled>true</LoggingEnabled></Queue>", 409, "QueueAlreadyExist"},
		"name too long":                 {strings.Repeat("q", 257), "<Queue/>", 400, "QueueNameLengthError"},
		"too long, of other letters":    {strings.Repeat("%E9%98%9F", 257), "<Queue/>", 400, "QueueNameLengthError"},
		"long enough, of other letters": {strings.Repeat("%E9%98%9F", 256), "<Queue/>", 400, "InvalidQueueName"},
		"underscore":                    {"my_queue", "<Queue/>", 400, "InvalidQueueName"},
		"dot":                           {"orders.fifo", "<Queue/>", 400, "InvalidQueueName"},
		"hyphen first":                  {"-orders", "<Queue/>", 400, "InvalidQueueName"},
		"escaped blank":                 {"my%20queue", "<Queue/>", 400, "InvalidQueueName"},
		"no text":                       {"%00%ff", "<Queue/>", 400, "InvalidQueueName"},
		"other letters":                 {"%E9%98%9F", "<Queue/>", 400, "InvalidQueueName"},
		"wrong root":                    {"new-3", "<Topic/>", 400, "InvalidArgument"},
		"no XML":                        {"new-3", "{}", 400, "MalformedXML"},
		"no number":                     {"new-3", "<Queue><DelaySeconds>soon</DelaySeconds></Queue>", 400, "InvalidArgument"},
		"number empty":                  {"new-3", "<Queue><DelaySeconds></DelaySeconds></Queue>", 400, "InvalidArgument"},
		"number with blanks":            {"blanks", "<Queue><DelaySeconds> 5\n</DelaySeconds></Queue>", 201, ""},
		"number beyond any integer":     {"new-3", "<Queue><DelaySeconds>99999999999999999999</DelaySeconds></Queue>", 400, "InvalidArgument"},
		"elements for a number":         {"new-3", "<Queue><DelaySeconds><Seconds>1</Seconds></DelaySeconds></Queue>", 400, "InvalidArgument"},
		"logging, neither true nor not": {"new-3", "<Queue><LoggingEnabled>1</LoggingEnabled></Queue>", 400, "InvalidArgument"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := f.do(t, http.MethodPut, "/queues/"+tt.name, tt.body).want(t, tt.status, tt.code)
			if location := got.header.Get("Location"); tt.code == "" && location != f.url+"/queues/"+tt.name {
				t.Errorf("got Location %q", location)
			}
		})
	}
}

// Each bound, and the values next to it.
func TestQueueAttributeRanges(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	for element, bounds := range map[string][2]int{
		"DelaySeconds":           {0, 604800},
		"MaximumMessageSize":     {1024, 65536},
		"MessageRetentionPeriod": {60, 1296000},
		"VisibilityTimeout":      {1, 43200},
		"PollingWaitSeconds":     {0, 30},
	} {
		for value, status := range map[int]int{bounds[0] - 1: 400, bounds[0]: 204, bounds[1]: 204, bounds[1] + 1: 400} {
			body := fmt.Sprintf("<Queue><%s>%d</%s></Queue>", element, value, element)
			if got := f.do(t, http.MethodPut, "/queues/orders?metaoverride=true", body).status; got != status {
				t.Errorf("%s %d: got %d, want %d", element, value, got, status)
			}
		}
	}
}

func TestGetQueueAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", `<DelaySeconds>0</DelaySeconds><MaximumMessageSize>2048</MaximumMessageSize>
		<MessageRetentionPeriod>3600</MessageRetentionPeriod><VisibilityTimeout>45</VisibilityTimeout>
		<PollingWaitSeconds>0</PollingWaitSeconds><LoggingEnabled>true</LoggingEnabled>`)
	before := time.Now().Add(-time.Minute).Unix()
	f.send(t, "orders", "<MessageBody>seen</MessageBody>")
	f.send(t, "orders", "<MessageBody>waiting</MessageBody>")
	f.send(t, "orders", "<MessageBody>later</MessageBody><DelaySeconds>60</DelaySeconds>")
	f.receive(t, "orders")
	got := f.do(t, http.MethodGet, "/queues/orders", "").want(t, 200, "").doc
	want := queueDocument{
		QueueName: "orders", LoggingEnabled: "True", MaximumMessageSize: 2048, MessageRetentionPeriod: 3600, VisibilityTimeout: 45,
		ActiveMessages: 1, InactiveMessages: 1, DelayMessages: 1, CreateTime: got.CreateTime, LastModifyTime: got.LastModifyTime,
	}
	if got.queueDocument != want || got.XMLName.Space != namespace {
		t.Errorf("got %+v, want %+v", got.queueDocument, want)
	}
	if got.CreateTime < before || got.LastModifyTime < got.CreateTime || got.LastModifyTime > before+600 {
		t.Errorf("times in seconds: got %d and %d", got.CreateTime, got.LastModifyTime)
	}
	f.do(t, http.MethodGet, "/queues/other", "").want(t, 404, "QueueNotExist")
	f.do(t, http.MethodGet, "/queues/Orders", "").want(t, 404, "QueueNotExist")
}

func TestSetQueueAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<VisibilityTimeout>45</VisibilityTimeout><LoggingEnabled>true</LoggingEnabled>")
	f.do(t, http.MethodPut, "/queues/orders?metaOverride=True", "<Queue><DelaySeconds>7</DelaySeconds><LoggingEnabled>False</LoggingEnabled></Queue>").want(t, 204, "")
	got := f.do(t, http.MethodGet, "/queues/orders", "").want(t, 200, "").doc
	if got.DelaySeconds != 7 || got.LoggingEnabled != "False" || got.VisibilityTimeout != 45 {
		t.Errorf("got delay %d, logging %s, visibility timeout %d, want 7, False and the old 45", got.DelaySeconds, got.LoggingEnabled, got.VisibilityTimeout)
	}
	f.do(t, http.MethodPut, "/queues/other?metaoverride=true", "<Queue/>").want(t, 404, "QueueNotExist")
}

func TestDeleteQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	for range 2 { // the second time it is gone, and that is fine
		f.do(t, http.MethodDelete, "/queues/orders", "").want(t, 204, "")
	}
	f.do(t, http.MethodGet, "/queues/orders", "").want(t, 404, "QueueNotExist")
	f.create(t, "orders", "<VisibilityTimeout>9</VisibilityTimeout>") // at once, with other attributes
}

func TestListQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	if got := f.do(t, http.MethodGet, "/queues", "").want(t, 200, "").doc; got.XMLName.Local != "Queues" || len(got.Queues) != 0 {
		t.Errorf("no queues: got %+v", got)
	}
	for _, name := range []string{"b-3", "b-1", "a", "b-2", "c", "B-9"} {
		f.create(t, name, "")
	}
	var names []string
	marker := ""
	for page := range 4 {
		got := f.do(t, http.MethodGet, "/queues/", "", "x-mns-prefix: b-", "x-mns-ret-number: 1", "x-mns-marker: "+marker).want(t, 200, "").doc
		for _, q := range got.Queues {
			names = append(names, strings.TrimPrefix(q.QueueURL, f.url+"/queues/"))
		}
		if marker = got.NextMarker; marker == "" {
			if page != 2 {
				t.Errorf("page %d was the last", page)
			}
			break
		}
	}
	if want := []string{"b-1", "b-2", "b-3"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	last := f.do(t, http.MethodGet, "/queues", "").want(t, 200, "")
	if len(last.doc.Queues) != 6 || strings.Contains(last.body, "NextMarker") {
		t.Errorf("got %d queues, want all 6 and no marker:\n%s", len(last.doc.Queues), last.body)
	}
}

func TestListQueueWithMeta(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "<VisibilityTimeout>45</VisibilityTimeout>")
	f.send(t, "orders", "<MessageBody>hello</MessageBody>")
	for _, meta := range []string{"true", "True"} {
		got := f.do(t, http.MethodGet, "/queues", "", "x-mns-with-meta: "+meta).want(t, 200, "").doc.Queues
		if len(got) != 1 || got[0].QueueName != "orders" || got[0].VisibilityTimeout != 45 || got[0].ActiveMessages != 1 || got[0].QueueURL != f.url+"/queues/orders" {
			t.Errorf("%s: got %+v", meta, got)
		}
	}
	if got := f.do(t, http.MethodGet, "/queues", "", "x-mns-with-meta: false").want(t, 200, "").doc.Queues; len(got) != 1 || got[0].QueueName != "" {
		t.Errorf("false: got %+v", got)
	}
}

func TestListQueueRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, header := range []string{
		"x-mns-ret-number: 0", "x-mns-ret-number: 1001", "x-mns-ret-number: many", "x-mns-with-meta: maybe",
		"x-mns-marker: *", "x-mns-marker: _w",
	} {
		t.Run(header, func(t *testing.T) {
			f.do(t, http.MethodGet, "/queues", "", header).want(t, 400, "InvalidArgument")
		})
	}
}

// A queue that SQS made, with a name and values that MNS would not allow.
func TestQueueOfAnotherProtocol(t *testing.T) {
	t.Parallel()
	f := start(t)
	settings := core.DefaultSettings() // 1 MiB
	settings.VisibilityTimeout = 0
	if _, _, err := f.broker.CreateQueue(t.Context(), core.NewQueue{Name: pgtest.Name("my_orders.fifo"), Settings: settings}); err != nil {
		t.Fatal(err)
	}
	got := f.do(t, http.MethodGet, "/queues/my_orders.fifo", "").want(t, 200, "").doc
	if got.QueueName != "my_orders.fifo" || got.MaximumMessageSize != 1<<20 || got.VisibilityTimeout != 0 {
		t.Errorf("got %+v", got.queueDocument)
	}
	body := strings.Repeat("x", 1<<20)
	f.send(t, "my_orders.fifo", "<MessageBody>"+body+"</MessageBody>")
	if got := f.receive(t, "my_orders.fifo"); got.MessageBody != body {
		t.Errorf("got a body of %d bytes", len(got.MessageBody))
	}
	f.do(t, http.MethodPost, "/queues/my_orders.fifo/messages", "<Message><MessageBody>x"+body+"</MessageBody></Message>").want(t, 400, "InvalidArgument")
}

// Whoever of an application comes first, the other finds the queue as it would have made it.
func TestCreateQueueThatSQSMade(t *testing.T) {
	t.Parallel()
	f := start(t)
	if _, _, err := f.broker.CreateQueue(t.Context(), core.NewQueue{Name: pgtest.Name("orders"), Settings: core.DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	f.do(t, http.MethodPut, "/queues/orders", "<Queue/>").want(t, 204, "")
	f.do(t, http.MethodPut, "/queues/orders", "<Queue><MaximumMessageSize>2048</MaximumMessageSize></Queue>").want(t, 409, "QueueAlreadyExist")
}

func TestAccount(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, step := range []struct{ set, want string }{
		{"", "<LoggingBucket></LoggingBucket>\n</Account>"},
		{"<LoggingBucket>logs</LoggingBucket>", "<LoggingBucket>logs</LoggingBucket>\n</Account>"},
		{"<TraceEnabled>1</TraceEnabled>", "<LoggingBucket>logs</LoggingBucket>\n<TraceEnabled>1</TraceEnabled>"},
		{"<LoggingBucket/>", "<LoggingBucket></LoggingBucket>\n<TraceEnabled>1</TraceEnabled>"},
	} {
		f.do(t, http.MethodPut, "/?accountmeta=true", "<Account>"+step.set+"</Account>").want(t, 204, "")
		if got := f.do(t, http.MethodGet, "/?AccountMeta=true", "").want(t, 200, ""); !strings.Contains(got.body, step.want) {
			t.Errorf("after %q: got %s, want in it %s", step.set, got.body, step.want)
		}
	}
	f.do(t, http.MethodPut, "/?accountmeta=true", "<Account><LoggingBucket>"+strings.Repeat("b", 257)+"</LoggingBucket></Account>").want(t, 400, "InvalidArgument")
	if got := f.do(t, http.MethodGet, "/?account", "", "Authorization: MNS 111122223333:sig").want(t, 200, "").doc; got.AccountId != "111122223333" {
		t.Errorf("got account %q", got.AccountId)
	}
	if got := f.do(t, http.MethodPost, "/commonbuy/openservice", "").want(t, 200, "").doc; got.XMLName.Local != "OpenService" || got.OrderId == "" {
		t.Errorf("got %+v", got)
	}
}

// Accounts, and regions by host name, have queues of their own.
func TestAccountsAndRegionsAreApart(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.create(t, "orders", "")
	f.do(t, http.MethodGet, "/queues/orders", "", "Authorization: MNS some-key:sig").want(t, 200, "")
	f.do(t, http.MethodGet, "/queues/orders", "", "Authorization: MNS 111122223333:sig").want(t, 404, "QueueNotExist")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, f.url+"/queues/orders", strings.NewReader("<Queue/>"))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "1234.mns.cn-hangzhou-internal.aliyuncs.com"
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got := resp.Header.Get("Location"); resp.StatusCode != 201 || got != "http://1234.mns.cn-hangzhou-internal.aliyuncs.com/queues/orders" {
		t.Errorf("got %d with Location %q", resp.StatusCode, got)
	}
	if _, err := f.broker.Queue(t.Context(), core.QueueName{Account: pgtest.Account, Region: "cn-hangzhou", Name: "orders"}); err != nil {
		t.Error(err)
	}
}

// A host of MNS's form tells account and region, and is what URLs are made of.
func TestVirtualHosts(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	server := New(broker, new(caller.Options), Options{})
	for host, want := range map[string]core.QueueName{
		"111122223333.mns.cn-hangzhou.aliyuncs.com":             {Account: "111122223333", Region: "cn-hangzhou", Name: "orders"},
		"111122223333.mns.cn-beijing-internal-vpc.aliyuncs.com": {Account: "111122223333", Region: "cn-beijing", Name: "orders"},
		"444455556666.mns.eu-west-1.localhost:4566":             {Account: "444455556666", Region: "eu-west-1", Name: "orders"},
		"444455556666.mns.cn-shanghai.queues.example.com":       {Account: "444455556666", Region: "cn-shanghai", Name: "orders"},
		"1234567890123456.mns.cn-hangzhou.aliyuncs.com:80":      {Account: caller.DefaultAccount, Region: "cn-hangzhou", Name: "orders"},
	} {
		r := httptest.NewRequest(http.MethodPut, "/queues/orders", strings.NewReader("<Queue/>"))
		r.Host = host
		r.Header.Set("Authorization", "MNS LTAI5tEXAMPLE:c2ln")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if location := w.Header().Get("Location"); w.Code != 201 || location != "http://"+host+"/queues/orders" {
			t.Errorf("%s: got %d, %s", host, w.Code, location)
		}
		if _, err := broker.Queue(t.Context(), want); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
