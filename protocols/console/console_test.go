package console_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"golang.org/x/net/html"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/sns"
)

// base is where the pages of pgtest's account and region lie.
const base = "/console/" + pgtest.Account + "/" + pgtest.Region

// site is a console on a database of its own, with a visitor.
type site struct {
	*testing.T
	broker *core.Broker
	url    string
	client *http.Client
	token  string
}

// newBroker gives a broker on the database, with a master key, so that there can be access keys.
func newBroker(t *testing.T, database string) *core.Broker {
	t.Helper()
	store, err := pg.Open(t.Context(), pg.Options{URL: database, PoolSize: pgtest.PoolSize, MasterKey: pg.NewMasterKey(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	return broker
}

// newPlainSite starts a console that is not in test mode.
func newPlainSite(t *testing.T) *site {
	t.Helper()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	srv := httptest.NewServer(console.New(broker, &caller.Options{Keys: broker}, console.Options{}))
	t.Cleanup(srv.Close)
	return (&site{T: t, broker: broker, url: srv.URL}).visitor()
}

// newSite starts a console. As the rest of the server would, it speaks the formats of SNS and MNS.
func newSite(t *testing.T, broker *core.Broker, callers *caller.Options) *site {
	t.Helper()
	callers.Keys = broker
	sns.New(broker, callers, sns.Options{})
	mns.New(broker, callers, mns.Options{})
	at := time.Now()
	handler := console.New(broker, callers, console.Options{
		Version: "test", TestMode: true,
		Samples: func() []console.Sample {
			return []console.Sample{{At: at}, {At: at.Add(2 * time.Second), Traffic: core.Traffic{Sent: 20, EmptyReceives: 3, Received: 1}, Messages: 7}}
		},
		Depths: func() []console.Depth {
			return []console.Depth{{Queue: pgtest.Name("orders"), Messages: 7, Oldest: time.Minute}}
		},
	})
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return (&site{T: t, broker: broker, url: srv.URL}).visitor()
}

// visitor gives the site to another browser.
func (s *site) visitor() *site {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &site{T: s.T, broker: s.broker, url: s.url, client: client}
}

// answer is a response that was read.
type answer struct {
	*http.Response
	text string
}

func (s *site) do(r *http.Request) answer {
	s.Helper()
	response, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer{response, string(text)}
}

func (s *site) request(method, path string, body string, header ...string) *http.Request {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// get gets a page, which must be there.
func (s *site) get(path string, header ...string) string {
	s.Helper()
	got := s.do(s.request(http.MethodGet, path, "", header...))
	if got.StatusCode != http.StatusOK {
		s.Fatalf("GET %s: got %s\n%s", path, got.Status, got.text)
	}
	return got.text
}

var tokenInPage = regexp.MustCompile(`name="token" value="([^"]+)"`)

// post sends a form as a page of the console does.
func (s *site) post(path string, fields ...string) answer {
	s.Helper()
	if s.token == "" {
		found := tokenInPage.FindStringSubmatch(s.get(base + "/queues"))
		if found == nil {
			s.Fatal("the page has no token")
		}
		s.token = found[1]
	}
	form := url.Values{"token": {s.token}}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return s.do(s.request(http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"))
}

// done posts what must lead to another page.
func (s *site) done(path string, fields ...string) {
	s.Helper()
	if got := s.post(path, fields...); got.StatusCode != http.StatusSeeOther {
		s.Fatalf("POST %s: got %s\n%s", path, got.Status, got.text)
	}
}

// wants fails unless the text has all the parts.
func (s *site) wants(text string, parts ...string) {
	s.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.Errorf("%q is not in\n%s", part, text)
		}
	}
}

// populate gives the site something for every page to show.
func (s *site) populate() (pages []string) {
	s.Helper()
	ctx := context.Background()
	orders := pgtest.Queue(s.T, s.broker, "orders")
	pgtest.Queue(s.T, s.broker, "dead")
	on := true
	policy := core.DeadLetterPolicy{Target: "dead", MaxReceives: 3}
	if _, err := s.broker.AlterQueue(ctx, orders, core.QueueChange{Logging: &on, DeadLetter: &policy, Tags: map[string]*string{"team": new("a&b")}}); err != nil {
		s.Fatal(err)
	}
	sent := pgtest.Send(s.T, s.broker, orders, `{"order": 1}`, "<script>alert(1)</script>", "needle")
	if _, err := s.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: orders, Limit: 1}); err != nil {
		s.Fatal(err)
	}
	topic := core.TopicName(pgtest.Name("alerts"))
	if _, _, err := s.broker.CreateTopic(ctx, core.NewTopic{Name: topic, Settings: core.DefaultTopicSettings()}); err != nil {
		s.Fatal(err)
	}
	sub, _, err := s.broker.Subscribe(ctx, core.NewSubscription{
		Name: core.SubscriptionName{Topic: topic}, Format: "sns", Protocol: "http", Endpoint: "http://127.0.0.1:1/<b>", DeadLetter: pgtest.Name("dead"),
		Filter: core.Filter{Text: `{"kind": ["order"]}`, Scope: "MessageAttributes"},
	})
	if err != nil {
		s.Fatal(err)
	}
	order := core.NewPublication{Body: []byte("an order"), Attributes: []core.Attribute{{Name: "kind", Type: "String", Value: []byte("order")}}}
	if _, err := s.broker.Publish(ctx, core.PublishInput{Topic: topic, Messages: []core.NewPublication{order}}); err != nil {
		s.Fatal(err)
	}
	if _, err := s.broker.Keep(ctx, core.KeptMessage{Account: pgtest.Account, Region: pgtest.Region, Protocol: "sms", To: "+15550100", Subject: "s", Body: []byte("code <1>")}); err != nil {
		s.Fatal(err)
	}
	if _, err := s.broker.CreateKey(ctx, core.NewKey{Account: pgtest.Account, User: "ada"}); err != nil {
		s.Fatal(err)
	}
	s.manage(ctx)
	if err := s.broker.AddUsage(ctx, []core.Usage{{Account: pgtest.Account, Service: "sqs", Requests: 3, Units: 2_000_000, Receives: 2, EmptyReceives: 1}}); err != nil {
		s.Fatal(err)
	}
	robot := core.Destination{Type: core.ToDingTalk, Target: "http://127.0.0.1:1/<b>", Secret: "SEC<1>"}
	if _, err := s.broker.CreateAlert(ctx, core.Alert{Name: core.AlertName{Account: pgtest.Account, Region: pgtest.Region, Name: "deep"}, Metric: "depth", Comparison: ">", To: []core.Destination{robot}}); err != nil {
		s.Fatal(err)
	}
	if err := s.broker.EvaluateAlerts(ctx); err != nil {
		s.Fatal(err)
	}
	return []string{
		"/alerts", "/alerts/deep", "/", "/busiest", "/queues", "/queues?q=ORD", "/queues?q=nothing", "/queues/orders", "/queues/orders/counts", "/queues/orders/messages", "/queues/orders/messages?visible=1",
		"/queues/orders/search?text=needle", "/queues/orders/search?text=", "/queues/orders/settings", "/queues/dead/moves", "/queues/dead/moves/tasks", "/queues/orders/moves",
		"/trace", "/trace?id=" + sent[0].ID.UUID(), "/trace?queue=orders&from=2026-01-01T00:00", "/trace?queue=dead", "/trace?id=nonsense",
		"/topics", "/topics?q=al", "/topics/alerts", "/topics/alerts/settings", "/topics/alerts/tester", "/topics/alerts/tester?subscription=" + sub.Name.Name,
		"/topics/alerts/subscriptions/" + sub.Name.Name, "/topics/alerts/subscriptions/" + sub.Name.Name + "/deliveries",
		"/users", "/users/ada", "/groups", "/groups/crew", "/roles", "/roles/courier?cloud=ram", "/policies", "/policies?built_in=1", "/policies/senders", "/policies/AmazonSQSFullAccess?cloud=aws&built_in=1",
		"/explain", "/explain?principal=*&action=sqs:SendMessage&resource=arn:aws:sqs:us-east-1:000000000000:orders", "/explain?principal=nobody&action=a&resource=b", "/faults",
		"/outbox", "/keys", "/audit", "/audit?failed=1", "/clock", "/servers", "/costs", "/costs?days=7",
	}
}

// allowSend lets whoever has it send to queues.
const allowSend = `{"Version": "2012-10-17", "Statement": [{"Sid": "Send", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}`

// manage makes users, groups, roles, a policy and a fault rule to show.
func (s *site) manage(ctx context.Context) {
	s.Helper()
	const trust = `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": ["acs:ram::` + pgtest.Account + `:root"]}}]}`
	group := core.IdentityName{Account: pgtest.Account, Kind: core.Group, Name: "crew"}
	user := core.IdentityName{Account: pgtest.Account, Kind: core.User, Name: "ada"}
	policy := core.PolicyName{Account: pgtest.Account, Cloud: core.AWS, Name: "senders"}
	if _, err := s.broker.CreateIdentity(ctx, core.Identity{IdentityName: group, Description: "<b>all</b> of them"}); err != nil {
		s.Fatal(err)
	}
	role := core.IdentityName{Account: pgtest.Account, Kind: core.Role, Cloud: core.RAM, Name: "courier"}
	if _, err := s.broker.CreateIdentity(ctx, core.Identity{IdentityName: role, Trust: trust}); err != nil {
		s.Fatal(err)
	}
	if _, err := s.broker.CreatePolicy(ctx, core.Policy{PolicyName: policy}, allowSend); err != nil {
		s.Fatal(err)
	}
	for _, err := range []error{
		s.broker.JoinGroup(ctx, pgtest.Account, "ada", "crew"), s.broker.AttachPolicy(ctx, user, policy),
		s.broker.PutInlinePolicy(ctx, user, "mine", core.Inline{Cloud: core.AWS, Text: allowSend}),
	} {
		if err != nil {
			s.Fatal(err)
		}
	}
	_, err := s.broker.CreateFault(ctx, core.Fault{Account: pgtest.Account, Name: "slow", Effect: core.FaultLatency, Max: time.Second, Probability: 0.001, Pattern: "nothing", Operations: []core.FaultOperation{core.FaultSend}})
	if err != nil {
		s.Fatal(err)
	}
}

func TestPagesInEachLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	empty := []string{"/", "/queues", "/topics", "/trace", "/outbox", "/keys", "/costs", "/users", "/groups", "/roles", "/policies", "/explain", "/faults"}
	for _, language := range []string{"en", "zh"} {
		for _, path := range empty {
			wellFormed(t, path, s.get(base+path, "Accept-Language", language+"-XX,fr;q=0.5"))
		}
	}
	pages := s.populate()
	for _, language := range []string{"en", "zh"} {
		for _, path := range pages {
			text := s.get(base+path, "Accept-Language", "fr, "+language+";q=0.8")
			wellFormed(t, language+" "+path, text)
			if strings.Contains(text, "<script>alert") || strings.Contains(text, "/<b>") {
				t.Errorf("%s shows what was sent as HTML", path)
			}
		}
	}
	s.wants(s.get(base+"/queues", "Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8"), "新建队列", `lang="zh-Hans"`, "English")
	s.wants(s.get(base+"/queues", "Accept-Language", "en;q=0.9,zh;q=0.2"), "New queue", `lang="en"`, "中文")
	s.wants(s.get(base+"/queues/orders"), "orders", "Visible")
	s.wants(s.get(base+"/queues/orders/messages"), "&lt;script&gt;alert(1)&lt;/script&gt;", "&#34;order&#34;: 1", "In flight")
	s.wants(s.get(base+"/costs"), "0.80 USD", "50 %")
}

// wellFormed fails where tags do not match, ids repeat, or something would run or style within the page.
func wellFormed(t *testing.T, name, text string) {
	t.Helper()
	void := []string{"meta", "link", "input", "br", "path", "rect", "circle", "use"}
	var open []string
	ids := map[string]bool{}
	heading, searches := 6, map[string]bool{} // the level of the last heading; a part of a page may begin anywhere
	for tokens := html.NewTokenizer(strings.NewReader(text)); ; {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		token := tokens.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			if level, ok := strings.CutPrefix(token.Data, "h"); ok && len(level) == 1 && level[0] >= '1' && level[0] <= '6' {
				if heading+1 < int(level[0]-'0') {
					t.Errorf("%s: <h%s> follows <h%d>", name, level, heading)
				}
				heading = int(level[0] - '0')
			}
			attributes := map[string]string{}
			for _, a := range token.Attr {
				attributes[a.Key] = a.Val
			}
			if label := attributes["aria-label"]; attributes["role"] == "search" {
				if searches[label] {
					t.Errorf("%s: two ways to search are both named %q", name, label)
				}
				searches[label] = true
			}
			for _, a := range token.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
					t.Errorf("%s: <%s %s=%q> runs or styles within the page", name, token.Data, a.Key, a.Val)
				}
				if a.Key == "id" && ids[a.Val] {
					t.Errorf("%s: the id %q is there twice", name, a.Val)
				} else if a.Key == "id" {
					ids[a.Val] = true
				}
				if strings.Contains(a.Val, "ZgotmplZ") {
					t.Errorf("%s: %s of <%s> is refused by html/template", name, a.Key, token.Data)
				}
			}
			if token.Data == "script" && !slices.ContainsFunc(token.Attr, func(a html.Attribute) bool { return a.Key == "src" }) || token.Data == "style" {
				t.Errorf("%s: <%s> within the page", name, token.Data)
			}
			if kind == html.StartTagToken && !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("%s: </%s> closes %v", name, token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: %v are not closed", name, open)
	}
	if _, err := html.Parse(strings.NewReader(text)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if strings.Contains(text, "%!") || strings.Contains(text, "<nil>") || strings.Contains(text, "no value") {
		t.Errorf("%s shows a fault of formatting:\n%s", name, text)
	}
}

func TestQueueFromEndToEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/queues", "name", "dead", "retention", "1", "max_message_size", "1024")
	s.done(base+"/queues", "name", "orders", "visibility", "45.5", "retention", "2", "dead_letter", "dead", "max_receives", "1", "logging", "on")
	queue, err := s.broker.DescribeQueue(t.Context(), pgtest.Name("orders"))
	if err != nil || queue.VisibilityTimeout != 45500*time.Millisecond || queue.Retention != 2*time.Hour || queue.DeadLetter.Target != "dead" || !queue.Logging {
		t.Fatalf("made %+v and %v", queue, err)
	}
	s.wants(s.get(base+"/queues/orders"), "Queue orders was created.")
	if strings.Contains(s.get(base+"/queues/orders"), "was created") {
		t.Error("the notice is shown twice")
	}
	if got := s.post(base+"/queues", "name", "orders"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("made twice: got %s", got.Status)
	}
	sent := s.post(base+"/queues/orders/send", "body", `{"a": 1}`, "copies", "3", "attribute_name", "order_id", "attribute_type", "String", "attribute_value", "o-1")
	if n := strings.Count(sent.text, "/trace?id="); n != 3 {
		t.Errorf("%d messages were sent, want 3\n%s", n, sent.text)
	}
	s.wants(s.get(base+"/queues/orders/search?text=o-1"), "Searched 3 of 3", "order_id")
	for name, fields := range map[string][]string{
		"no body":           {"body", ""},
		"no text":           {"body", "bell\x07"},
		"too many copies":   {"body", "a", "copies", "101"},
		"an attribute less": {"body", "a", "attribute_name", "n", "attribute_type", "Number", "attribute_value", "x"},
		"no number":         {"body", "a", "attribute_name", "n", "attribute_type", "Number", "attribute_value", "true"},
		"another type":      {"body", "a", "attribute_name", "n", "attribute_type", "Binary", "attribute_value", "x"},
	} {
		if got := s.post(base+"/queues/orders/send", fields...); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	s.wants(s.post(base+"/queues/orders/send", "body", "a", "delay", "NaN").text, "Delay must be a number from 0")
	received := s.post(base+"/queues/orders/receive", "limit", "2").text
	handles := regexp.MustCompile(`name="handle" value="([^"]+)"`).FindAllStringSubmatch(received, -1)
	if len(handles) != 4 { // two forms for each message
		t.Fatalf("received\n%s", received)
	}
	s.wants(s.post(base+"/queues/orders/remove", "handle", handles[0][1]).text, "The message was deleted.")
	s.wants(s.post(base+"/queues/orders/return", "handle", handles[2][1]).text, "visible again")
	s.post(base+"/queues/orders/receive", "limit", "10") // the one returned is a dead letter now
	s.wants(s.get(base+"/queues/dead/moves"), "orders", "after 1 receives")
	s.done(base+"/queues/dead/moves", "destination", "orders")
	s.wants(s.get(base+"/queues/dead/moves/tasks"), "orders")
	s.wants(s.get(base+"/trace?queue=orders"), "SendMessage", "deleted")
	s.done(base+"/queues/orders/settings", "visibility", "10", "retention", "3", "max_message_size", "2048")
	if queue, err = s.broker.DescribeQueue(t.Context(), pgtest.Name("orders")); err != nil || queue.VisibilityTimeout != 10*time.Second || queue.Logging || queue.DeadLetter.Target != "" {
		t.Errorf("altered to %+v and %v", queue, err)
	}
	for _, action := range []string{"purge", "delete"} {
		if got := s.post(base+"/queues/orders/"+action, "confirm", "order"); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s without the name: got %s", action, got.Status)
		}
	}
	s.done(base+"/queues/orders/purge", "confirm", "orders")
	if queue, err = s.broker.DescribeQueue(t.Context(), pgtest.Name("orders")); err != nil || queue.Counts != (core.QueueCounts{}) {
		t.Errorf("purged: %+v and %v", queue.Counts, err)
	}
	s.done(base + "/queues/orders/delete") // it is empty
	if _, err := s.broker.DescribeQueue(t.Context(), pgtest.Name("orders")); core.CodeOf(err) != core.QueueNotFound {
		t.Errorf("deleted: got %v", err)
	}
	if got := s.do(s.request(http.MethodGet, base+"/queues/orders", "")); got.StatusCode != http.StatusNotFound {
		t.Errorf("the page of a queue that is gone: got %s", got.Status)
	}
}

func TestFIFOQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/queues", "name", "steps", "fifo", "on")
	s.wants(s.get(base+"/queues/steps.fifo"), "Message group", "--message-group-id")
	if got := s.post(base+"/queues/steps.fifo/send", "body", "a"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without a group: got %s", got.Status)
	}
	for range 2 {
		s.post(base+"/queues/steps.fifo/send", "body", "one", "group", "g", "deduplication", "1")
	}
	s.wants(s.post(base+"/queues/steps.fifo/send", "body", "one", "group", "g", "deduplication", "1").text, "duplicate of")
	s.wants(s.get(base+"/queues/steps.fifo/search?text=one"), "Searched 1 of 1", "Sequence number")
}

func TestTopicFromEndToEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/queues", "name", "orders")
	s.done(base+"/topics", "name", "alerts")
	s.done(base+"/topics/alerts/subscribe", "kind", "queue", "endpoint", "orders", "format", "sns", "filter", `{"kind": ["order"]}`, "raw", "on")
	s.done(base+"/topics/alerts/subscribe", "kind", "http", "endpoint", "http://127.0.0.1:1/", "format", "mns", "filter", "red")
	for name, fields := range map[string][]string{
		"a queue that is none": {"kind", "queue", "endpoint", "nobody", "format", "sns"},
		"no address":           {"kind", "email", "endpoint", "ada", "format", "sns"},
		"no URL":               {"kind", "http", "endpoint", "ftp://a", "format", "sns"},
		"no kind":              {"endpoint", "a", "format", "sns"},
		"no filter policy":     {"kind", "email", "endpoint", "a@b.c", "format", "sns", "filter", "[]"},
	} {
		if got := s.post(base+"/topics/alerts/subscribe", fields...); got.StatusCode < 400 {
			t.Errorf("%s: got %s", name, got.Status)
		}
	}
	order := []string{"body", "an order", "attribute_name", "kind", "attribute_type", "String", "attribute_value", "order"}
	s.wants(s.post(base+"/topics/alerts/tester", append(order, "against", "subscriptions")...).text, "goes through", "held back", "arn:aws:sqs", "MessageTag", "nothing of that name")
	s.wants(s.post(base+"/topics/alerts/tester", append(order, "against", "filter", "format", "sns", "filter", `{"kind": ["invoice"], "price": [{"numeric": [">", 5]}]}`)...).text,
		"held back", "[&#34;invoice&#34;]", "[{&#34;numeric&#34;: [&#34;&gt;&#34;, 5]}]")
	s.wants(s.post(base+"/topics/alerts/tester", "body", `{"kind": "order"}`, "format", "sns", "scope", "MessageBody", "filter", `{"kind": ["order"]}`).text, "goes through")
	if got := s.post(base+"/topics/alerts/tester", "body", "a", "format", "sns", "filter", `{"kind": "order"}`); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a filter that is none: got %s", got.Status)
	}
	s.wants(s.post(base+"/topics/alerts/publish", append(order, "tag", "red")...).text, "Published")
	s.wants(s.get(base+"/queues/orders/messages"), "an order")
	found, err := s.broker.ListSubscriptions(t.Context(), core.ListSubscriptionsInput{Topic: core.TopicName(pgtest.Name("alerts")), Limit: 10})
	if err != nil || len(found.Subscriptions) != 2 {
		t.Fatalf("%+v and %v", found, err)
	}
	i := slices.IndexFunc(found.Subscriptions, func(sub core.Subscription) bool { return sub.Format == "mns" })
	path := base + "/topics/alerts/subscriptions/" + found.Subscriptions[i].Name.Name
	message := regexp.MustCompile(`name="message" value="([^"]+)"`).FindStringSubmatch(s.get(path + "/deliveries"))
	if message == nil {
		t.Fatal("nothing waits to be delivered")
	}
	s.done(path+"/retry", "message", message[1])
	if got := s.post(path+"/skip", "message", message[1]); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("skipped without a dead-letter queue: got %s", got.Status)
	}
	s.done(path+"/settings", formOf(t, s.get(path), path+"/settings")...)
	if sub, err := s.broker.Subscription(t.Context(), found.Subscriptions[i].Name); err != nil || sub.Filter != found.Subscriptions[i].Filter || sub.Raw || sub.DeadLetter.Name != "" {
		t.Errorf("saved as it is shown: %+v and %v", sub, err)
	}
	if got := s.post(path+"/settings", "format", "mns", "filter", "blue", "dead_letter", "nobody"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a dead-letter queue that is not there: got %s", got.Status)
	}
	s.done(path+"/settings", "format", "mns", "filter", "blue", "dead_letter", "orders", "raw", "on")
	if sub, err := s.broker.Subscription(t.Context(), found.Subscriptions[i].Name); err != nil || sub.Filter.Text != "blue" || !sub.Raw || sub.DeadLetter != pgtest.Name("orders") {
		t.Errorf("altered to %+v and %v", sub, err)
	}
	s.done(path + "/delete")
	if got := s.post(base+"/topics/alerts/delete", "confirm", "alert"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("deleted without the name: got %s", got.Status)
	}
	s.done(base+"/topics/alerts/delete", "confirm", "alerts")
	if _, err := s.broker.DescribeTopic(t.Context(), core.TopicName(pgtest.Name("alerts"))); core.CodeOf(err) != core.TopicNotFound {
		t.Errorf("deleted: got %v", err)
	}
}

// attempt attempts all deliveries that are due, which are answered so.
func (s *site) attempt(answer core.PushAnswer) {
	s.Helper()
	lanes, err := s.broker.DueLanes(s.Context(), 0)
	if err != nil {
		s.Fatal(err)
	}
	for _, lane := range lanes {
		deliveries, err := s.broker.ClaimDeliveries(s.Context(), []core.LaneClaim{{Lane: lane.Lane, Limit: 10}})
		if err != nil {
			s.Fatal(err)
		}
		for _, d := range deliveries {
			o, err := s.broker.Attempt(s.Context(), d, func(context.Context, core.Push) core.PushAnswer { return answer })
			if err == nil {
				err = s.broker.Settle(s.Context(), []core.Outcome{o})
			}
			if err != nil {
				s.Fatal(err)
			}
		}
	}
}

// A subscription that waits to be confirmed says what it waits for, and its confirmation is told from what was published.
func TestPendingSubscription(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.done(base+"/topics", "name", "alerts")
	for protocol, endpoint := range map[string]string{"http": "http://127.0.0.1:1/", "email": "ada@example.com"} {
		sub, _, err := s.broker.Subscribe(t.Context(), core.NewSubscription{
			Name: core.SubscriptionName{Topic: core.TopicName(pgtest.Name("alerts")), Name: "by-" + protocol}, Format: "sns", Protocol: protocol, Endpoint: endpoint, Pending: true, Token: protocol,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.broker.PushConfirmation(t.Context(), sub, core.Confirmation); err != nil {
			t.Fatal(err)
		}
	}
	s.wants(s.get(base+"/topics/alerts/subscriptions/by-http"), "once the link in the confirmation", "the confirmation of the subscription")
	s.wants(s.get(base+"/topics/alerts/subscriptions/by-email"), "once the link in the confirmation", `/outbox">Mail that was not sent`)
	s.attempt(core.PushAnswer{Kept: true, Reason: core.ReasonNoMailServer})
	s.wants(s.get(base+"/topics/alerts/subscriptions/by-email"), "kept in the outbox", core.ReasonNoMailServer)
	if page := s.get(base + "/topics/alerts/subscriptions/by-email/deliveries"); strings.Contains(page, ">delivered<") {
		t.Errorf("mail that was not sent is said to be delivered: %s", page)
	}
	s.done(base+"/topics/alerts/subscribe", "kind", "email", "endpoint", "bob@example.com", "format", "mns")
	found, err := s.broker.ListSubscriptions(t.Context(), core.ListSubscriptionsInput{Topic: core.TopicName(pgtest.Name("alerts")), Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range found.Subscriptions {
		if page := s.get(base + "/topics/alerts/subscriptions/" + sub.Name.Name); sub.State == core.Confirmed && strings.Contains(page, "once the link") {
			t.Errorf("the page of the confirmed subscription %s asks for it to be confirmed", sub.Endpoint)
		}
	}
}

func TestKeysClockAndPrices(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	if got := s.post(base+"/keys", "user", "ada"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a key of nobody: got %s", got.Status)
	}
	if _, err := s.broker.CreateIdentity(t.Context(), core.Identity{IdentityName: core.IdentityName{Account: pgtest.Account, Kind: core.User, Name: "ada"}}); err != nil {
		t.Fatal(err)
	}
	made := s.post(base+"/keys", "user", "ada").text
	id := regexp.MustCompile(`AKIA[A-Z0-9]+`).FindString(made)
	key, err := s.broker.Key(t.Context(), id)
	if err != nil || key.User != "ada" || !strings.Contains(html.UnescapeString(made), string(key.Secret)) {
		t.Fatalf("made %+v and %v", key, err)
	}
	if strings.Contains(html.UnescapeString(s.get(base+"/keys")), string(key.Secret)) {
		t.Error("the secret is shown in the list")
	}
	s.done(base+"/keys/"+id+"/disable", "disabled", "on")
	s.wants(s.get(base+"/keys"), "disabled")
	if got := s.post(strings.Replace(base, pgtest.Account, "111122223333", 1)+"/keys/"+id+"/delete", "confirm", id); got.StatusCode != http.StatusNotFound {
		t.Errorf("deleted from another account's page: got %s", got.Status)
	}
	s.done(base+"/keys/"+id+"/delete", "confirm", id)

	before, err := s.broker.AdvanceClock(t.Context(), pgtest.Account, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.done(base+"/clock/advance", "by", "2", "unit", "hours")
	if after, err := s.broker.AdvanceClock(t.Context(), pgtest.Account, 0); err != nil || after.Sub(before) < 2*time.Hour {
		t.Errorf("moved to %v from %v, %v", after, before, err)
	}
	pgtest.Queue(t, s.broker, "orders")
	if got := s.post(base+"/clock/reset", "confirm", "all"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("reset without the account: got %s", got.Status)
	}
	s.done(base+"/clock/reset", "confirm", pgtest.Account)
	if _, err := s.broker.DescribeQueue(t.Context(), pgtest.Name("orders")); core.CodeOf(err) != core.QueueNotFound {
		t.Errorf("after the reset: %v", err)
	}

	if err := s.broker.AddUsage(t.Context(), []core.Usage{{Account: pgtest.Account, Service: "sqs", Requests: 1, Units: 3_000_000}}); err != nil {
		t.Fatal(err)
	}
	if got := s.post(base+"/costs", "sqs", "-1", "sqs_fifo", "1", "sns", "1", "mns", "1", "mns_fifo", "1", "currency", "CNY"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a price below nothing: got %s", got.Status)
	}
	s.done(base+"/costs", "sqs", "2", "sqs_fifo", "1", "sns", "1", "mns", "0.001", "mns_fifo", "1", "currency", "CNY")
	s.wants(s.get(base+"/costs"), "6.00 CNY", "0.003 CNY")
}

func TestOverviewTellsWhatGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.wants(s.get(base+"/"), "Nothing here yet", s.url)
	s.populate()
	s.wants(s.get(base+"/busiest"), "<b>10.0</b>", "orders", "1 min")
	s.wants(s.get(base+"/live"), `"sent":[10]`, `"messages":[7]`)
}

// makeQueues makes many queues faster than one by one.
func makeQueues(t *testing.T, database string, n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `INSERT INTO polymq.queues (account, region, name, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size, logging, bodies,
		priorities, attributes, tags, created_at, modified_at)
		SELECT $1, $2, 'queue-' || lpad(i::text, 5, '0'), false, '0', '30 seconds', '4 days', '0', 1048576, false, '', 0, '{}', '{}', now(), now() FROM generate_series(0, $3 - 1) i`,
		pgtest.Account, pgtest.Region, n)
	if err != nil {
		t.Fatal(err)
	}
}

func TestListOfManyQueues(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	s := newSite(t, newBroker(t, database), &caller.Options{})
	const queues = 10_000
	makeQueues(t, database, queues)
	for _, path := range []string{"/queues", "/queues?after=queue-05000", "/queues?q=7777", "/"} {
		fastest := time.Hour
		for range 10 {
			began := time.Now()
			s.get(base + path)
			fastest = min(fastest, time.Since(began))
		}
		t.Logf("%s took %v", path, fastest)
		if fastest > time.Second { // it is to be 20 ms, but a machine may be slow
			t.Errorf("%s of %d queues took %v", path, queues, fastest)
		}
	}
	s.wants(s.get(base+"/queues"), "queue-00049", "Next page")
	s.wants(s.get(base+"/queues?q=EUE-07777"), "queue-07777")
}

func TestSearchGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	orders := pgtest.Queue(t, s.broker, "orders")
	for range 6 {
		pgtest.Send(t, s.broker, orders, slices.Repeat([]string{"needle"}, 10)...)
	}
	next := regexp.MustCompile(`hx-get="([^"]+search[^"]+)"`)
	text := s.get(base + "/queues/orders/search?text=needle")
	found := 0
	for more := []string{}; more != nil; { // however much of the queue a page has had time for
		found += strings.Count(text, `class="message"`)
		if more = next.FindStringSubmatch(text); more != nil {
			text = s.get(html.UnescapeString(more[1]))
		}
	}
	if found != 60 {
		t.Errorf("found %d of 60 messages", found)
	}
	s.wants(text, "Searched 60 of 60")
}

// Links carry what they are about as it is: a page that they lead to finds it again.
func TestLinksCarryWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	s.populate()
	link := regexp.MustCompile(`href="([^"]+/explain[^"]+)"`).FindStringSubmatch(s.get(base + "/users/ada"))
	if link == nil {
		t.Fatal("a user's page does not lead to what policies decide")
	}
	s.wants(s.get(html.UnescapeString(link[1])), `value="arn:aws:iam::`+pgtest.Account+`:user/ada"`)

	orders := pgtest.Name("orders")
	for range 120 {
		if _, err := s.broker.SendMessages(t.Context(), core.SendInput{Queue: orders, Messages: []core.NewMessage{{Body: []byte("more")}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.broker.FlushLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := regexp.MustCompile(`href="(\?[^"]+)"`).FindStringSubmatch(s.get(base + "/trace?queue=orders&from=2026-01-01T00:00:00"))
	if later == nil {
		t.Fatal("the record of 120 messages has one page")
	}
	s.wants(s.get(base+"/trace"+html.UnescapeString(later[1])), `name="queue" value="orders"`, `value="2026-01-01T00:00:00"`)
}

func TestFindLeadsToAMessage(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	got := s.do(s.request(http.MethodGet, base+"/queues?q=9567f7e4-46b8-4ec0-8c50-6a61e31c144b", ""))
	if got.StatusCode != http.StatusSeeOther || !strings.HasSuffix(got.Header.Get("Location"), "/trace?id=9567f7e4-46b8-4ec0-8c50-6a61e31c144b") {
		t.Errorf("got %s to %s", got.Status, got.Header.Get("Location"))
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	tests := map[string]struct {
		method, target, accept string
		header                 string
		want                   bool
	}{
		"a browser":              {"GET", "/", browser, "", true},
		"a browser's HEAD":       {"HEAD", "/", browser, "", true},
		"curl":                   {"GET", "/", "*/*", "", false},
		"an SDK":                 {"POST", "/", "*/*", "", false},
		"a form":                 {"POST", "/", browser, "", false},
		"a query":                {"GET", "/?Action=ListQueues", browser, "", false},
		"signed":                 {"GET", "/", browser, "Authorization", false},
		"an SDK with a target":   {"GET", "/", browser, "X-Amz-Target", false},
		"another path":           {"GET", "/queues", browser, "", false},
		"XML before HTML":        {"GET", "/", "text/xml, text/html", "", false},
		"nothing said of itself": {"GET", "/", "", "", false},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(tt.method, tt.target, nil)
		r.Header.Set("Accept", tt.accept)
		if tt.header != "" {
			r.Header.Set(tt.header, "x")
		}
		if got := console.Wants(r); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{})
	page := s.get(base + "/")
	for _, found := range regexp.MustCompile(`(?:src|href)="(/console/assets/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		got := s.do(s.request(http.MethodGet, found[1], ""))
		if got.StatusCode != http.StatusOK || len(got.text) < 100 || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: got %s with %d bytes", found[1], got.Status, len(got.text))
		}
	}
	for _, path := range []string{"/console/assets/nothing", "/console/assets/../server.go", "/console/assets/%2e%2e%2fserver.go", "/console/nothing", "/console/123/us-east-1/queues", base + "/nothing", "/console/" + pgtest.Account + "/US_EAST/queues"} {
		if got := s.do(s.request(http.MethodGet, path, "")); got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMovedPermanently && got.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("%s: got %s", path, got.Status)
		}
	}
	if !bytes.Contains([]byte(s.get("/console/assets/uplot.LICENSE.txt")), []byte("MIT")) {
		t.Error("the licence of uPlot is gone")
	}
}

// A call that is pasted reaches the account and the region of the page.
func TestSnippetsReachTheRegion(t *testing.T) {
	t.Parallel()
	s := newSite(t, newBroker(t, pgtest.DatabaseURL(t)), &caller.Options{Region: pgtest.Region})
	s.wants(s.get(base+"/"), "Account(&#34;"+s.url+"&#34;", "aliyun-mns-sdk")
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	s.wants(s.get("/console/111122223333/eu-west-1/"), "Account(&#34;http://111122223333.mns.eu-west-1.localhost:"+port+"&#34;, &#34;111122223333&#34;", "lead to this server", "--region eu-west-1", "account=111122223333&amp;region=eu-west-1")
}

// TestClientsThatLeave asks for pages and parts of pages and is gone before they are there: no fault of the server.
func TestClientsThatLeave(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.DatabaseURL(t))
	pgtest.Queue(t, broker, "orders")
	callers := &caller.Options{Keys: broker}
	server := console.New(broker, callers, console.Options{TestMode: true})
	serve := func(ctx context.Context, path string) {
		server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody))
	}
	serve(t.Context(), base+"/queues") // it knows the secret of sessions now
	var log bytes.Buffer
	gone, leave := context.WithCancel(zerolog.New(&log).WithContext(t.Context()))
	leave()
	for _, path := range []string{"/", "/queues", "/queues/orders", "/queues/orders/settings", "/topics", "/keys", "/users", "/audit", "/servers", "/trace?queue=orders", "/alerts"} {
		serve(gone, base+path)
	}
	if text := log.String(); !strings.Contains(text, `"level":"debug"`) || !strings.Contains(text, context.Canceled.Error()) || strings.Contains(text, `"level":"error"`) {
		t.Errorf("got the log %q, want nothing but debug", text)
	}
}
