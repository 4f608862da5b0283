package sdktests

import (
	"encoding/base64"
	"testing"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func TestCrossQueueNamesShareOneSpace(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client, manager := srv.sqs(), ali_mns.NewMNSQueueManager(srv.mns(accessKey))
	url := createQueue(t, client, "from_sqs", "VisibilityTimeout", "45", "MaximumMessageSize", "1048576")
	srv.mnsQueue(t, "from-mns")
	got, err := manager.GetQueueAttributes("from_sqs")
	if err != nil || got.VisibilityTimeout != 45 || got.MaxMessageSize != 1048576 {
		t.Errorf("MNS sees %+v, %v", got, err)
	}
	out, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("from-mns")})
	if err != nil {
		t.Fatalf("SQS does not see MNS's queue: %v", err)
	}
	if got := attributes(t, client, *out.QueueUrl, "MaximumMessageSize")["MaximumMessageSize"]; got != "65536" {
		t.Errorf("SQS sees a maximum of %s, want MNS's 65536", got)
	}
	var queues struct{ Queues []struct{ Name string } }
	srv.api(t, "GET", "/queues", nil, &queues)
	if len(queues.Queues) != 2 {
		t.Errorf("the JSON API lists %v", queues)
	}
	if err := manager.DeleteQueue("from_sqs"); err != nil {
		t.Fatalf("delete by MNS: %v", err)
	}
	if _, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url}); err == nil {
		t.Error("SQS still has the queue that MNS deleted")
	}
}

// An access key of twelve digits is its account, in both clouds' SDKs.
func TestCrossAccounts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	createQueue(t, srv.sqs(func(o *sqs.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("111122223333", "test", "")
	}), "orders")
	for key, want := range map[string]bool{"111122223333": true, "444455556666": false, "test": false} {
		manager := ali_mns.NewMNSQueueManager(srv.mns(key))
		if _, err := manager.GetQueueAttributes("orders"); (err == nil) != want {
			t.Errorf("MNS with key %s: got error %v, want to see the queue: %t", key, err, want)
		}
	}
}

func TestCrossMessageInFlightIsHiddenFromAll(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	url := createQueue(t, client, "orders")
	queue := ali_mns.NewMNSQueue("orders", srv.mns(accessKey))
	send(t, client, url, "hello")
	message := mnsReceived(t, queue)
	wantCounts(t, client, url, 0, 1, 0)
	if got := receive(t, client, url); len(got) != 0 {
		t.Errorf("SQS received what MNS holds")
	}
	if err := queue.DeleteMessage(message.ReceiptHandle); err != nil {
		t.Fatalf("delete: %v", err)
	}
	wantCounts(t, client, url, 0, 0, 0)
	wantMNSCounts(t, srv, "orders", 0, 0, 0)
}

func TestCrossLongPollWakesAtAnotherProtocolsSend(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	url := createQueue(t, client, "orders")
	polled := make(chan string, 1)
	go func() {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		if err != nil || len(out.Messages) != 1 {
			t.Errorf("poll gave %+v, %v", out, err)
			polled <- ""
			return
		}
		polled <- *out.Messages[0].Body
	}()
	mnsSend(t, ali_mns.NewMNSQueue("orders", srv.mns(accessKey)), "hello")
	if got := within(t, polled, "the poll"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// MNS has a priority and SQS does not: what SQS sends has MNS's default.
func TestCrossPriority(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	url := createQueue(t, client, "orders")
	queue := ali_mns.NewMNSQueue("orders", srv.mns(accessKey))
	for body, priority := range map[string]int64{"last": 9, "first": 7} {
		if _, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: body, Priority: priority}); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
	send(t, client, url, "middle")
	for _, want := range []string{"first", "middle", "last"} {
		if got := receive(t, client, url); len(got) != 1 || *got[0].Body != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}

// The queue's own rule of bodies overrides what each side's SDK does.
func TestCrossBodyRule(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := srv.sqs()
	url := createQueue(t, client, "orders")
	queue := ali_mns.NewMNSQueue("orders", srv.mns(accessKey))
	encoded := base64.StdEncoding.EncodeToString([]byte("hello"))
	for rule, want := range map[string]string{"auto": "hello", "as-sent": "hello", "text": "hello", "base64": encoded} {
		srv.api(t, "PATCH", "/queues/orders", map[string]string{"body_rule": rule}, nil)
		send(t, client, url, "hello")
		got := mnsReceived(t, queue)
		if got.MessageBody != want {
			t.Errorf("rule %s: got %q, want %q", rule, got.MessageBody, want)
		}
		if err := queue.DeleteMessage(got.ReceiptHandle); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
}
