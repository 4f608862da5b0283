package sdktests

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/iam"
	"github.com/polymq/polymq/protocols/ram"
	"github.com/polymq/polymq/protocols/smq"
)

const limitedAccount = "444455556666"

// startLimited starts a server that bounds what accounts may have.
func startLimited(t *testing.T, config server.Config) polymq {
	t.Helper()
	config.Listen, config.DatabaseURL, config.LogLevel, config.LogOutput = []string{"127.0.0.1:0"}, pgtest.DatabaseURL(t), "error", t.Output()
	srv, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return polymq{srv.URL(), limitedAccount}
}

func TestLimitsInEveryProtocol(t *testing.T) {
	t.Parallel()
	p := startLimited(t, server.Config{LimitQueues: 1, LimitTopics: 1, LimitBytes: 100})
	client := p.sqs()
	url := createQueue(t, client, "orders")
	_, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("more")})
	if over := (*types.OverLimit)(nil); !errors.As(err, &over) {
		t.Errorf("a second queue by SQS: %v", err)
	}
	if err := ali_mns.NewMNSQueueManager(p.mns(limitedAccount)).CreateSimpleQueue("more"); err == nil || !strings.Contains(err.Error(), "QuotaExceeded") {
		t.Errorf("a second queue by MNS: %v", err)
	}
	topics := sns.New(sns.Options{BaseEndpoint: &p.url, Region: "us-east-1", RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(limitedAccount, "x", "")})
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("more")}); errorCode(err) != "TopicLimitExceeded" {
		t.Errorf("a second topic: %v", err)
	}
	send := func() error {
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(strings.Repeat("x", 100))})
		return err
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	err = send()
	if throttled := (*types.RequestThrottled)(nil); !errors.As(err, &throttled) {
		t.Errorf("more bytes by SQS: %v", err)
	}
	queue := ali_mns.NewMNSQueue("orders", p.mns(limitedAccount))
	if _, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"}); err == nil || !strings.Contains(err.Error(), "QpsLimitExceeded") {
		t.Errorf("more bytes by MNS: %v", err)
	}
	if _, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("hello")}); errorCode(err) != "Throttling" {
		t.Errorf("more bytes by SNS: %v", err)
	}
	response, err := httpClient.Post(p.url+"/api/v1/queues/orders/messages?account="+limitedAccount, "application/json", strings.NewReader(`{"messages":[{"body":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" {
		t.Errorf("more bytes by the JSON API: %d", response.StatusCode)
	}
	if bodies := bodiesIn(t, client, url, 1); len(bodies) != 1 {
		t.Errorf("what is there cannot be received: %v", bodies)
	}
}

// Who asks too often is told so in a way that SDKs try again by themselves; others are not slowed down.
func TestLimitOfRequests(t *testing.T) {
	t.Parallel()
	p := startLimited(t, server.Config{})
	set := func(limits string) {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, p.url+"/api/v1/accounts/"+limitedAccount+"/limits", strings.NewReader(limits))
		r.Header.Set("Content-Type", "application/json")
		response, err := httpClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var answer struct{ Holds struct{ Requests int } }
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("set limits: %d %v", response.StatusCode, err)
		}
	}
	set(`{"requests":5}`)
	// list asks until a request is refused, so often at the most, and gives how many were answered.
	list := func(p polymq, most int) (answered int) {
		client := p.sqs()
		for ; answered < most; answered++ {
			_, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
			if code := errorCode(err); code == "RequestThrottled" {
				break
			} else if code != "" {
				t.Fatal(err)
			}
		}
		return answered
	}
	const many = 1000 // far more than go in the time that they take
	if got := list(p, many); got == 0 || got == many {
		t.Errorf("of %d requests at once %d were answered, want some", many, got)
	}
	if got := list(polymq{p.url, "777788889999"}, 40); got != 40 {
		t.Errorf("of 40 requests of another account %d were answered", got)
	}
	patient := p.sqs(func(o *sqs.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 10 })
	})
	for range 3 {
		if _, err := patient.ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil {
			t.Errorf("with the SDK's retries: %v", err)
		}
	}
	set(`{}`)
	if got := list(p, 40); got != 40 {
		t.Errorf("without a limit %d of 40 requests were answered", got)
	}
}

// TestEveryLimitInEveryProtocol asks for more than the account may have by each protocol that could give it, and looks for
// the name that the protocol's clients know such a refusal by.
func TestEveryLimitInEveryProtocol(t *testing.T) {
	t.Parallel()
	p := startLimited(t, server.Config{LimitQueues: 1, LimitTopics: 1, LimitBytes: 100})
	queue := createQueue(t, p.sqs(), "orders")
	topics := sns.New(sns.Options{BaseEndpoint: &p.url, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(limitedAccount, "x", "")})
	if _, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.sqs().SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String(strings.Repeat("x", 100))}); err != nil {
		t.Fatal(err)
	}
	w := walker{&verifying{polymq: p}, core.Key{ID: limitedAccount, Secret: "x"}}
	asked := func(ask func(walker, *testing.T, string, string, string) *http.Request, action, name string) string {
		t.Helper()
		status, answer := w.ask(t, ask(w, t, action, limitedAccount, name))
		if status < 400 || status >= 500 {
			t.Errorf("%s is answered with %d %s", action, status, answer)
		}
		return answer
	}
	api := func(path, body string) string {
		t.Helper()
		r := w.post(t, "/api/v1"+path+"?account="+limitedAccount, "application/json", body)
		_, answer := roundTrip(t, r)
		return answer
	}
	snsWalk, smqWalk := awsWalk("sns", sns20100331, snsParameters), aliyunWalk(smq.Version, smqParameters)
	const more = missing
	for name, tt := range map[string]struct{ answer, want string }{
		"a queue by SQS":        {asked(walker.sqsJSON, "CreateQueue", more), "OverLimit"},
		"a queue by SQS, query": {asked(walker.sqsQuery, "CreateQueue", more), "<Code>OverLimit"},
		"a queue by MNS":        {asked(walker.mnsXML, "CreateQueue", more), "<Code>QuotaExceeded"},
		"a queue by SMQ":        {asked(smqWalk, "CreateQueue", more), `"Code":"QuotaExceeded`},
		"a queue by the API":    {api("/queues", `{"name":"missing"}`), `"code":"EntityLimit"`},
		"a topic by SNS":        {asked(snsWalk, "CreateTopic", more), "<Code>TopicLimitExceeded"},
		"a topic by MNS":        {asked(walker.mnsXML, "CreateTopic", more), "<Code>QuotaExceeded"},
		"a topic by SMQ":        {asked(smqWalk, "CreateTopic", more), `"Code":"QuotaExceeded`},
		"a topic by the API":    {api("/topics", `{"name":"missing"}`), `"code":"EntityLimit"`},
		"bytes by SQS":          {asked(walker.sqsJSON, "SendMessage", "orders"), "RequestThrottled"},
		"bytes by SQS, query":   {asked(walker.sqsQuery, "SendMessage", "orders"), "<Code>RequestThrottled"},
		"a batch by SQS":        {asked(walker.sqsJSON, "SendMessageBatch", "orders"), "RequestThrottled"},
		"bytes by MNS":          {asked(walker.mnsXML, "SendMessage", "orders"), "<Code>QpsLimitExceeded"},
		"bytes by MNS, JSON":    {asked(walker.mnsJSON, "SendMessage", "orders"), "QpsLimitExceeded"},
		"a batch by MNS":        {asked(walker.mnsXML, "BatchSendMessage", "orders"), "<Code>QpsLimitExceeded"},
		"published by MNS":      {asked(walker.mnsXML, "PublishMessage", "orders"), "<Code>QpsLimitExceeded"},
		"published by SNS":      {asked(snsWalk, "Publish", "orders"), "<Code>Throttling"},
		"a batch by SNS":        {asked(snsWalk, "PublishBatch", "orders"), "<Code>Throttling"},
		"bytes by the API":      {api("/queues/orders/messages", `{"messages":[{"body":"x"}]}`), `"code":"Throttled"`},
		"published by the API":  {api("/topics/orders/messages", `{"messages":[{"body":"x"}]}`), `"code":"Throttled"`},
	} {
		if !strings.Contains(tt.answer, tt.want) {
			t.Errorf("%s is refused with %s, want %s", name, tt.answer, tt.want)
		}
	}
	wantCounts(t, p.sqs(), queue, 1, 0, 0)
	p.api(t, http.MethodPut, "/accounts/"+limitedAccount+"/limits", map[string]int{"requests": 1, "queues": 1, "topics": 1, "bytes": 100}, nil)
	for name, tt := range map[string]struct {
		ask    func(walker, *testing.T, string, string, string) *http.Request
		action string
		want   string
	}{
		"SQS": {walker.sqsJSON, "ListQueues", "RequestThrottled"}, "SQS, query": {walker.sqsQuery, "ListQueues", "<Code>RequestThrottled"}, "SNS": {snsWalk, "ListTopics", "<Code>Throttling"},
		"STS": {awsWalk("sts", sts20110615, stsParameters), "GetCallerIdentity", "<Code>Throttling"}, "IAM": {awsWalk("iam", iam.Version, iamParameters), "ListUsers", "<Code>Throttling"},
		"MNS": {walker.mnsXML, "ListQueue", "<Code>QpsLimitExceeded"}, "MNS, JSON": {walker.mnsJSON, "PeekMessage", "QpsLimitExceeded"}, "SMQ": {smqWalk, "ListQueue", `"Code":"Throttling`},
		"RAM": {aliyunWalk(ram.Version, ramParameters), "ListUsers", `"Code":"Throttling`},
		"the API": {func(w walker, t *testing.T, _, account, _ string) *http.Request {
			r := w.post(t, "/api/v1/queues?account="+account, "application/json", "")
			r.Method = http.MethodGet
			return r
		}, "", `"code":"Throttled"`},
	} {
		var last string
		for range 200 {
			_, last = w.ask(t, tt.ask(w, t, tt.action, limitedAccount, "orders"))
			if strings.Contains(last, tt.want) {
				break
			}
		}
		if !strings.Contains(last, tt.want) {
			t.Errorf("of 200 requests by %s at once none was refused; the last is answered with %s", name, last)
		}
	}
}
