package sdktests

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const arnOfQueues = "arn:aws:sqs:us-east-1:000000000000:"

func redrivePolicy(target string, count int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s%s","maxReceiveCount":%d}`, arnOfQueues, target, count)
}

func TestSQSDeadLettersAndTheirWayBack(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	dead := createQueue(t, client, "dead")
	url := createQueue(t, client, "orders", "RedrivePolicy", redrivePolicy("dead", 1), "VisibilityTimeout", "0")
	sources, err := client.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead})
	if err != nil || len(sources.QueueUrls) != 1 || sources.QueueUrls[0] != url {
		t.Fatalf("sources: got %v, %v", sources, err)
	}
	sent := send(t, client, url, "poison")
	wantReceived(t, receive(t, client, url), "poison")
	wantReceived(t, receive(t, client, url))
	buried := receive(t, client, dead, func(in *sqs.ReceiveMessageInput) {
		in.VisibilityTimeout = 1 // 0 is not sent by this SDK
		in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}
	})
	wantReceived(t, buried, "poison")
	if m := buried[0]; *m.MessageId != *sent.MessageId || m.Attributes["DeadLetterQueueSourceArn"] != arnOfQueues+"orders" || m.Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("got %v", m)
	}
	changeVisibility(t, client, dead, buried[0], 0)

	started, err := client.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arnOfQueues + "dead")})
	if err != nil || started.TaskHandle == nil {
		t.Fatalf("start: %v, %v", started, err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		tasks, err := client.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arnOfQueues + "dead")})
		if err != nil || len(tasks.Results) != 1 || time.Now().After(deadline) {
			t.Fatalf("list: %v, %v", tasks, err)
		}
		if task := tasks.Results[0]; *task.Status != "RUNNING" {
			if *task.Status != "COMPLETED" || task.ApproximateNumberOfMessagesMoved != 1 || task.TaskHandle != nil || task.StartedTimestamp < 1_600_000_000_000 {
				t.Errorf("got %+v", task)
			}
			break
		}
	}
	wantReceived(t, receive(t, client, url, waiting(10)), "poison")
	_, err = client.CancelMessageMoveTask(t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("nothing")})
	wantCode(t, err, "InvalidParameterValue")
	_, err = client.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arnOfQueues + "nothing")})
	wantError[*types.ResourceNotFoundException](t, err, "ResourceNotFoundException")
}
