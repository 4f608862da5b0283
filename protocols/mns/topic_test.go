package mns

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func (f fixture) createTopic(t testing.TB, name, attributes string) {
	t.Helper()
	f.do(t, http.MethodPut, "/topics/"+name, "<Topic>"+attributes+"</Topic>").want(t, http.StatusCreated, "")
}

// subscribe subscribes an endpoint to a topic; more is XML as it goes into the Subscription element.
func (f fixture) subscribe(t testing.TB, topic, name, endpoint, more string) {
	t.Helper()
	f.do(t, http.MethodPut, "/topics/"+topic+"/subscriptions/"+name, "<Subscription><Endpoint>"+endpoint+"</Endpoint>"+more+"</Subscription>").
		want(t, http.StatusCreated, "")
}

func (f fixture) publish(t testing.TB, topic, message string, headers ...string) document {
	t.Helper()
	return f.do(t, http.MethodPost, "/topics/"+topic+"/messages", "<Message>"+message+"</Message>", headers...).want(t, http.StatusCreated, "").doc
}

const queueEndpoint = "acs:mns:0:127:queues/" // as a client has it that was given http://127.0.0.1

// createFIFO makes a FIFO queue, as the control plane would: the data plane has no word for it.
func (f fixture) createFIFO(t testing.TB, name string) {
	t.Helper()
	if _, _, err := f.broker.CreateQueue(t.Context(), core.NewQueue{Name: pgtest.Name(name), FIFO: true, Settings: DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
}

func bodies(messages []document) []string {
	var bodies []string
	for _, m := range messages {
		bodies = append(bodies, m.MessageBody)
	}
	slices.Sort(bodies)
	return bodies
}

func topicName(name string) core.TopicName {
	return core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: name}
}

func TestCreateTopic(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "<MaximumMessageSize>2048</MaximumMessageSize>")
	tests := map[string]struct {
		name, body string
		status     int
		code       string
	}{
		"new":                  {"new", "<Topic/>", 201, ""},
		"new, no body":         {"new-too", "", 201, ""},
		"longest name":         {strings.Repeat("t", 256), "<Topic/>", 201, ""},
		"smallest":             {"small", "<Topic><MaximumMessageSize>1024</MaximumMessageSize></Topic>", 201, ""},
		"largest":              {"large", "<Topic><MaximumMessageSize>65536</MaximumMessageSize></Topic>", 201, ""},
		"again":                {"news", "<Topic><MaximumMessageSize>2048</MaximumMessageSize><LoggingEnabled>False</LoggingEnabled></Topic>", 204, ""},
		"again, another value": {"news", "<Topic><MaximumMessageSize>2049</MaximumMessageSize></Topic>", 409, "TopicAlreadyExist"},
		"again, defaults":      {"news", "<Topic/>", 409, "TopicAlreadyExist"},
		"again, logging":       {"news", "<Topic><MaximumMessageSize>2048</MaximumMessageSize><LoggingEnabled>true</LoggingEnabled></Topic>", 409, "TopicAlreadyExist"},
		"name too long":        {strings.Repeat("t", 257), "<Topic/>", 400, "TopicNameLengthError"},
		"other letters":        {strings.Repeat("%E9%98%9F", 256), "<Topic/>", 400, "TopicNameInvalid"},
		"underscore":           {"my_topic", "<Topic/>", 400, "TopicNameInvalid"},
		"hyphen first":         {"-news", "<Topic/>", 400, "TopicNameInvalid"},
		"too small":            {"other", "<Topic><MaximumMessageSize>1023</MaximumMessageSize></Topic>", 400, "InvalidArgument"},
		"too large":            {"other", "<Topic><MaximumMessageSize>65537</MaximumMessageSize></Topic>", 400, "InvalidArgument"},
		"wrong root":           {"other", "<Queue/>", 400, "InvalidArgument"},
		"no XML":               {"other", "{}", 400, "MalformedXML"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := f.do(t, http.MethodPut, "/topics/"+tt.name, tt.body).want(t, tt.status, tt.code)
			if location := got.header.Get("Location"); tt.code == "" && location != f.url+"/topics/"+tt.name {
				t.Errorf("got Location %q", location)
			}
		})
	}
}

func TestTopicAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "<LoggingEnabled>true</LoggingEnabled>")
	got := f.do(t, http.MethodGet, "/topics/news", "").want(t, 200, "")
	for _, line := range []string{
		"<TopicName>news</TopicName>", "<MaximumMessageSize>65536</MaximumMessageSize>", "<LoggingEnabled>True</LoggingEnabled>",
		"<MessageRetentionPeriod>86400</MessageRetentionPeriod>", "<MessageCount>0</MessageCount>",
	} {
		if !strings.Contains(got.body, line+"\n") {
			t.Errorf("got no %s in\n%s", line, got.body)
		}
	}
	if now := time.Now().Unix(); got.doc.CreateTime < now-600 || got.doc.LastModifyTime > now+600 {
		t.Errorf("times in seconds: got %d and %d", got.doc.CreateTime, got.doc.LastModifyTime)
	}
	f.do(t, http.MethodPut, "/topics/news?metaoverride=true", "<Topic><MaximumMessageSize>2048</MaximumMessageSize></Topic>").want(t, 204, "")
	got = f.do(t, http.MethodGet, "/topics/news", "").want(t, 200, "")
	if got.doc.MaximumMessageSize != 2048 || got.doc.LoggingEnabled != "True" {
		t.Errorf("got %+v, want the changed size and the old flag", got.doc.queueDocument)
	}
	f.subscribe(t, "news", "nobody", "http://127.0.0.1:1/", "") // and no worker runs that would push
	f.publish(t, "news", "<MessageBody>waits</MessageBody>")
	got = f.do(t, http.MethodGet, "/topics/news", "").want(t, 200, "")
	listed := f.do(t, http.MethodGet, "/topics", "", "X-Mns-With-Meta: true").want(t, 200, "")
	if shown := "<MessageCount>1</MessageCount>"; !strings.Contains(got.body, shown) || !strings.Contains(listed.body, shown) {
		t.Errorf("a message that waits: got %s and in the list %s", got.body, listed.body)
	}
	f.do(t, http.MethodGet, "/topics/other", "").want(t, 404, "TopicNotExist")
	f.do(t, http.MethodPut, "/topics/other?metaoverride=true", "<Topic/>").want(t, 404, "TopicNotExist")
	f.do(t, http.MethodPut, "/topics/news?metaoverride=true", "<Topic><MaximumMessageSize>1</MaximumMessageSize></Topic>").want(t, 400, "InvalidArgument")
}

func TestDeleteTopic(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	f.subscribe(t, "news", "all", "http://example.com/", "")
	for range 2 {
		f.do(t, http.MethodDelete, "/topics/news", "").want(t, 204, "")
	}
	f.do(t, http.MethodPost, "/topics/news/messages", "<Message><MessageBody>x</MessageBody></Message>").want(t, 404, "TopicNotExist")
	f.do(t, http.MethodGet, "/topics/news/subscriptions", "").want(t, 404, "TopicNotExist")
	f.createTopic(t, "news", "<MaximumMessageSize>2048</MaximumMessageSize>") // at once, with other attributes, and without subscriptions
	f.do(t, http.MethodGet, "/topics/news/subscriptions/all", "").want(t, 404, "SubscriptionNotExist")
	f.subscribe(t, "news", "all", "http://example.com/other", "")
}

func TestListTopic(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{"b-2", "b-1", "a", "b-3"} {
		f.createTopic(t, name, "")
	}
	var urls []string
	for marker, pages := "", 0; pages == 0 || marker != ""; pages++ {
		got := f.do(t, http.MethodGet, "/topics", "", "x-mns-prefix: b-", "x-mns-ret-number: 2", "x-mns-marker: "+marker).want(t, 200, "").doc
		for _, topic := range got.Topics {
			urls = append(urls, strings.TrimPrefix(topic.TopicURL, f.url+"/topics/"))
		}
		marker = got.NextMarker
	}
	if !slices.Equal(urls, []string{"b-1", "b-2", "b-3"}) {
		t.Errorf("got %v", urls)
	}
	if got := f.do(t, http.MethodGet, "/topics", "", "x-mns-with-meta: true").want(t, 200, "").doc.Topics; len(got) != 4 || got[0].TopicName != "a" || got[0].MaximumMessageSize != 65536 {
		t.Errorf("got %+v", got)
	}
	f.do(t, http.MethodGet, "/topics", "", "x-mns-ret-number: 1001").want(t, 400, "InvalidArgument")
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	f.subscribe(t, "news", "all", "http://example.com:80/a?b=c", "<FilterTag>red</FilterTag>")
	again := func(more string) string {
		return "<Endpoint>http://example.com:80/a?b=c</Endpoint>" + more
	}
	endpoint := func(text string) string { return "<Endpoint>" + text + "</Endpoint>" }
	tests := map[string]struct {
		name, body string
		status     int
		code       string
	}{
		"http":                      {"s1", endpoint("http://example.com"), 201, ""},
		"https":                     {"s2", endpoint("https://example.com/x"), 201, ""},
		"queue":                     {"s3", endpoint("acs:mns:cn-hangzhou:1234567890123456:queues/orders"), 201, ""},
		"queue, slash":              {"s4", endpoint("acs:mns:cn-hangzhou:1234567890123456:/queues/orders"), 201, ""},
		"queue of a plain endpoint": {"s5", endpoint("acs:mns:0:127:queues/orders"), 201, ""},
		"mail":                      {"s6", endpoint("mail:directmail:a@example.com"), 201, ""},
		"SMS, anonymous":            {"s7", endpoint("sms:directsms:anonymous"), 201, ""},
		"SMS":                       {"s8", endpoint("sms:directsms:13900000000"), 201, ""},
		"SMS, old":                  {"s9", endpoint("sms:dayu:13900000000"), 201, ""},
		"mobile push":               {"s10", endpoint("push:1234"), 201, ""},
		"all given":                 {"s11", endpoint("http://example.com/y") + "<FilterTag>1234567890123456</FilterTag><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>", 201, ""},
		"same endpoint":             {"s12", endpoint("http://example.com"), 201, ""},
		"again":                     {"all", again("<FilterTag>red</FilterTag><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy><NotifyContentFormat>XML</NotifyContentFormat>"), 204, ""},
		"again, another tag":        {"all", again("<FilterTag>blue</FilterTag>"), 409, "SubscriptionAlreadyExist"},
		"again, another strategy":   {"all", again("<FilterTag>red</FilterTag><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy>"), 409, "SubscriptionAlreadyExist"},
		"again, another format":     {"all", again("<FilterTag>red</FilterTag><NotifyContentFormat>JSON</NotifyContentFormat>"), 409, "SubscriptionAlreadyExist"},
		"again, another endpoint":   {"all", endpoint("http://example.com/") + "<FilterTag>red</FilterTag>", 409, "SubscriptionAlreadyExist"},
		"no endpoint":               {"other", "", 400, "EndpointInvalid"},
		"empty endpoint":            {"other", endpoint(""), 400, "EndpointInvalid"},
		"no host":                   {"other", endpoint("http:///path"), 400, "EndpointInvalid"},
		"other scheme":              {"other", endpoint("ftp://example.com/"), 400, "EndpointInvalid"},
		"reserved path":             {"other", endpoint("http://example.com/mns-reserved-x"), 400, "EndpointInvalid"},
		"reserved path, misspelt":   {"other", endpoint("http://example.com/mns-reserverd-x"), 400, "EndpointInvalid"},
		"no queue":                  {"other", endpoint("acs:mns:cn-hangzhou:1234:queues/"), 400, "EndpointInvalid"},
		"topic for a queue":         {"other", endpoint("acs:mns:cn-hangzhou:1234:topics/news"), 400, "EndpointInvalid"},
		"too few parts":             {"other", endpoint("acs:mns:queues/orders"), 400, "EndpointInvalid"},
		"no address":                {"other", endpoint("mail:directmail:"), 400, "EndpointInvalid"},
		"tag too long":              {"other", endpoint("http://example.com") + "<FilterTag>12345678901234567</FilterTag>", 400, "InvalidArgument"},
		"unknown strategy":          {"other", endpoint("http://example.com") + "<NotifyStrategy>NEVER</NotifyStrategy>", 400, "InvalidArgument"},
		"unknown format":            {"other", endpoint("http://example.com") + "<NotifyContentFormat>STREAM</NotifyContentFormat>", 400, "InvalidArgument"},
		"name too long":             {strings.Repeat("s", 257), endpoint("http://example.com"), 400, "SubscriptionNameLengthError"},
		"other letters":             {strings.Repeat("%E9%98%9F", 256), endpoint("http://example.com"), 400, "SubscriptionNameInvalid"},
		"bad name":                  {"a_b", endpoint("http://example.com"), 400, "SubscriptionNameInvalid"},
		"wrong root":                {"other", "", 400, "InvalidArgument"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := "<Subscription>" + tt.body + "</Subscription>"
			if name == "wrong root" {
				body = "<Topic/>"
			}
			got := f.do(t, http.MethodPut, "/topics/news/subscriptions/"+tt.name, body).want(t, tt.status, tt.code)
			if location := got.header.Get("Location"); tt.code == "" && location != f.url+"/topics/news/subscriptions/"+tt.name {
				t.Errorf("got Location %q", location)
			}
		})
	}
	f.do(t, http.MethodPut, "/topics/other/subscriptions/all", "<Subscription>"+endpoint("http://example.com")+"</Subscription>").want(t, 404, "TopicNotExist")

	// What others let become larger than MNS itself would is delivered to queues only.
	if _, _, err := f.broker.CreateTopic(t.Context(), core.NewTopic{Name: topicName("large"), Settings: core.TopicSettings{MaxMessageSize: core.LargeMessage + 1}}); err != nil {
		t.Fatal(err)
	}
	f.do(t, http.MethodPut, "/topics/large/subscriptions/hook", "<Subscription>"+endpoint("http://example.com")+"</Subscription>").want(t, 400, "InvalidArgument")
	f.subscribe(t, "large", "queue", queueEndpoint+"orders", "")
}

func TestSubscriptionAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	f.subscribe(t, "news", "all", "http://example.com/a?b&amp;c", "")
	const target = "/topics/news/subscriptions/all"
	want := `<SubscriptionName>all</SubscriptionName>
<Subscriber>` + pgtest.Account + `</Subscriber>
<TopicOwner>` + pgtest.Account + `</TopicOwner>
<TopicName>news</TopicName>
<Endpoint>http://example.com/a?b&amp;c</Endpoint>
<NotifyStrategy>BACKOFF_RETRY</NotifyStrategy>
<NotifyContentFormat>XML</NotifyContentFormat>
<CreateTime>`
	if got := f.do(t, http.MethodGet, target, "").want(t, 200, "").body; !strings.Contains(got, want) {
		t.Errorf("got %s, want in it %s", got, want)
	}
	f.do(t, http.MethodPut, target+"?metaoverride=true", "<Subscription><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy><FilterTag>red</FilterTag></Subscription>").want(t, 204, "")
	if got := f.do(t, http.MethodGet, target, "").want(t, 200, "").body; !strings.Contains(got, "<FilterTag>red</FilterTag>\n<NotifyStrategy>EXPONENTIAL_DECAY_RETRY<") {
		t.Errorf("after a change: got %s", got)
	}
	for name, body := range map[string]string{
		"endpoint":         "<Endpoint>http://example.com/other</Endpoint>",
		"format":           "<NotifyContentFormat>JSON</NotifyContentFormat>",
		"unknown strategy": "<NotifyStrategy>NEVER</NotifyStrategy>",
		"tag too long":     "<FilterTag>12345678901234567</FilterTag>",
	} {
		t.Run(name, func(t *testing.T) {
			f.do(t, http.MethodPut, target+"?metaoverride=true", "<Subscription>"+body+"</Subscription>").want(t, 400, "InvalidArgument")
		})
	}
	f.do(t, http.MethodPut, "/topics/news/subscriptions/other?metaoverride=true", "<Subscription/>").want(t, 404, "SubscriptionNotExist")
	for range 2 {
		f.do(t, http.MethodDelete, target, "").want(t, 204, "")
	}
	f.do(t, http.MethodGet, target, "").want(t, 404, "SubscriptionNotExist")
	f.subscribe(t, "news", "all", "http://example.com/other", "<NotifyContentFormat>JSON</NotifyContentFormat>")
}

func TestListSubscriptionByTopic(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	for i := range 3 {
		f.subscribe(t, "news", fmt.Sprintf("b-%d", i), fmt.Sprintf("http://example.com/%d", i), "")
	}
	f.subscribe(t, "news", "a", "push:1", "")
	var urls []string
	for marker, pages := "", 0; pages == 0 || marker != ""; pages++ {
		got := f.do(t, http.MethodGet, "/topics/news/subscriptions/", "", "x-mns-prefix: b-", "x-mns-ret-number: 2", "x-mns-marker: "+marker).want(t, 200, "").doc
		for _, s := range got.Subscriptions {
			urls = append(urls, strings.TrimPrefix(s.SubscriptionURL, f.url+"/topics/news/subscriptions/"))
		}
		marker = got.NextMarker
	}
	if !slices.Equal(urls, []string{"b-0", "b-1", "b-2"}) {
		t.Errorf("got %v", urls)
	}
	if got := f.do(t, http.MethodGet, "/topics/news/subscriptions", "", "x-mns-with-meta: true").want(t, 200, "").doc.Subscriptions; len(got) != 4 || got[0].Endpoint != "push:1" {
		t.Errorf("got %+v", got)
	}
	f.do(t, http.MethodGet, "/topics/other/subscriptions", "").want(t, 404, "TopicNotExist")
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "<MaximumMessageSize>1024</MaximumMessageSize>")
	tests := map[string]struct{ message, code string }{
		"as long as allowed": {"<MessageBody>" + strings.Repeat("é", 512) + "</MessageBody>", ""},
		"longest tag":        {"<MessageBody>x</MessageBody><MessageTag>1234567890123456</MessageTag>", ""},
		"attributes":         {`<MessageBody>x</MessageBody><MessageAttributes><DirectMail>{"no JSON</DirectMail></MessageAttributes>`, ""},
		"too long":           {"<MessageBody>x" + strings.Repeat("é", 512) + "</MessageBody>", "InvalidArgument"},
		"no body":            {"<MessageTag>red</MessageTag>", "InvalidArgument"},
		"tag too long":       {"<MessageBody>x</MessageBody><MessageTag>12345678901234567</MessageTag>", "InvalidArgument"},
		"control character":  {"<MessageBody>&#7;</MessageBody>", "MalformedXML"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status := 400
			if tt.code == "" {
				status = 201
			}
			f.do(t, http.MethodPost, "/topics/news/messages", "<Message>"+tt.message+"</Message>").want(t, status, tt.code)
		})
	}
	f.do(t, http.MethodPost, "/topics/other/messages", "<Message><MessageBody>x</MessageBody></Message>").want(t, 404, "TopicNotExist")
}

// A subscribed queue gets each message in the form that the subscription asks for, with its properties.
func TestPublishToQueues(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	for _, format := range []string{"XML", "JSON", "SIMPLIFIED"} {
		f.create(t, "q-"+format, "")
		f.subscribe(t, "news", "to-"+format, queueEndpoint+"q-"+format, "<NotifyContentFormat>"+format+"</NotifyContentFormat>")
	}
	sent := f.publish(t, "news", `<MessageBody>a &lt;b&gt; &amp; "c"</MessageBody><MessageTag>red</MessageTag>
		<UserProperties><PropertyValue><Name>n</Name><Value>1</Value><Type>NUMBER</Type></PropertyValue></UserProperties>`)
	if len(sent.MessageId) != 32 || sent.MessageBodyMD5 != upperMD5([]byte(`a <b> & "c"`)) {
		t.Errorf("published: got %+v", sent)
	}
	for format, want := range map[string]string{
		"XML": `<?xml version="1.0" encoding="utf-8"?>
<Notification xmlns="http://mns.aliyuncs.com/doc/v1/">
  <TopicOwner>ACCOUNT</TopicOwner>
  <TopicName>news</TopicName>
  <Subscriber>ACCOUNT</Subscriber>
  <SubscriptionName>to-XML</SubscriptionName>
  <MessageId>KEY</MessageId>
  <Message>a &lt;b&gt; &amp; "c"</Message>
  <MessageMD5>SUM</MessageMD5>
  <MessageTag>red</MessageTag>
  <PublishTime>TIME</PublishTime>
</Notification>`,
		"JSON":       `{"TopicOwner":"ACCOUNT","TopicName":"news","Subscriber":"ACCOUNT","SubscriptionName":"to-JSON","MessageId":"KEY","Message":"a <b> & \"c\"","MessageMD5":"SUM","MessageTag":"red","PublishTime":"TIME"}`,
		"SIMPLIFIED": `a <b> & "c"`,
	} {
		got := f.receive(t, "q-"+format)
		want = strings.NewReplacer("ACCOUNT", pgtest.Account, "KEY", sent.MessageId, "SUM", sent.MessageBodyMD5, "TIME", publishTime(t, got.MessageBody)).Replace(want)
		if got.MessageBody != want {
			t.Errorf("%s: got %s, want %s", format, got.MessageBody, want)
		}
		if len(got.UserProperties) != 1 || got.UserProperties[0] != (property{"n", "1", "NUMBER"}) {
			t.Errorf("%s: got properties %v", format, got.UserProperties)
		}
	}
}

// A queue whose messages may be as long as the topic's takes all of them, whatever is written around their bodies.
func TestLongestMessageReachesQueues(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "<MaximumMessageSize>2048</MaximumMessageSize>")
	f.create(t, "small", "<MaximumMessageSize>2047</MaximumMessageSize>")
	f.subscribe(t, "news", "small", queueEndpoint+"small", "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>")
	for _, format := range []string{"XML", "JSON", "SIMPLIFIED"} {
		f.create(t, "q-"+format, "<MaximumMessageSize>2048</MaximumMessageSize>")
		f.subscribe(t, "news", "to-"+format, queueEndpoint+"q-"+format, "<NotifyContentFormat>"+format+"</NotifyContentFormat>")
	}
	body := strings.Repeat("x", 2048)
	f.publish(t, "news", "<MessageBody>"+body+"</MessageBody><UserProperties><PropertyValue><Name>n</Name><Value>1</Value><Type>NUMBER</Type></PropertyValue></UserProperties>")
	for _, format := range []string{"XML", "JSON", "SIMPLIFIED"} {
		if got := f.receive(t, "q-"+format); !strings.Contains(got.MessageBody, body) || len(got.UserProperties) != 1 {
			t.Errorf("%s: got %+v", format, got)
		}
	}
	f.do(t, http.MethodGet, "/queues/small/messages", "").want(t, 404, "MessageNotExist")
}

// publishTime gives the time in a notification, which must be near the server's.
func publishTime(t *testing.T, notification string) string {
	t.Helper()
	digits := regexp.MustCompile(`PublishTime\W+(\d+)`).FindStringSubmatch(notification)
	if digits == nil {
		return ""
	}
	ms, err := strconv.ParseInt(digits[1], 10, 64)
	if since := time.Since(time.UnixMilli(ms)); err != nil || since < -time.Minute || since > time.Minute {
		t.Errorf("published at %s", digits[1])
	}
	return digits[1]
}

func TestFilterTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	for queue, tag := range map[string]string{"all": "", "red": "red", "blue": "blue"} {
		f.create(t, queue, "")
		f.subscribe(t, "news", queue, queueEndpoint+queue, "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat><FilterTag>"+tag+"</FilterTag>")
	}
	for _, tag := range []string{"", "red", "Red", "re"} {
		f.publish(t, "news", "<MessageBody>tag "+tag+"</MessageBody><MessageTag>"+tag+"</MessageTag>")
	}
	for queue, want := range map[string][]string{"all": {"tag ", "tag Red", "tag re", "tag red"}, "red": {"tag red"}, "blue": nil} {
		var got []string
		if r := f.do(t, http.MethodGet, "/queues/"+queue+"/messages?numOfMessages=16", ""); r.status == 200 {
			got = bodies(r.doc.Messages)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", queue, got, want)
		}
	}
	f.do(t, http.MethodPut, "/topics/news/subscriptions/blue?metaoverride=true", "<Subscription><FilterTag></FilterTag></Subscription>").want(t, 204, "")
	f.publish(t, "news", "<MessageBody>hello</MessageBody>")
	if got := f.receive(t, "blue").MessageBody; got != "hello" {
		t.Errorf("without its tag: got %q", got)
	}
}

// What a client's SDK encodes by itself reaches its own kind as it was sent, and others as text.
func TestPublishedBodyForms(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	f.create(t, "orders", "")
	f.subscribe(t, "news", "all", queueEndpoint+"orders", "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>")
	for agent, want := range map[string]core.BodyForm{"aliyun-sdk-java/2.0.0": core.FormBase64, "aliyun-sdk-python/1.3.0": core.FormRaw, "aliyun-sdk-go/1.0": core.FormRaw} {
		f.publish(t, "news", "<MessageBody>aGVsbG8=</MessageBody>", "User-Agent: "+agent)
		got := pgtest.Receive(t, f.broker, pgtest.Name("orders"), 1)
		if len(got) != 1 || got[0].Form != want || string(got[0].Body) != "aGVsbG8=" {
			t.Errorf("%s: got %+v, want form %d", agent, got, want)
		}
	}
}

func TestFIFOTopic(t *testing.T) {
	t.Parallel()
	f := start(t)
	if _, _, err := f.broker.CreateTopic(t.Context(), core.NewTopic{Name: topicName("news"), FIFO: true, Settings: DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	f.createFIFO(t, "orders")
	f.subscribe(t, "news", "all", queueEndpoint+"orders", "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>")
	f.do(t, http.MethodPost, "/topics/news/messages", "<Message><MessageBody>x</MessageBody></Message>").want(t, 400, "FifoMissingMessageGroupId")
	for _, body := range []string{"one", "one", "two"} { // the same again is no duplicate: MNS has no such ids
		f.publish(t, "news", "<MessageBody>"+body+"</MessageBody><MessageGroupId>g</MessageGroupId>")
	}
	for _, want := range []string{"one", "one", "two"} {
		got := f.receive(t, "orders")
		if got.MessageBody != want || got.MessageGroupId != "g" {
			t.Errorf("got %+v, want %s", got, want)
		}
		f.do(t, http.MethodDelete, "/queues/orders/messages?ReceiptHandle="+got.ReceiptHandle, "").want(t, 204, "")
	}
}

func TestPublishJSON(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.createTopic(t, "news", "")
	f.create(t, "orders", "")
	f.subscribe(t, "news", "red", queueEndpoint+"orders", "<FilterTag>red</FilterTag><NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>")
	sent := f.json(t, http.MethodPost, "/topics/news/messages", `{"MessageBody": "hello", "MessageTag": "red", "MessageAttributes": {"DirectMail": "{}"}}`).want(t, 201, "").doc
	if sent.MessageBodyMD5 != helloMD5 || len(sent.MessageId) != 32 {
		t.Errorf("got %+v", sent)
	}
	if got := f.receive(t, "orders").MessageBody; got != "hello" {
		t.Errorf("got %q", got)
	}
	f.json(t, http.MethodPost, "/topics/other/messages", `{"MessageBody": "hello"}`).want(t, 404, "TopicNotExist")
}
