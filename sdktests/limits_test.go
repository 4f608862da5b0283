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
	"github.com/polymq/polymq/pg/pgtest"
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
	if _, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("hello")}); errorCode(err) != "Throttled" {
		t.Errorf("more bytes by SNS: %v", err)
	}
	response, err := http.Post(p.url+"/api/v1/queues/orders/messages?account="+limitedAccount, "application/json", strings.NewReader(`{"messages":[{"body":"x"}]}`))
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
		response, err := http.DefaultClient.Do(r)
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
	list := func(p polymq) (throttled int) {
		client := p.sqs()
		for range 40 {
			_, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
			if code := errorCode(err); code == "RequestThrottled" {
				throttled++
			} else if code != "" {
				t.Fatal(err)
			}
		}
		return throttled
	}
	if got := list(p); got == 0 || got == 40 {
		t.Errorf("of 40 requests at once %d were refused, want some", got)
	}
	if got := list(polymq{p.url, "777788889999"}); got != 0 {
		t.Errorf("of another account's requests %d were refused", got)
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
	if got := list(p); got != 0 {
		t.Errorf("without a limit %d requests were refused", got)
	}
}
