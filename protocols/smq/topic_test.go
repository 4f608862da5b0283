package smq

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestTopicAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	// As the SDKs have it: some parameters in the query, some in the form.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/?Tag.1.Key=k+1&Tag.1.Value=v%2A~&TopicType=normal", strings.NewReader("EnableLogging=true&MaxMessageSize=2048&TopicName=news"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Acs-Action", "CreateTopic")
	req.Header.Set("X-Acs-Version", Version)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	send(t, req).ok(t, nil)
	got := f.do(t, "GetTopicAttributes", "TopicName", "news").ok(t, nil)
	for _, member := range []string{
		`"TopicName":"news","TopicType":"normal","MaxMessageSize":2048,"MessageRetentionPeriod":86400,"MessageCount":0,"LoggingEnabled":true`,
		`"Tags":[{"TagKey":"k 1","TagValue":"v*~"}]`, `"TopicUrl":"` + f.url + `/topics/news"`,
	} {
		if !strings.Contains(string(got.doc.Data), member) {
			t.Errorf("got no %s in %s", member, got.doc.Data)
		}
	}
	f.form(t, "CreateTopic", "TopicName", "news", "EnableLogging", "true", "MaxMessageSize", "2048").ok(t, nil)
	f.form(t, "CreateTopic", "TopicName", "news").refused(t, 409, "TopicAlreadyExist")
	f.form(t, "CreateTopic", "TopicName", "news", "EnableLogging", "true", "MaxMessageSize", "2048", "TopicType", "fifo").refused(t, 409, "TopicAlreadyExist")
	f.form(t, "CreateTopic", "TopicName", "a_b").refused(t, 400, "TopicNameInvalid")
	f.form(t, "CreateTopic", "TopicName", "other", "MaxMessageSize", "1023").refused(t, 400, "InvalidArgument")
	f.form(t, "SetTopicAttributes", "TopicName", "news", "MaxMessageSize", "4096", "EnableSSE", "true").ok(t, nil)
	var topic topicData
	f.do(t, "GetTopicAttributes", "TopicName", "news").ok(t, &topic)
	if topic.MaxMessageSize != 4096 || !topic.LoggingEnabled || !topic.EnableSSE {
		t.Errorf("after a change: got %+v", topic)
	}
	f.do(t, "CreateTopic", "TopicName", "ordered", "TopicType", "fifo").ok(t, nil)
	var list pageData[topicData]
	f.do(t, "ListTopic", "TopicType", "fifo").ok(t, &list)
	if len(list.PageData) != 1 || list.PageData[0].TopicName != "ordered" || list.PageData[0].TopicType != "fifo" || list.Total != 1 {
		t.Errorf("FIFO topics: got %+v", list)
	}
	if status, body := f.data(t, http.MethodPost, "/topics/ordered/messages", "<Message><MessageBody>x</MessageBody></Message>"); status != 400 || !strings.Contains(body, "FifoMissingMessageGroupId") {
		t.Errorf("publish to a FIFO topic without a group: got %d %s", status, body)
	}
	for range 2 {
		f.do(t, "DeleteTopic", "TopicName", "news").ok(t, nil)
	}
	f.do(t, "GetTopicAttributes", "TopicName", "news").refused(t, 404, "TopicNotExist")
	f.do(t, "SetTopicAttributes", "TopicName", "news").refused(t, 404, "TopicNotExist")
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateTopic", "TopicName", "news").ok(t, nil)
	f.do(t, "CreateQueue", "QueueName", "orders").ok(t, nil)
	f.do(t, "CreateQueue", "QueueName", "dead").ok(t, nil)
	subscribe := func(more ...string) reply {
		t.Helper()
		return f.do(t, "Subscribe", append([]string{"TopicName", "news", "SubscriptionName", "all", "Endpoint", "acs:mns:cn-hangzhou:1234:/queues/orders", "PushType", "queue"}, more...)...)
	}
	all := []string{"MessageTag", "red", "NotifyContentFormat", "SIMPLIFIED", "NotifyStrategy", "EXPONENTIAL_DECAY_RETRY", "StsRoleArn", "acs:ram::1:role/r",
		"DlqPolicy", `{"DeadLetterTargetQueue":"dead","Enabled":true}`, "TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":7}`}
	var text string
	subscribe(all...).ok(t, &text)
	if text != `{"Code":200,"Message":"","Success":true}` {
		t.Errorf("got data %q", text)
	}
	subscribe(all...).ok(t, nil)
	subscribe().refused(t, 409, "SubscriptionAlreadyExist")
	subscribe(append(all, "StsRoleArn", "acs:ram::1:role/s")...).refused(t, 409, "SubscriptionAlreadyExist")
	subscribe(append(all, "TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":8}`)...).refused(t, 409, "SubscriptionAlreadyExist")
	got := f.do(t, "GetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all").ok(t, nil)
	const want = `{"SubscriptionName":"all","TopicName":"news","TopicOwner":"` + pgtest.Account + `","Endpoint":"acs:mns:cn-hangzhou:1234:/queues/orders","FilterTag":"red",` +
		`"NotifyStrategy":"EXPONENTIAL_DECAY_RETRY","NotifyContentFormat":"SIMPLIFIED","CreateTime":`
	const policies = `"DlqPolicy":{"Enabled":true,"DeadLetterTargetQueue":"dead"},"TenantRateLimitPolicy":{"Enabled":true,"MaxReceivesPerSecond":7},"StsRoleArn":"acs:ram::1:role/r"`
	if data := string(got.doc.Data); !strings.HasPrefix(data, want) || !strings.Contains(data, policies) {
		t.Errorf("got %s, want %s … %s", data, want, policies)
	}
	sub, err := f.broker.Subscription(t.Context(), core.SubscriptionName{Topic: core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: "news"}, Name: "all"})
	if err != nil || sub.Rate != 7 || sub.DeadLetter != pgtest.Name("dead") || sub.Queue != pgtest.Name("orders") {
		t.Errorf("the broker has %+v, %v", sub, err)
	}
	f.data(t, http.MethodPost, "/topics/news/messages", "<Message><MessageBody>hello</MessageBody><MessageTag>red</MessageTag></Message>")
	if status, body := f.data(t, http.MethodGet, "/queues/orders/messages", ""); status != 200 || !strings.Contains(body, "<MessageBody>hello</MessageBody>") {
		t.Errorf("the queue has %d %s", status, body)
	}
	f.do(t, "SetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all", "NotifyStrategy", "BACKOFF_RETRY", "DlqPolicy", `{"Enabled":false}`, "TenantRateLimitPolicy", `{"Enabled":false,"MaxReceivesPerSecond":9}`).ok(t, nil)
	var data subscriptionData
	f.do(t, "GetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all").ok(t, &data)
	if data.NotifyStrategy != "BACKOFF_RETRY" || data.TenantRateLimitPolicy.MaxReceivesPerSecond != 9 || data.TenantRateLimitPolicy.Enabled || data.StsRoleArn == "" || data.DlqPolicy != (targetData{}) {
		t.Errorf("after a change: got %+v", data)
	}
	var list pageData[subscriptionData]
	f.do(t, "ListSubscriptionByTopic", "TopicName", "news", "EndpointType", "queue", "SubscriptionName", "a").ok(t, &list)
	if list.Total != 1 || list.PageData[0].SubscriptionName != "all" {
		t.Errorf("list: got %+v", list)
	}
	f.do(t, "ListSubscriptionByTopic", "TopicName", "news", "EndpointType", "http").ok(t, &list)
	if list.Total != 0 {
		t.Errorf("list of HTTP: got %+v", list)
	}
	for range 2 {
		f.do(t, "Unsubscribe", "TopicName", "news", "SubscriptionName", "all").ok(t, nil)
	}
	f.do(t, "GetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all").refused(t, 404, "SubscriptionNotExist")
	f.do(t, "SetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all").refused(t, 404, "SubscriptionNotExist")
	f.do(t, "ListSubscriptionByTopic", "TopicName", "other").refused(t, 404, "TopicNotExist")
}

// A policy that is not enabled is kept; it takes away the one that was.
func TestDisabledSubscriptionPolicy(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateTopic", "TopicName", "news").ok(t, nil)
	f.do(t, "CreateQueue", "QueueName", "dead").ok(t, nil)
	f.do(t, "Subscribe", "TopicName", "news", "SubscriptionName", "all", "Endpoint", "http://example.com", "PushType", "http", "DlqPolicy", `{"Enabled":true,"DeadLetterTargetQueue":"dead"}`).ok(t, nil)
	f.do(t, "SetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all", "DlqPolicy", `{"Enabled":false,"DeadLetterTargetQueue":"dead"}`).ok(t, nil)
	var data subscriptionData
	f.do(t, "GetSubscriptionAttributes", "TopicName", "news", "SubscriptionName", "all").ok(t, &data)
	if data.DlqPolicy != (targetData{false, "dead"}) {
		t.Errorf("got %+v", data.DlqPolicy)
	}
}

// What is enforced of a topic shows in the data plane.
func TestEnforcedTopicAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	const hello = "<Message><MessageBody>hello</MessageBody></Message>"
	f.do(t, "CreateTopic", "TopicName", "small", "MaxMessageSize", "1024").ok(t, nil)
	if status, body := f.data(t, http.MethodPost, "/topics/small/messages", "<Message><MessageBody>"+strings.Repeat("x", 1025)+"</MessageBody></Message>"); status != 400 || !strings.Contains(body, "InvalidArgument") {
		t.Errorf("a message that is too long: got %d %s", status, body)
	}
	f.do(t, "CreateTopic", "TopicName", "fifo", "TopicType", "fifo").ok(t, nil)
	if status, body := f.data(t, http.MethodPost, "/topics/fifo/messages", hello); status != 400 || !strings.Contains(body, "FifoMissingMessageGroupId") {
		t.Errorf("a message of no group: got %d %s", status, body)
	}
	f.do(t, "CreateTopic", "TopicName", "logged", "EnableLogging", "true").ok(t, nil)
	f.data(t, http.MethodPost, "/topics/logged/messages", hello)
	page, err := f.broker.ListEvents(t.Context(), core.ListEventsInput{Account: pgtest.Account, Topic: "logged", Limit: 10})
	if err != nil || len(page.Events) == 0 {
		t.Errorf("the log has %d events, %v", len(page.Events), err)
	}
}

// Subscriptions come in pages by number, of those that are asked for.
func TestListSubscriptionsInPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateTopic", "TopicName", "news").ok(t, nil)
	for i := range 12 {
		kind, endpoint := "http", "http://example.com/a"
		if i%2 == 1 {
			kind, endpoint = "queue", "acs:mns:cn-hangzhou:1234:queues/orders"
		}
		f.do(t, "Subscribe", "TopicName", "news", "SubscriptionName", fmt.Sprintf("s-%02d", i), "Endpoint", endpoint, "PushType", kind).ok(t, nil)
	}
	tests := map[string]struct {
		parameters []string
		want       string
	}{
		"first":       {[]string{"PageSize", "10", "SubscriptionName", "s-0"}, "s-00 to s-09, 10 of 10, page 1 of 1"},
		"second":      {[]string{"PageNum", "2", "PageSize", "10"}, "s-10 to s-11, 2 of 12, page 2 of 2"},
		"beyond":      {[]string{"PageNum", "3", "PageSize", "10"}, "none, 0 of 12, page 3 of 2"},
		"of a kind":   {[]string{"EndpointType", "queue"}, "s-01 to s-11, 6 of 6, page 1 of 1"},
		"of a value":  {[]string{"EndpointType", "http", "EndpointValue", "http://example.com/a"}, "s-00 to s-10, 6 of 6, page 1 of 1"},
		"of no value": {[]string{"EndpointValue", "http://example.com/b"}, "none, 0 of 0, page 1 of 0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var data pageData[subscriptionData]
			f.do(t, "ListSubscriptionByTopic", append([]string{"TopicName", "news"}, tt.parameters...)...).ok(t, &data)
			shown := "none"
			if rows := data.PageData; len(rows) > 0 {
				shown = rows[0].SubscriptionName + " to " + rows[len(rows)-1].SubscriptionName
			}
			if got := fmt.Sprintf("%s, %d of %d, page %d of %d", shown, data.Size, data.Total, data.PageNum, data.Pages); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPushTypes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateTopic", "TopicName", "news").ok(t, nil)
	tests := map[string]struct{ pushType, endpoint, code string }{
		"http":                    {"http", "http://example.com/a", ""},
		"https":                   {"http", "https://example.com/a", ""},
		"queue":                   {"queue", "acs:mns:cn-hangzhou:1234:queues/orders", ""},
		"queue by its name":       {"queue", "orders", ""},
		"dm":                      {"dm", "smq-ep:dm:1234:__dynamic", ""},
		"dysms":                   {"dysms", "smq-ep:dysms:1234:13900000000", ""},
		"fc":                      {"fc", "acs:fc:cn-hangzhou:1234:services/s/functions/f", ""},
		"eventbus":                {"eventbus", "acs:eventbridge:cn-hangzhou:1234:eventbus/b", ""},
		"mpush":                   {"mpush", "1234", ""},
		"alisms":                  {"alisms", "13900000000", ""},
		"email":                   {"email", "a@example.com", ""},
		"kafka":                   {"kafka", "k", ""},
		"unknown":                 {"pigeon", "p", "InvalidArgument"},
		"no URL":                  {"http", "example.com", "EndpointInvalid"},
		"queue for http":          {"http", "acs:mns:cn-hangzhou:1234:queues/orders", "EndpointInvalid"},
		"URL for a queue":         {"queue", "http://example.com", "EndpointInvalid"},
		"another service for dm":  {"dm", "smq-ep:dysms:1234:1", "EndpointInvalid"},
		"no such queue to die in": {"http", "http://example.com", "QueueNotExist"},
		"no push type":            {"", "http://example.com", "MissingPushType"},
		"no endpoint":             {"http", "", "MissingEndpoint"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			parameters := []string{"TopicName", "news", "SubscriptionName", strings.ReplaceAll(name, " ", "-"), "Endpoint", tt.endpoint, "PushType", tt.pushType}
			if tt.code == "QueueNotExist" {
				parameters = append(parameters, "DlqPolicy", `{"Enabled":true,"DeadLetterTargetQueue":"none"}`)
			}
			got := f.do(t, "Subscribe", parameters...)
			switch tt.code {
			case "":
				got.ok(t, nil)
				var data subscriptionData
				f.do(t, "GetSubscriptionAttributes", parameters[:4]...).ok(t, &data)
				if data.Endpoint != tt.endpoint {
					t.Errorf("got endpoint %s", data.Endpoint)
				}
			case "QueueNotExist":
				got.refused(t, 404, tt.code)
			default:
				got.refused(t, 400, tt.code)
			}
		})
	}
	f.data(t, http.MethodPut, "/topics/news/subscriptions/data-plane", "<Subscription><Endpoint>sms:directsms:anonymous</Endpoint></Subscription>")
	for pushType, want := range map[string]string{
		"http": "http https", "queue": "queue queue-by-its-name", "dm": "dm", "dysms": "dysms", "fc": "fc", "eventbus": "eventbus", "mpush": "mpush", "alisms": "alisms data-plane",
		"email": "email", "kafka": "kafka", "pigeon": "",
	} {
		var list pageData[subscriptionData]
		f.do(t, "ListSubscriptionByTopic", "TopicName", "news", "EndpointType", pushType).ok(t, &list)
		var names []string
		for _, sub := range list.PageData {
			names = append(names, sub.SubscriptionName)
		}
		if got := strings.Join(names, " "); got != want || list.Total != len(names) {
			t.Errorf("of type %s: got %q of %d, want %q", pushType, got, list.Total, want)
		}
	}
}
