package mns

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
)

// people are access keys by their names, and what each is granted.
type people map[string]*core.Grants

func (p people) Key(_ context.Context, id string) (*core.Key, error) {
	if g := p[id]; g != nil {
		return &core.Key{ID: id, Account: g.Account, User: g.User, Secret: "secret-" + core.Secret(id)}, nil
	}
	return nil, core.Errorf(core.KeyNotFound, "no such key")
}

func (p people) Grants(_ context.Context, key *core.Key) (*core.Grants, error) { return p[key.ID], nil }

// add makes a key: of a user with the statements given or, with "root", of the account itself.
func (p people) add(id, account, statements string) {
	key := &core.Key{Account: account, User: id}
	if statements == "root" {
		key.User = ""
	}
	g := core.GrantsOf(key)
	if key.User != "" && statements != "" {
		g.Identity = []core.GrantedPolicy{{Name: "p", From: "user/" + id, Cloud: core.RAM, Text: `{"Version":"1","Statement":[` + statements + `]}`}}
	}
	p[id] = g
}

// as sends a request that is signed.
func as(t *testing.T, s *Server, id, method, target, body string) (status int, answer string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:4566"
	r.Header.Set("Date", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	r.Header.Set("X-Mns-Version", version)
	sign2(r, id, "secret-"+id)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const helloMessage, empty = `<Message><MessageBody>aGVsbG8=</MessageBody></Message>`, `<Queue/>`

// walk has a request of every action, by its resource in policies.
var walk = []struct{ action, method, target, body, resource string }{
	{"CreateQueue", "PUT", "/queues/orders", empty, "/queues/orders"},
	{"SetQueueAttributes", "PUT", "/queues/orders?metaoverride=true", empty, "/queues/orders"},
	{"GetQueueAttributes", "GET", "/queues/orders", "", "/queues/orders"},
	{"ListQueue", "GET", "/queues", "", "/queues"},
	{"SendMessage", "POST", "/queues/orders/messages", helloMessage, "/queues/orders/messages"},
	{"BatchSendMessage", "POST", "/queues/orders/messages", "<Messages>" + helloMessage + "</Messages>", "/queues/orders/messages"},
	{"PeekMessage", "GET", "/queues/orders/messages?peekonly=true", "", "/queues/orders/messages"},
	{"BatchPeekMessage", "GET", "/queues/orders/messages?peekonly=true&numOfMessages=2", "", "/queues/orders/messages"},
	{"ReceiveMessage", "GET", "/queues/orders/messages", "", "/queues/orders/messages"},
	{"BatchReceiveMessage", "GET", "/queues/orders/messages?numOfMessages=2", "", "/queues/orders/messages"},
	{"DeleteMessage", "DELETE", "/queues/orders/messages?ReceiptHandle=x", "", "/queues/orders/messages"},
	{"BatchDeleteMessage", "DELETE", "/queues/orders/messages", "<ReceiptHandles><ReceiptHandle>x</ReceiptHandle></ReceiptHandles>", "/queues/orders/messages"},
	{"ChangeMessageVisibility", "PUT", "/queues/orders/messages?receiptHandle=x&visibilityTimeout=1", "", "/queues/orders/messages"},
	{"CreateTopic", "PUT", "/topics/news", "<Topic/>", "/topics/news"},
	{"SetTopicAttributes", "PUT", "/topics/news?metaoverride=true", "<Topic/>", "/topics/news"},
	{"GetTopicAttributes", "GET", "/topics/news", "", "/topics/news"},
	{"ListTopic", "GET", "/topics", "", "/topics"},
	{"PublishMessage", "POST", "/topics/news/messages", `<Message><MessageBody>x</MessageBody></Message>`, "/topics/news/messages"},
	{"Subscribe", "PUT", "/topics/news/subscriptions/s", `<Subscription><Endpoint>http://192.0.2.1/</Endpoint></Subscription>`, "/topics/news/subscriptions/s"},
	{"SetSubscriptionAttributes", "PUT", "/topics/news/subscriptions/s?metaoverride=true", `<Subscription><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy></Subscription>`, "/topics/news/subscriptions/s"},
	{"GetSubscriptionAttributes", "GET", "/topics/news/subscriptions/s", "", "/topics/news/subscriptions/s"},
	{"ListSubscriptionByTopic", "GET", "/topics/news/subscriptions", "", "/topics/news/subscriptions"},
	{"Unsubscribe", "DELETE", "/topics/news/subscriptions/s", "", "/topics/news/subscriptions/s"},
	{"DeleteTopic", "DELETE", "/topics/news", "", "/topics/news"},
	{"SetAccountAttributes", "PUT", "/?accountmeta=true", "<Account/>", "*"},
	{"GetAccountAttributes", "GET", "/?accountmeta=true", "", "*"},
	{"GetAccount", "GET", "/?account=111122223333", "", "*"},
	{"OpenService", "POST", "/commonbuy/openservice", "", "/commonbuy/openservice"},
	{"DeleteQueue", "DELETE", "/queues/orders", "", "/queues/orders"},
}

// TestEnforceEveryAction walks every action as a user without policies, as one who may do that alone on that
// resource, and as one who may do all but that; and as another account, for whom nothing is there.
func TestEnforceEveryAction(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("nobody", "111122223333", "")
	p.add("other", "444455556666", "root")
	s := New(pgtest.Broker(t), &caller.Options{Verify: true, Keys: p, Access: caller.NewAccess(p, true), Region: "cn-hangzhou"}, Options{})
	walked := map[string]bool{}
	for _, w := range walk {
		walked[w.action] = true
		const arn = "acs:mns:cn-hangzhou:111122223333:"
		resource := arn + w.resource
		p.add("may", "111122223333", `{"Effect":"Allow","Action":"mns:`+strings.TrimPrefix(w.action, "Batch")+`","Resource":"`+resource+`"}`)
		p.add("not", "111122223333", `{"Effect":"Allow","Action":"mns:*","Resource":"*"},{"Effect":"Deny","Action":"mns:`+w.action+`","Resource":"`+resource+`"}`)
		p.add("elsewhere", "111122223333", `{"Effect":"Allow","Action":"*","Resource":"`+arn+`/queues/x"}`)
		for id, want := range map[string]string{
			"nobody":    "because no identity-based policy allows the mns:" + w.action + " action",
			"not":       "with an explicit deny in an identity-based policy",
			"elsewhere": "because no identity-based policy allows the mns:" + w.action + " action",
		} {
			status, answer := as(t, s, id, w.method, w.target, w.body)
			if text := "acs:ram::111122223333:user/" + id + " is not authorized to perform: mns:" + w.action + " on resource: " + resource; status != 403 ||
				!strings.Contains(answer, "<Code>AccessDenied</Code>") || !strings.Contains(answer, want) || !strings.Contains(answer, text) {
				t.Errorf("%s as %s: got %d %s, want %s", w.action, id, status, answer, want)
			}
		}
		if status, answer := as(t, s, "may", w.method, w.target, w.body); status == 403 {
			t.Errorf("%s: got %d %s", w.action, status, answer)
		}
		status, answer := as(t, s, "other", w.method, w.target, w.body)
		reads := w.method == "GET" && (strings.HasPrefix(w.resource, "/queues/") || strings.HasPrefix(w.resource, "/topics/"))
		if strings.Contains(answer, "111122223333") || reads && status != 404 {
			t.Errorf("%s of another account: got %d %s", w.action, status, answer)
		}
		_, _ = as(t, s, "other", "DELETE", "/queues/orders", "")
		_, _ = as(t, s, "other", "DELETE", "/topics/news", "")
	}
	for _, r := range routes {
		if !walked[r.name] {
			t.Errorf("%s is not walked", r.name)
		}
	}
}

// Policies ask for the tags of queues and topics.
func TestTagsOfResources(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", "111122223333", "root")
	s := New(pgtest.Broker(t), &caller.Options{Verify: true, Keys: p, Access: caller.NewAccess(p, true), Region: "cn-hangzhou"}, Options{})
	prod := "prod"
	for _, made := range []string{"/queues/orders", "/queues/live", "/topics/news"} {
		if status, answer := as(t, s, "owner", "PUT", made, map[bool]string{true: empty, false: "<Topic/>"}[strings.HasPrefix(made, "/queues")]); status != 201 {
			t.Fatal(answer)
		}
	}
	change := map[string]*string{"Env": &prod}
	if _, err := s.broker.AlterQueue(t.Context(), core.QueueName{Account: "111122223333", Region: "cn-hangzhou", Name: "live"}, core.QueueChange{Tags: change}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.broker.AlterTopic(t.Context(), core.TopicName{Account: "111122223333", Region: "cn-hangzhou", Name: "news"}, core.TopicChange{Tags: change}); err != nil {
		t.Fatal(err)
	}
	p.add("user", "111122223333", `{"Effect":"Allow","Action":"mns:*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"acs:ResourceTag/env":"prod"}}}`)
	for target, want := range map[string]int{"/queues/orders": 200, "/queues/live": 403, "/topics/news": 403, "/queues/live/messages": 403, "/queues/orders/messages": 404, "/queues/none": 404} {
		if status, answer := as(t, s, "user", "GET", target, ""); status != want {
			t.Errorf("%s: got %d %s, want %d", target, status, answer, want)
		}
	}
}

// Behind a batch stands its single action: a policy may allow either, and deny either.
func TestBatchesByEitherName(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", "111122223333", "root")
	s := New(pgtest.Broker(t), &caller.Options{Verify: true, Keys: p, Access: caller.NewAccess(p, true), Region: "cn-hangzhou"}, Options{})
	if status, answer := as(t, s, "owner", "PUT", "/queues/orders", empty); status != 201 {
		t.Fatal(answer)
	}
	const on = `","Resource":"acs:mns:*:*:/queues/orders/messages"}`
	for statements, want := range map[string]int{
		`{"Effect":"Allow","Action":"mns:SendMessage` + on:                                                                       201,
		`{"Effect":"Allow","Action":"mns:BatchSendMessage` + on:                                                                  201,
		`{"Effect":"Allow","Action":"mns:BatchSendMessage` + on + `,{"Effect":"Deny","Action":"mns:SendMessage` + on:             403,
		`{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/orders"}`:                                  403, // the messages are another resource
		`{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/orders*"}`:                                 201,
		`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"mns:Batch*` + on:                              403,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":["192.0.2.0/24"]}}}`:             201,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"true"}}}`:                     403,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"acs:CurrentTime":"2020-01-01T00:00:00Z"}}}`: 403,
	} {
		p.add("user", "111122223333", statements)
		if status, answer := as(t, s, "user", "POST", "/queues/orders/messages", "<Messages>"+helloMessage+"</Messages>"); status != want {
			t.Errorf("%s: got %d %s, want %d", statements, status, answer, want)
		}
	}
}
