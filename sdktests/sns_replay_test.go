package sdktests

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// replayed is what a test wants to know of an envelope.
type replayed struct {
	MessageId, Message, SequenceNumber, Timestamp string
	Replayed                                      bool
}

// envelopes receives and deletes n messages in order.
func envelopes(t *testing.T, p polymq, queue string, n int) (all []replayed) {
	t.Helper()
	for len(all) < n {
		messages := receive(t, p.sqs(), queue, upTo(10), waiting(10))
		if len(messages) == 0 {
			t.Fatalf("received %d messages, want %d", len(all), n)
		}
		for _, m := range messages {
			var e replayed
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
			deleteMessage(t, p.sqs(), queue, m)
		}
	}
	return all
}

func subscriptionAttributes(t *testing.T, p polymq, arn string) map[string]string {
	t.Helper()
	out, err := p.sns().GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}

func TestSNSReplay(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := p.sns()
	ctx := t.Context()
	arn := topic(t, client, "orders.fifo", map[string]string{
		"FifoTopic": "true", "ContentBasedDeduplication": "true", "ArchivePolicy": `{"MessageRetentionPeriod":"7"}`,
	})
	queue := subscribedQueue(t, p, arn, "in.fifo", map[string]string{"FilterPolicy": `{"colour":["red"]}`})
	attributes, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	begins, err := time.Parse(time.RFC3339, attributes.Attributes["BeginningArchiveTime"])
	if err != nil || time.Since(begins).Abs() > time.Minute || attributes.Attributes["ArchivePolicy"] != `{"MessageRetentionPeriod":"7"}` {
		t.Errorf("attributes %v, %v", attributes.Attributes, err)
	}
	for i := range 4 {
		publish(t, client, &sns.PublishInput{
			TopicArn: arn, Message: aws.String(fmt.Sprint(i)), MessageGroupId: aws.String("g"),
			MessageAttributes: map[string]types.MessageAttributeValue{"colour": {DataType: aws.String("String"), StringValue: aws.String([]string{"red", "blue"}[i%2])}},
		})
	}
	first := envelopes(t, p, queue, 2)
	subs, err := client.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: arn})
	if err != nil || len(subs.Subscriptions) != 1 {
		t.Fatalf("%v, %v", subs, err)
	}
	sub := *subs.Subscriptions[0].SubscriptionArn
	policy := fmt.Sprintf(`{"PointType":"Timestamp","StartingPoint":%q}`, first[0].Timestamp)
	if _, err := client.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &sub, AttributeName: aws.String("ReplayPolicy"), AttributeValue: &policy,
	}); err != nil {
		t.Fatal(err)
	}
	again := envelopes(t, p, queue, 2)
	for i := range first {
		if first[i].Replayed || !again[i].Replayed {
			t.Errorf("%+v, then %+v", first[i], again[i])
		}
		again[i].Replayed = false
	}
	if !slices.Equal(first, again) {
		t.Errorf("published %+v, replayed %+v", first, again)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		a := subscriptionAttributes(t, p, sub)
		if a["ReplayStatus"] == "Completed" && a["ReplayPolicy"] == policy {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the replay is not completed: %v", a)
		}
	}
	wantArchiveRefusal(t, client, arn)
}

// wantArchiveRefusal deletes a topic, which takes giving up its archive.
func wantArchiveRefusal(t *testing.T, client *sns.Client, arn *string) {
	t.Helper()
	_, err := client.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: arn})
	var state *types.InvalidStateException
	if !errors.As(err, &state) || state.ErrorMessage() != "Invalid state: Cannot delete a topic with an ArchivePolicy" {
		t.Errorf("delete a topic with an archive: %v", err)
	}
	if _, err := client.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{
		TopicArn: arn, AttributeName: aws.String("ArchivePolicy"), AttributeValue: aws.String("{}"),
	}); err != nil {
		t.Fatal(err)
	}
	attributes, err := client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: arn})
	if err != nil || attributes.Attributes["ArchivePolicy"] != "" || attributes.Attributes["BeginningArchiveTime"] != "" {
		t.Errorf("an archive that was given up: %v, %v", attributes, err)
	}
	if _, err := client.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: arn}); err != nil {
		t.Error(err)
	}
}

// A new subscriber gets the state of the old ones, up to a point, and then what is new.
func TestSNSReplayToANewSubscriber(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := p.sns()
	arn := topic(t, client, "orders.fifo", map[string]string{"FifoTopic": "true", "ArchivePolicy": `{"MessageRetentionPeriod":"365"}`})
	old := subscribedQueue(t, p, arn, "old.fifo", nil)
	send := func(body string) {
		publish(t, client, &sns.PublishInput{TopicArn: arn, Message: &body, MessageGroupId: aws.String("g"), MessageDeduplicationId: &body})
	}
	send("1")
	p.advance(t, time.Hour)
	send("2")
	p.advance(t, time.Hour)
	send("3")
	p.advance(t, time.Hour)
	seen := envelopes(t, p, old, 3)
	queue := subscribedQueue(t, p, arn, "new.fifo", map[string]string{
		"ReplayPolicy": fmt.Sprintf(`{"PointType":"Timestamp","StartingPoint":%q,"EndingPoint":%q}`, seen[0].Timestamp, seen[1].Timestamp),
	})
	send("4")
	var got []string
	for _, e := range envelopes(t, p, queue, 3) {
		got = append(got, fmt.Sprint(e.Message, e.Replayed))
	}
	if want := []string{"1true", "2true", "4false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
