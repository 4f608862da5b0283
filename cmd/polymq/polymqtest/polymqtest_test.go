package polymqtest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/polymqtest"
)

func TestAVisibilityTimeoutPassesAtOnce(t *testing.T) {
	t.Parallel()
	srv := polymqtest.Start(t)
	const account = "111122223333" // an access key of 12 digits is its account
	client := sqs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), Credentials: credentials.NewStaticCredentialsProvider(account, "test", ""),
	})
	queue, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("hello")}); err != nil {
		t.Fatal(err)
	}
	receive := func() int {
		t.Helper()
		got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, VisibilityTimeout: 3600})
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Messages)
	}
	first, hidden := receive(), receive()
	polymqtest.Advance(t, srv, account, time.Hour)
	if again := receive(); first != 1 || hidden != 0 || again != 1 {
		t.Errorf("got %d messages, then %d, then %d an hour later; want 1, 0, 1", first, hidden, again)
	}
}
