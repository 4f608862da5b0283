package sdktests

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// inGroup names the group and the deduplication id of a message; "" for none.
func inGroup(group, deduplication string) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) {
		in.MessageGroupId = aws.String(group)
		if deduplication != "" {
			in.MessageDeduplicationId = aws.String(deduplication)
		}
	}
}

// received gives the bodies of messages.
func received(messages []types.Message) []string {
	bodies := make([]string, len(messages))
	for i, m := range messages {
		bodies[i] = *m.Body
	}
	return bodies
}

func wantReceived(t *testing.T, messages []types.Message, want ...string) {
	t.Helper()
	if got := received(messages); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSQSFIFOOrder(t *testing.T) {
	t.Parallel()
	client := start(t).sqs()
	url := createQueue(t, client, "orders.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	var sequences []string
	for _, m := range []struct{ group, body string }{{"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"a", "a3"}} {
		sequences = append(sequences, *send(t, client, url, m.body, inGroup(m.group, "")).SequenceNumber)
	}
	if !slices.IsSorted(sequences) || len(sequences[0]) != 20 {
		t.Errorf("got sequence numbers %q", sequences)
	}
	first := receive(t, client, url, upTo(2))
	wantReceived(t, first, "a1", "a2")
	wantReceived(t, receive(t, client, url, upTo(10)), "b1")
	deleteMessage(t, client, url, first[0])
	wantReceived(t, receive(t, client, url, upTo(10)))
	changeVisibility(t, client, url, first[1], 0)
	wantReceived(t, receive(t, client, url, upTo(10)), "a2", "a3")
}

func TestSQSFIFODeduplication(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := p.sqs()
	url := createQueue(t, client, "orders.fifo", "FifoQueue", "true")
	one := send(t, client, url, "one", inGroup("g", "id"))
	two := send(t, client, url, "two", inGroup("g", "id")) // the SDK compares its MD5 with what it sent
	if *one.MessageId != *two.MessageId || *one.SequenceNumber != *two.SequenceNumber {
		t.Errorf("got %v, then %v", one, two)
	}
	messages := receive(t, client, url, upTo(10))
	wantReceived(t, messages, "one")
	deleteMessage(t, client, url, messages[0])
	p.advance(t, 5*time.Minute+time.Second)
	send(t, client, url, "three", inGroup("g", "id"))
	wantReceived(t, receive(t, client, url), "three")
	_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), MessageGroupId: aws.String("g")})
	wantCode(t, err, "InvalidParameterValue")
	_, err = client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders"), Attributes: map[string]string{"FifoQueue": "true"}})
	wantCode(t, err, "InvalidParameterValue")
}
