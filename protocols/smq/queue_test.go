package smq

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/mns"
)

func TestQueueAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateQueue", "QueueName", "dead").ok(t, nil)
	var made result
	f.do(t, "CreateQueue", "QueueName", "orders", "DelaySeconds", "1", "MaximumMessageSize", "2048", "MessageRetentionPeriod", "3600", "VisibilityTimeout", "45",
		"PollingWaitSeconds", "2", "EnableLogging", "True", "DlqPolicy", `{"DeadLetterTargetQueue":"dead","Enabled":true,"MaxReceiveCount":3}`,
		"TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":"100"}`, "EnableSSE", "true", "SseType", "KMS", "KmsKeyId", "k",
		"Tag.1.Key", "env", "Tag.1.Value", "k v*~", "Tag.2.Key", "team", "Tag.2.Value", "").ok(t, &made)
	if made != (result{Code: 200, Success: true}) {
		t.Errorf("created: got %+v", made)
	}
	got := f.do(t, "GetQueueAttributes", "QueueName", "orders").ok(t, nil)
	for _, member := range []string{
		`"QueueName":"orders"`, `"QueueType":"normal"`, `"DelaySeconds":1`, `"MaximumMessageSize":2048`, `"MessageRetentionPeriod":3600`, `"VisibilityTimeout":45`,
		`"PollingWaitSeconds":2`, `"ActiveMessages":0`, `"InactiveMessages":0`, `"DelayMessages":0`, `"LoggingEnabled":true`,
		`"DlqPolicy":{"Enabled":true,"DeadLetterTargetQueue":"dead","MaxReceiveCount":"3"}`,
		`"TenantRateLimitPolicy":{"Enabled":true,"MaxReceivesPerSecond":100}`, `"Tags":[{"TagKey":"env","TagValue":"k v*~"},{"TagKey":"team","TagValue":""}]`,
		`"EnableSSE":true,"EncryptionEnabled":true,"SseType":"KMS","SseAlgorithm":"AES-256-GCM","KmsKeyId":"k"`, `"QueueUrl":"` + f.url + `/queues/orders"`,
	} {
		if !strings.Contains(string(got.doc.Data), member) {
			t.Errorf("got no %s in %s", member, got.doc.Data)
		}
	}
	var queue queueData
	got.ok(t, &queue)
	if now := time.Now().Unix(); queue.CreateTime < now-600 || queue.CreateTime > now+600 {
		t.Errorf("CreateTime in seconds: got %d", queue.CreateTime)
	}
	f.do(t, "SetQueueAttributes", "QueueName", "orders", "VisibilityTimeout", "46", "DlqPolicy", `{"Enabled":false,"MaxReceiveCount":"5","DeadLetterTargetQueue":"later"}`).ok(t, nil)
	f.do(t, "GetQueueAttributes", "QueueName", "orders").ok(t, &queue)
	if queue.VisibilityTimeout != 46 || queue.DelaySeconds != 1 || queue.DlqPolicy != (dlqData{false, "later", "5"}) {
		t.Errorf("after a change: got %+v", queue)
	}
	if status, body := f.data(t, http.MethodGet, "/queues/orders", ""); status != 200 || !strings.Contains(body, "<VisibilityTimeout>46<") {
		t.Errorf("the data plane has %d %s", status, body)
	}
	for range 2 {
		f.do(t, "DeleteQueue", "QueueName", "orders").ok(t, nil)
	}
	f.do(t, "GetQueueAttributes", "QueueName", "orders").refused(t, 404, "QueueNotExist")
	f.do(t, "SetQueueAttributes", "QueueName", "orders").refused(t, 404, "QueueNotExist")
}

// What is not given stays, an empty policy is not given, and one that is not enabled takes away the one that was: with
// as little as Terraform sends then.
func TestPoliciesAreTakenAway(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateQueue", "QueueName", "dead").ok(t, nil)
	const on = `{"DeadLetterTargetQueue":"dead","Enabled":true,"MaxReceiveCount":3}`
	f.do(t, "CreateQueue", "QueueName", "orders", "DlqPolicy", on, "TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":5}`).ok(t, nil)
	for _, step := range []struct {
		set  []string
		dlq  dlqData
		rate mns.RateLimit
	}{
		{[]string{"DelaySeconds", "1"}, dlqData{true, "dead", "3"}, mns.RateLimit{Enabled: true, MaxReceivesPerSecond: 5}},
		{[]string{"DlqPolicy", "{}", "TenantRateLimitPolicy", "{}"}, dlqData{true, "dead", "3"}, mns.RateLimit{Enabled: true, MaxReceivesPerSecond: 5}},
		{[]string{"DlqPolicy", `{"Enabled":false}`}, dlqData{false, "", "0"}, mns.RateLimit{Enabled: true, MaxReceivesPerSecond: 5}},
		{[]string{"DlqPolicy", on, "TenantRateLimitPolicy", `{"Enabled":false}`}, dlqData{true, "dead", "3"}, mns.RateLimit{}},
		{[]string{"DlqPolicy", `{"Enabled":"false","MaxReceiveCount":0}`}, dlqData{false, "", "0"}, mns.RateLimit{}},
	} {
		f.form(t, "SetQueueAttributes", append([]string{"QueueName", "orders"}, step.set...)...).ok(t, nil)
		var got queueData
		f.do(t, "GetQueueAttributes", "QueueName", "orders").ok(t, &got)
		if got.DlqPolicy != step.dlq || *got.TenantRateLimitPolicy != step.rate {
			t.Errorf("after %v: got %+v, %+v", step.set, got.DlqPolicy, got.TenantRateLimitPolicy)
		}
	}
	if queue, err := f.broker.Queue(t.Context(), pgtest.Name("orders")); err != nil || queue.DeadLetter != (core.DeadLetterPolicy{}) {
		t.Errorf("the broker still has %+v, %v", queue.DeadLetter, err)
	}
}

func TestCreateQueueAgain(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "45").ok(t, nil)
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "45", "DlqPolicy", "{}").ok(t, nil)
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "46").refused(t, 409, "QueueAlreadyExist")
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "45", "QueueType", "fifo").refused(t, 409, "QueueAlreadyExist")
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "45", "TenantRateLimitPolicy", `{"Enabled":false,"MaxReceivesPerSecond":0}`, "EnableSSE", "false").ok(t, nil)
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "45", "TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":5}`).refused(t, 409, "QueueAlreadyExist")
	f.do(t, "CreateQueue", "QueueName", "orders", "VisibilityTimeout", "45", "EnableSSE", "true").refused(t, 409, "QueueAlreadyExist")
	f.do(t, "CreateTopic", "TopicName", "news", "EnableSSE", "true", "KmsKeyId", "k").ok(t, nil)
	f.do(t, "CreateTopic", "TopicName", "news", "EnableSSE", "true", "KmsKeyId", "k", "SseAlgorithm", sseAlgorithm).ok(t, nil)
	f.do(t, "CreateTopic", "TopicName", "news", "EnableSSE", "true", "KmsKeyId", "l").refused(t, 409, "TopicAlreadyExist")
}

func TestCreateQueueRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	tests := map[string]struct {
		parameters []string
		status     int
		code       string
	}{
		"no name":               {nil, 400, "MissingQueueName"},
		"empty name":            {[]string{"QueueName", ""}, 400, "MissingQueueName"},
		"bad name":              {[]string{"QueueName", "my_queue"}, 400, "InvalidQueueName"},
		"name too long":         {[]string{"QueueName", strings.Repeat("q", 257)}, 400, "QueueNameLengthError"},
		"no number":             {[]string{"QueueName", "q", "DelaySeconds", "soon"}, 400, "InvalidParameter"},
		"delay too long":        {[]string{"QueueName", "q", "DelaySeconds", "604801"}, 400, "InvalidArgument"},
		"a long algorithm":      {[]string{"QueueName", "q", "SseAlgorithm", strings.Repeat("a", maxKeptLength+1)}, 400, "InvalidParameter"},
		"no visibility timeout": {[]string{"QueueName", "q", "VisibilityTimeout", "0"}, 400, "InvalidArgument"},
		"no truth value":        {[]string{"QueueName", "q", "EnableLogging", "perhaps"}, 400, "InvalidParameter"},
		"unknown type":          {[]string{"QueueName", "q", "QueueType", "stack"}, 400, "InvalidParameter"},
		"no JSON":               {[]string{"QueueName", "q", "DlqPolicy", "on"}, 400, "InvalidParameter"},
		"policy without target": {[]string{"QueueName", "q", "DlqPolicy", `{"Enabled":true,"MaxReceiveCount":3}`}, 400, "InvalidParameter"},
		"policy without count":  {[]string{"QueueName", "q", "DlqPolicy", `{"Enabled":true,"DeadLetterTargetQueue":"d"}`}, 400, "InvalidParameter"},
		"count too high":        {[]string{"QueueName", "q", "DlqPolicy", `{"Enabled":true,"DeadLetterTargetQueue":"d","MaxReceiveCount":1001}`}, 400, "InvalidParameter"},
		"target missing":        {[]string{"QueueName", "q", "DlqPolicy", `{"Enabled":true,"DeadLetterTargetQueue":"d","MaxReceiveCount":3}`}, 404, "QueueNotExist"},
		"target itself":         {[]string{"QueueName", "q", "DlqPolicy", `{"Enabled":true,"DeadLetterTargetQueue":"q","MaxReceiveCount":3}`}, 400, "InvalidParameter"},
		"rate too high":         {[]string{"QueueName", "q", "TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":1000001}`}, 400, "InvalidParameter"},
		"tag without a key":     {[]string{"QueueName", "q", "Tag.1.Key", "", "Tag.1.Value", "v"}, 400, "InvalidParameter"},
		"tag twice":             {[]string{"QueueName", "q", "Tag.1.Key", "k", "Tag.2.Key", "k"}, 400, "InvalidParameter"},
		"reserved tag":          {[]string{"QueueName", "q", "Tag.1.Key", "acs:k"}, 400, "InvalidParameter"},
		"answer in YAML":        {[]string{"QueueName", "q", "Format", "yaml"}, 400, "InvalidParameter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.do(t, "CreateQueue", tt.parameters...).refused(t, tt.status, tt.code)
		})
	}
	f.do(t, "GetQueueAttributes", "QueueName", "q").refused(t, 404, "QueueNotExist") // nothing was stored
}

// What is enforced of a queue shows in the data plane.
func TestEnforcedQueueAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	const hello = "<Message><MessageBody>hello</MessageBody></Message>"
	f.do(t, "CreateQueue", "QueueName", "dead").ok(t, nil)
	sendAndReceive := func(t *testing.T, at string, after time.Duration) (status int, body string) {
		t.Helper()
		f.data(t, http.MethodPost, at, hello)
		pgtest.Advance(t, f.broker, after)
		return f.data(t, http.MethodGet, at, "")
	}
	tests := []struct {
		name, value string
		shows       func(t *testing.T, at string) (status int, body string)
		status      int
		has         string
	}{
		{"DelaySeconds", "60", func(t *testing.T, at string) (int, string) { return sendAndReceive(t, at, 0) }, 404, "MessageNotExist"},
		{"MaximumMessageSize", "1024", func(t *testing.T, at string) (int, string) {
			return f.data(t, http.MethodPost, at, "<Message><MessageBody>"+strings.Repeat("x", 1025)+"</MessageBody></Message>")
		}, 400, "InvalidArgument"},
		{"MessageRetentionPeriod", "60", func(t *testing.T, at string) (int, string) { return sendAndReceive(t, at, 61*time.Second) }, 404, "MessageNotExist"},
		{"VisibilityTimeout", "2", func(t *testing.T, at string) (int, string) {
			sendAndReceive(t, at, 0)
			pgtest.Advance(t, f.broker, 2*time.Second)
			return f.data(t, http.MethodGet, at, "")
		}, 200, "<DequeueCount>2<"},
		{"PollingWaitSeconds", "1", func(t *testing.T, at string) (int, string) {
			began := time.Now()
			status, body := f.data(t, http.MethodGet, at, "")
			return status, fmt.Sprint(time.Since(began) > 900*time.Millisecond, body)
		}, 404, "true"},
		{"QueueType", "fifo", func(t *testing.T, at string) (int, string) { return f.data(t, http.MethodPost, at, hello) }, 400, "FifoMissingMessageGroupId"},
		{"DlqPolicy", `{"DeadLetterTargetQueue":"dead","Enabled":"true","MaxReceiveCount":"1"}`, func(t *testing.T, at string) (int, string) {
			sendAndReceive(t, at, 0)
			pgtest.Advance(t, f.broker, 30*time.Second)
			f.data(t, http.MethodGet, at, "")
			return f.data(t, http.MethodGet, "/queues/dead/messages", "")
		}, 200, "hello"},
		{"TenantRateLimitPolicy", `{"Enabled":true,"MaxReceivesPerSecond":1}`, func(t *testing.T, at string) (status int, body string) {
			for range 1000 { // far more than go in a second
				if status, body = f.data(t, http.MethodGet, at, ""); status == 400 {
					break
				}
			}
			return status, body
		}, 400, "QpsLimitExceeded"},
		{"EnableLogging", "true", func(t *testing.T, at string) (int, string) {
			status, _ := sendAndReceive(t, at, 0)
			page, err := f.broker.ListEvents(t.Context(), core.ListEventsInput{Account: pgtest.Account, Queue: "EnableLogging", Limit: 10})
			return status, fmt.Sprint(len(page.Events), " events ", err)
		}, 200, "2 events <nil>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { // one after the other, for they move time
			f.do(t, "CreateQueue", "QueueName", tt.name, tt.name, tt.value).ok(t, nil)
			if status, body := tt.shows(t, "/queues/"+tt.name+"/messages"); status != tt.status || !strings.Contains(body, tt.has) {
				t.Errorf("got %d %s, want %d and %s", status, body, tt.status, tt.has)
			}
		})
	}
}

func TestListQueue(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range 12 {
		f.do(t, "CreateQueue", "QueueName", fmt.Sprintf("b-%02d", i), "Tag.1.Key", "n", "Tag.1.Value", fmt.Sprint(i%2)).ok(t, nil)
	}
	f.do(t, "CreateQueue", "QueueName", "a", "QueueType", "fifo").ok(t, nil)
	names := func(parameters ...string) string {
		t.Helper()
		var data pageData[queueData]
		f.do(t, "ListQueue", parameters...).ok(t, &data)
		var names []string
		for _, q := range data.PageData {
			names = append(names, q.QueueName)
		}
		return fmt.Sprintf("%v of %d, page %d of %d, size %d, rows %d", names, data.Total, data.PageNum, data.Pages, data.PageSize, data.Size)
	}
	tests := map[string]struct {
		parameters []string
		want       string
	}{
		"second page":         {[]string{"PageNum", "2", "PageSize", "10"}, "[b-09 b-10 b-11] of 13, page 2 of 2, size 10, rows 3"},
		"beyond the last":     {[]string{"PageNum", "9", "PageSize", "10"}, "[] of 13, page 9 of 2, size 10, rows 0"},
		"size too small":      {[]string{"PageNum", "2", "PageSize", "1", "QueueName", "b-"}, "[b-10 b-11] of 12, page 2 of 2, size 10, rows 2"},
		"size too large":      {[]string{"PageSize", "51", "QueueName", "b-1"}, "[b-10 b-11] of 2, page 1 of 1, size 50, rows 2"},
		"of a type":           {[]string{"PageNum", "0", "QueueType", "fifo"}, "[a] of 1, page 1 of 1, size 50, rows 1"},
		"of a tag":            {[]string{"Tag.1.Key", "n", "Tag.1.Value", "1", "QueueName", "b-0"}, "[b-01 b-03 b-05 b-07 b-09] of 5, page 1 of 1, size 50, rows 5"},
		"of a tag, any value": {[]string{"Tag.1.Key", "n", "QueueName", "b-11"}, "[b-11] of 1, page 1 of 1, size 50, rows 1"},
		"of a type and tag":   {[]string{"Tag.1.Key", "n", "Tag.1.Value", "1", "QueueType", "normal", "QueueName", "b-1"}, "[b-11] of 1, page 1 of 1, size 50, rows 1"},
		"farther than any":    {[]string{"PageNum", "2147483647"}, "[] of 13, page 100000000 of 1, size 50, rows 0"},
		"none":                {[]string{"QueueName", "c"}, "[] of 0, page 1 of 0, size 50, rows 0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := names(tt.parameters...); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	f.do(t, "ListQueue", "QueueType", "other").refused(t, 400, "InvalidParameter")
	f.do(t, "ListQueue", "Tag.1.Key", "n", "Tag.1.Value", "\x00").refused(t, 400, "InvalidArgument")
	if status, body := f.data(t, http.MethodPost, "/queues/a/messages", "<Message><MessageBody>x</MessageBody><MessageGroupId>g</MessageGroupId></Message>"); status != 201 {
		t.Fatalf("send: got %d %s", status, body)
	}
	var data pageData[queueData]
	if f.do(t, "ListQueue", "QueueName", "a").ok(t, &data); data.PageData[0].ActiveMessages != 1 {
		t.Errorf("a queue with a message: got %+v", data.PageData[0])
	}
	if body := f.do(t, "ListQueue", "QueueName", "c").body; !strings.Contains(body, `"PageData":[]`) {
		t.Errorf("an empty list is written as %s", body)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "CreateQueue", "QueueName", "orders", "Tag.1.Key", "a", "Tag.1.Value", "1").ok(t, nil)
	f.do(t, "CreateTopic", "TopicName", "news").ok(t, nil)
	for kind, name := range map[string]string{"queue": "orders", "topic": "news"} {
		f.form(t, "TagResources", "RegionId", "cn-hangzhou", "ResourceType", kind, "ResourceId.1", name, "Tag.1.Key", "b", "Tag.1.Value", "2", "Tag.2.Key", "c", "Tag.2.Value", "3").ok(t, nil)
		f.form(t, "UntagResources", "RegionId", "cn-hangzhou", "ResourceType", kind, "ResourceId.1", name, "TagKey.1", "a", "TagKey.2", "c").ok(t, nil)
		got := f.form(t, "ListTagResources", "ResourceType", kind, "ResourceId.1", name).doc
		if len(got.TagResources.TagResource) != 1 || got.TagResources.TagResource[0] != (resourceTagData{kind, name, "b", "2"}) || got.RequestId == "" {
			t.Errorf("%s: got %+v", kind, got)
		}
	}
	f.form(t, "TagResources", "ResourceType", "queue", "ResourceId.1", "other", "Tag.1.Key", "b").refused(t, 404, "QueueNotExist")
	f.form(t, "TagResources", "ResourceType", "topic", "ResourceId.1", "other", "Tag.1.Key", "b").refused(t, 404, "TopicNotExist")
	f.form(t, "TagResources", "ResourceType", "bucket", "ResourceId.1", "orders", "Tag.1.Key", "b").refused(t, 400, "InvalidParameter")
	f.form(t, "TagResources", "ResourceType", "queue", "Tag.1.Key", "b").refused(t, 400, "MissingResourceId")
	f.form(t, "TagResources", "ResourceType", "queue", "ResourceId.1", "orders").refused(t, 400, "MissingTag")
	many := []string{"ResourceType", "queue", "ResourceId.1", "orders"}
	for i := 1; i <= maxTags; i++ {
		many = append(many, fmt.Sprintf("Tag.%d.Key", i), fmt.Sprintf("k%d", i))
	}
	f.form(t, "TagResources", many...).refused(t, 400, "InvalidParameter") // with the one that is there
	f.form(t, "UntagResources", "ResourceType", "queue", "ResourceId.1", "orders", "All", "true").ok(t, nil)
	f.form(t, "TagResources", many...).ok(t, nil)
}

// The service publishes no values for encryption: what was asked for is shown, whatever it is.
func TestEncryptionIsKeptAsAsked(t *testing.T) {
	t.Parallel()
	f := start(t)
	tests := map[string]struct {
		set  []string
		want encryptionData
	}{
		"nothing":        {nil, encryptionData{}},
		"by default":     {[]string{"EnableSSE", "true"}, encryptionData{EnableSSE: true, EncryptionEnabled: true, SseAlgorithm: sseAlgorithm}},
		"any values":     {[]string{"EnableSSE", "true", "SseType", "OSS", "SseAlgorithm", "AES256", "KmsKeyId", "k"}, encryptionData{true, true, "OSS", "AES256", "k"}},
		"not in force":   {[]string{"EnableSSE", "false", "SseType", "KMS"}, encryptionData{SseType: "KMS"}},
		"type, no force": {[]string{"SseType", "SMQ"}, encryptionData{SseType: "SMQ"}},
	}
	for name, tt := range tests {
		queue := strings.NewReplacer(" ", "-", ",", "").Replace(name)
		f.do(t, "CreateQueue", append([]string{"QueueName", queue}, tt.set...)...).ok(t, nil)
		var got encryptionData
		f.do(t, "GetQueueAttributes", "QueueName", queue).ok(t, &got)
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
