package sdktests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestSQSSendMessageBatch(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	batch := entries(10)
	batch[3].DelaySeconds = 60
	batch[4].MessageAttributes = map[string]types.MessageAttributeValue{"Foo": text("Bar")}
	out, err := client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
	if err != nil {
		t.Fatalf("send batch: %v", err)
	}
	if len(out.Failed) != 0 || len(out.Successful) != 10 {
		t.Fatalf("got %d sent and %d failed, want 10 and 0", len(out.Successful), len(out.Failed))
	}
	ids := map[string]bool{}
	for i, entry := range out.Successful {
		if *entry.Id != fmt.Sprintf("e%d", i) {
			t.Errorf("entry %d has id %s", i, *entry.Id)
		}
		ids[*entry.MessageId] = true
	}
	if len(ids) != 10 {
		t.Errorf("got %d different message ids, want 10", len(ids))
	}
	if got := aws.ToString(out.Successful[4].MD5OfMessageAttributes); got != "ae7155c6026991b6d54b11589678bf9c" {
		t.Errorf("got MD5 %s of the attributes", got)
	}
	wantCounts(t, client, url, 9, 0, 1)
}

func TestSQSBatchesThatFailAsAWhole(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	with := func(id, body string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	sends := func(batch ...types.SendMessageBatchRequestEntry) error {
		_, err := client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
		return err
	}
	half := strings.Repeat("x", 1<<19)
	wantError[*types.EmptyBatchRequest](t, sends([]types.SendMessageBatchRequestEntry{}...), "AWS.SimpleQueueService.EmptyBatchRequest")
	wantError[*types.TooManyEntriesInBatchRequest](t, sends(entries(11)...), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
	wantError[*types.BatchEntryIdsNotDistinct](t, sends(with("a", "1"), with("a", "2")), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
	wantError[*types.InvalidBatchEntryId](t, sends(with("a b", "1")), "AWS.SimpleQueueService.InvalidBatchEntryId")
	wantError[*types.InvalidBatchEntryId](t, sends(with(strings.Repeat("a", 81), "1")), "AWS.SimpleQueueService.InvalidBatchEntryId")
	wantError[*types.BatchRequestTooLong](t, sends(with("a", half), with("b", half+"x")), "AWS.SimpleQueueService.BatchRequestTooLong")
	wantCounts(t, client, url, 0, 0, 0)
	if err := sends(with(strings.Repeat("a", 80), half), with("b", half)); err != nil {
		t.Errorf("a batch of one mebibyte: %v", err)
	}
}

func TestSQSSendMessageBatchWithBadEntries(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders", "MaximumMessageSize", "1024")
	batch := entries(4)
	batch[1].MessageBody = aws.String(strings.Repeat("x", 1025))
	batch[2].MessageBody = aws.String("\x07")
	out, err := client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
	if err != nil {
		t.Fatalf("send batch: %v", err)
	}
	wantFailed(t, out.Failed, map[string]string{"e1": "InvalidParameterValue", "e2": "InvalidMessageContents"})
	var bodies []string
	for _, message := range receive(t, client, url, upTo(10)) {
		bodies = append(bodies, *message.Body)
	}
	if slices.Sort(bodies); !slices.Equal(bodies, []string{"body 0", "body 3"}) {
		t.Errorf("received %v", bodies)
	}
}

// wantFailed compares ids and codes of a batch's failed entries, all by the sender's fault.
func wantFailed(t *testing.T, failed []types.BatchResultErrorEntry, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, entry := range failed {
		got[*entry.Id] = *entry.Code
		if !entry.SenderFault {
			t.Errorf("entry %s is not the sender's fault", *entry.Id)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got failed entries %v, want %v", got, want)
	}
}

func TestSQSDeleteMessageBatch(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for range 3 {
		send(t, client, url, "hello")
	}
	got := receive(t, client, url, upTo(10))
	deleteMessage(t, client, url, got[0])
	out, err := client.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("again"), ReceiptHandle: got[0].ReceiptHandle},
		{Id: aws.String("bad"), ReceiptHandle: aws.String("not-a-handle")},
		{Id: aws.String("good"), ReceiptHandle: got[1].ReceiptHandle},
	}})
	if err != nil {
		t.Fatalf("delete batch: %v", err)
	}
	wantFailed(t, out.Failed, map[string]string{"bad": "ReceiptHandleIsInvalid"})
	if len(out.Successful) != 2 {
		t.Errorf("got %d deleted, want 2", len(out.Successful))
	}
	wantCounts(t, client, url, 0, 1, 0)
}

func TestSQSChangeMessageVisibilityBatch(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders")
	for range 3 {
		send(t, client, url, "hello")
	}
	got := receive(t, client, url, upTo(10))
	out, err := client.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("now"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0},
		{Id: aws.String("later"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 600},
		{Id: aws.String("bad"), ReceiptHandle: aws.String("not-a-handle"), VisibilityTimeout: 0},
		{Id: aws.String("long"), ReceiptHandle: got[2].ReceiptHandle, VisibilityTimeout: 43201},
	}})
	if err != nil {
		t.Fatalf("change visibility batch: %v", err)
	}
	wantFailed(t, out.Failed, map[string]string{"bad": "ReceiptHandleIsInvalid", "long": "InvalidParameterValue"})
	wantCounts(t, client, url, 1, 2, 0)
}
