package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
)

// gocloudChecks are what the Go CDK promises of SQS.
var gocloudChecks = []check{
	{"gocloud_delivers_each_message", gocloudDelivers},
	{"gocloud_nack_brings_the_message_again", gocloudNack},
	{"gocloud_opens_by_url", gocloudURL},
	{"gocloud_fifo_keeps_the_order_of_a_group", gocloudFIFO},
	{"gocloud_topic_reaches_its_subscription", gocloudTopic},
	{"gocloud_missing_queue_is_not_found", gocloudMissing},
	{"gocloud_refused_message_fails_alone", gocloudRefused},
	{"gocloud_nacked_too_often_becomes_a_dead_letter", gocloudDeadLetter},
	{"gocloud_lazy_nack_waits_for_the_visibility_timeout", gocloudLazyNack},
}

// gocloudPair gives a topic and a subscription of a new queue.
func gocloudPair(ctx context.Context, attributes map[string]string) (*pubsub.Topic, *pubsub.Subscription, string, error) {
	url, err := createQueue(ctx, attributes)
	if err != nil {
		return nil, nil, "", err
	}
	return awssnssqs.OpenSQSTopic(ctx, admin, url, nil), awssnssqs.OpenSubscription(ctx, admin, url, nil), url, nil
}

// shutDown sends what still waits to be sent and acknowledged.
func shutDown(ctx context.Context, topic *pubsub.Topic, subscription *pubsub.Subscription) error {
	return errors.Join(topic.Shutdown(ctx), subscription.Shutdown(ctx))
}

func gocloudDelivers(ctx context.Context) error {
	topic, subscription, url, err := gocloudPair(ctx, nil)
	if err != nil {
		return err
	}
	wanted := append(slices.Clone(texts), "\xff\xfe not text") // which it encodes
	errs := make(chan error, len(wanted))
	metadata := map[string]string{"colour of paper": "rød & \u0000", "..dots..": "yes"}
	for _, text := range wanted {
		go func() { errs <- topic.Send(ctx, &pubsub.Message{Body: []byte(text), Metadata: metadata}) }() // it gathers batches
	}
	for range wanted {
		if err := <-errs; err != nil {
			return err
		}
	}
	var got []string
	for range wanted {
		m, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		got = append(got, string(m.Body))
		m.Ack()
		if err := equal("metadata", m.Metadata, metadata); err != nil {
			return err
		}
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if err := equal("bodies", got, wanted); err != nil {
		return err
	}
	if err := shutDown(ctx, topic, subscription); err != nil {
		return err
	}
	return emptied(ctx, url)
}

func gocloudNack(ctx context.Context) error {
	topic, subscription, url, err := gocloudPair(ctx, nil)
	if err != nil {
		return err
	}
	if err := topic.Send(ctx, &pubsub.Message{Body: []byte("hello")}); err != nil {
		return err
	}
	for _, answer := range []func(*pubsub.Message){(*pubsub.Message).Nack, (*pubsub.Message).Nack, (*pubsub.Message).Ack} {
		m, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		answer(m)
	}
	if err := shutDown(ctx, topic, subscription); err != nil {
		return err
	}
	return emptied(ctx, url)
}

// gocloudURL opens both ends as most applications do, by a URL of their configuration.
func gocloudURL(ctx context.Context) error {
	queue, err := createQueue(ctx, nil)
	if err != nil {
		return err
	}
	parsed, err := url.Parse(queue)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("awssqs://%s%s?%s", parsed.Host, parsed.Path, url.Values{"region": {"us-east-1"}, "endpoint": {endpoint}}.Encode())
	topic, err := pubsub.OpenTopic(ctx, address)
	if err != nil {
		return err
	}
	subscription, err := pubsub.OpenSubscription(ctx, address+"&waittime=5s")
	if err != nil {
		return err
	}
	if err := topic.Send(ctx, &pubsub.Message{Body: []byte("hello")}); err != nil {
		return err
	}
	m, err := subscription.Receive(ctx)
	if err != nil {
		return err
	}
	m.Ack()
	return errors.Join(equal("body", string(m.Body), "hello"), shutDown(ctx, topic, subscription))
}

func gocloudFIFO(ctx context.Context) error {
	created, err := admin.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(queueName() + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"}})
	if err != nil {
		return err
	}
	topic, subscription := awssnssqs.OpenSQSTopic(ctx, admin, *created.QueueUrl, nil), awssnssqs.OpenSubscription(ctx, admin, *created.QueueUrl, nil)
	want, got := map[string][]string{}, map[string][]string{}
	for n := range 12 {
		group, body := string("abc"[n%3]), fmt.Sprint(n)
		want[group] = append(want[group], body)
		for range 2 { // the second is a duplicate
			metadata := map[string]string{awssnssqs.MetadataKeyMessageGroupID: group, awssnssqs.MetadataKeyDeduplicationID: body}
			if err := topic.Send(ctx, &pubsub.Message{Body: []byte(body), Metadata: metadata}); err != nil {
				return err
			}
		}
	}
	for range 12 {
		m, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		group := m.Metadata[awssnssqs.MetadataKeyMessageGroupID]
		got[group] = append(got[group], string(m.Body))
		m.Ack()
	}
	return errors.Join(equal("bodies by group", got, want), shutDown(ctx, topic, subscription), emptied(ctx, *created.QueueUrl))
}

// gocloudTopic publishes to SNS, once as an envelope and once raw; the subscription unwraps what it must.
func gocloudTopic(ctx context.Context) error {
	client := sns.NewFromConfig(awsConfig(), func(o *sns.Options) { o.BaseEndpoint = &endpoint })
	for _, raw := range []string{"false", "true"} {
		queue, err := createQueue(ctx, nil)
		if err != nil {
			return err
		}
		shown, err := admin.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
		if err != nil {
			return err
		}
		created, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(queueName())})
		if err != nil {
			return err
		}
		_, err = client.Subscribe(ctx, &sns.SubscribeInput{
			TopicArn: created.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(shown.Attributes["QueueArn"]),
			Attributes: map[string]string{"RawMessageDelivery": raw},
		})
		if err != nil {
			return err
		}
		topic := awssnssqs.OpenSNSTopic(ctx, client, *created.TopicArn, nil)
		subscription := awssnssqs.OpenSubscription(ctx, admin, queue, &awssnssqs.SubscriptionOptions{Raw: raw == "true"})
		metadata := map[string]string{"colour of paper": "rød"}
		if err := topic.Send(ctx, &pubsub.Message{Body: []byte("hello \xff"), Metadata: metadata}); err != nil {
			return err
		}
		m, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		m.Ack()
		err = errors.Join(equal("body", string(m.Body), "hello \xff"), equal("metadata", m.Metadata, metadata), shutDown(ctx, topic, subscription))
		if err != nil {
			return fmt.Errorf("with RawMessageDelivery %s: %w", raw, err)
		}
	}
	return nil
}

func gocloudMissing(ctx context.Context) error {
	missing := endpoint + "/" + accessKey + "/" + queueName()
	topic, subscription := awssnssqs.OpenSQSTopic(ctx, admin, missing, nil), awssnssqs.OpenSubscription(ctx, admin, missing, nil)
	sendErr := topic.Send(ctx, &pubsub.Message{Body: []byte("hello")})
	_, receiveErr := subscription.Receive(ctx)
	return errors.Join(
		equal("error of send", gcerrors.Code(sendErr), gcerrors.NotFound),
		equal("error of receive", gcerrors.Code(receiveErr), gcerrors.NotFound),
		shutDown(ctx, topic, subscription),
	)
}

func gocloudRefused(ctx context.Context) error {
	topic, subscription, url, err := gocloudPair(ctx, map[string]string{"MaximumMessageSize": "1024"})
	if err != nil {
		return err
	}
	if err := topic.Send(ctx, &pubsub.Message{Body: []byte("hello")}); err != nil {
		return err
	}
	refused := topic.Send(ctx, &pubsub.Message{Body: make([]byte, 1025)})
	if refused == nil {
		return errors.New("a message beyond the queue's maximum was accepted")
	}
	got, err := admin.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		return err
	}
	return errors.Join(
		equal("messages", got.Attributes["ApproximateNumberOfMessages"], "1"),
		shutDown(ctx, topic, subscription),
	)
}

func gocloudDeadLetter(ctx context.Context) error {
	dead, err := createQueue(ctx, nil)
	if err != nil {
		return err
	}
	policy, err := redriveTo(ctx, dead, 2)
	if err != nil {
		return err
	}
	topic, subscription, url, err := gocloudPair(ctx, map[string]string{"RedrivePolicy": policy})
	if err != nil {
		return err
	}
	for _, body := range []string{"poison", "good"} {
		if err := topic.Send(ctx, &pubsub.Message{Body: []byte(body), Metadata: map[string]string{"colour": "rød"}}); err != nil {
			return err
		}
	}
	for poison, good := 0, false; poison < 2 || !good; {
		m, err := subscription.Receive(ctx)
		if err != nil {
			return err
		}
		if string(m.Body) == "good" {
			good = true
			m.Ack()
			continue
		}
		poison++
		m.Nack()
	}
	go func() { // the receive that finds it worn out
		if m, err := subscription.Receive(ctx); err == nil {
			m.Ack()
		}
	}()
	letter, err := deadLetter(ctx, dead)
	if err != nil {
		return err
	}
	return errors.Join(
		equal("dead letter", *letter.Body, "poison"),
		equal("metadata", *letter.MessageAttributes["colour"].StringValue, "r%C3%B8d"), // as it escapes them
		shutDown(ctx, topic, subscription),
		emptied(ctx, url),
	)
}

// gocloudLazyNack leaves what is refused to the visibility timeout, and asks a driver's own type for its message.
func gocloudLazyNack(ctx context.Context) error {
	url, err := createQueue(ctx, map[string]string{"VisibilityTimeout": "1"})
	if err != nil {
		return err
	}
	topic := awssnssqs.OpenSQSTopic(ctx, admin, url, nil)
	subscription := awssnssqs.OpenSubscription(ctx, admin, url, &awssnssqs.SubscriptionOptions{NackLazy: true})
	if err := topic.Send(ctx, &pubsub.Message{Body: []byte("hello")}); err != nil {
		return err
	}
	first, err := subscription.Receive(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	first.Nack()
	second, err := subscription.Receive(ctx)
	if err != nil {
		return err
	}
	second.Ack()
	var own types.Message
	return errors.Join(
		equal("not before its timeout", time.Since(began) > 500*time.Millisecond, true),
		equal("a message of SQS", second.As(&own) && *own.Body == "hello", true),
		shutDown(ctx, topic, subscription),
		emptied(ctx, url),
	)
}
