package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	watermillsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	watermillsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	transport "github.com/aws/smithy-go/endpoints"
)

// watermillChecks are what Watermill promises of SQS.
var watermillChecks = []check{
	{"watermill_delivers_each_message", watermillDelivers},
	{"watermill_workers_share_the_messages", watermillWorkers},
	{"watermill_nack_brings_the_message_again", watermillNack},
	{"watermill_router_retries_and_forwards", watermillRouter},
	{"watermill_finds_queues_by_their_urls_in_the_cloud", watermillCloudURLs},
	{"watermill_fifo_keeps_the_order_of_a_group", watermillFIFO},
	{"watermill_topic_reaches_each_subscription", watermillTopic},
	{"watermill_topic_reaches_an_http_endpoint", watermillEndpoint},
	{"watermill_subscriber_of_a_missing_queue_says_so", watermillMissing},
	{"watermill_poison_becomes_a_dead_letter", watermillPoison},
	{"watermill_refused_message_is_an_error", watermillRefused},
	{"watermill_metadata_of_messages_of_others", watermillForeign},
}

var watermillLog = watermill.NewSlogLogger(slog.New(slog.NewTextHandler(os.Stderr, nil)))

// watermillOptions lead the SDK to the server, as Watermill's own documentation does.
func watermillOptions() []func(*sqs.Options) {
	server, err := url.Parse(endpoint)
	if err != nil {
		panic(err)
	}
	return []func(*sqs.Options){sqs.WithEndpointResolverV2(watermillsqs.OverrideEndpointResolver{Endpoint: transport.Endpoint{URI: *server}})}
}

func watermillPublisher(change func(*watermillsqs.PublisherConfig)) (*watermillsqs.Publisher, error) {
	config := watermillsqs.PublisherConfig{AWSConfig: awsConfig(), OptFns: watermillOptions()}
	if change != nil {
		change(&config)
	}
	return watermillsqs.NewPublisher(config, watermillLog)
}

func watermillSubscriber(change func(*watermillsqs.SubscriberConfig)) (*watermillsqs.Subscriber, error) {
	config := watermillsqs.SubscriberConfig{AWSConfig: awsConfig(), OptFns: watermillOptions()}
	if change != nil {
		change(&config)
	}
	return watermillsqs.NewSubscriber(config, watermillLog)
}

// watermillPair gives both ends, set up in the same way.
func watermillPair(attributes watermillsqs.QueueConfigAttributes, workers int) (*watermillsqs.Publisher, *watermillsqs.Subscriber, error) {
	publisher, err := watermillPublisher(func(c *watermillsqs.PublisherConfig) { c.CreateQueueConfig = attributes })
	if err != nil {
		return nil, nil, err
	}
	subscriber, err := watermillSubscriber(func(c *watermillsqs.SubscriberConfig) {
		c.QueueConfigAttributes, c.ConsumeWorkers = attributes, workers
	})
	return publisher, subscriber, err
}

// next gives the next message.
func next(ctx context.Context, messages <-chan *message.Message) (*message.Message, error) {
	select {
	case m, ok := <-messages:
		if !ok {
			return nil, errors.New("the subscription ended")
		}
		return m, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no message: %w", ctx.Err())
	}
}

func watermillDelivers(ctx context.Context) error {
	publisher, subscriber, err := watermillPair(watermillsqs.QueueConfigAttributes{}, 1)
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	messages, err := subscriber.Subscribe(ctx, topic) // makes the queue
	if err != nil {
		return err
	}
	sent := map[string]string{}
	for _, text := range texts {
		m := message.NewMessage(watermill.NewUUID(), []byte(text))
		m.Metadata.Set("colour", "rød")
		sent[m.UUID] = text
		if err := publisher.Publish(topic, m); err != nil {
			return err
		}
	}
	got := map[string]string{}
	for range texts {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}
		got[m.UUID] = string(m.Payload)
		m.Ack()
		if err := equal("metadata", m.Metadata, message.Metadata{"colour": "rød"}); err != nil {
			return err
		}
	}
	if err := equal("messages", got, sent); err != nil {
		return err
	}
	url, err := subscriber.GetQueueUrl(ctx, topic)
	if err != nil {
		return err
	}
	return emptied(ctx, string(*url))
}

func watermillWorkers(ctx context.Context) error {
	publisher, subscriber, err := watermillPair(watermillsqs.QueueConfigAttributes{}, 5)
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return err
	}
	var sent, got []string
	for n := range 50 {
		sent = append(sent, fmt.Sprintf("%02d", n))
		if err := publisher.Publish(topic, message.NewMessage(watermill.NewUUID(), []byte(sent[n]))); err != nil {
			return err
		}
	}
	for range sent {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}
		got = append(got, string(m.Payload))
		m.Ack()
	}
	slices.Sort(got)
	return equal("messages", got, sent)
}

func watermillNack(ctx context.Context) error {
	publisher, subscriber, err := watermillPair(watermillsqs.QueueConfigAttributes{VisibilityTimeout: "1"}, 1)
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return err
	}
	if err := publisher.Publish(topic, message.NewMessage("one", []byte("hello"))); err != nil {
		return err
	}
	for _, answer := range []func(*message.Message) bool{(*message.Message).Nack, (*message.Message).Nack, (*message.Message).Ack} {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}
		if err := equal("id", m.UUID, "one"); err != nil {
			return err
		}
		answer(m)
	}
	return nil
}

func watermillRouter(ctx context.Context) error {
	publisher, subscriber, err := watermillPair(watermillsqs.QueueConfigAttributes{}, 1)
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: patience}, watermillLog)
	if err != nil {
		return err
	}
	router.AddMiddleware(middleware.CorrelationID, middleware.Retry{MaxRetries: 3, InitialInterval: 10 * time.Millisecond}.Middleware)
	from, to := queueName(), queueName()
	runs := 0
	router.AddHandler("forward", from, subscriber, to, publisher, func(m *message.Message) ([]*message.Message, error) {
		if runs++; runs < 3 {
			return nil, errors.New("not yet")
		}
		return message.Messages{message.NewMessage(watermill.NewUUID(), append([]byte("forwarded: "), m.Payload...))}, nil
	})
	forwarded := make(chan *message.Message, 1)
	router.AddConsumerHandler("take", to, subscriber, func(m *message.Message) error {
		forwarded <- m
		return nil
	})
	ended := make(chan error, 1)
	go func() { ended <- router.Run(ctx) }()
	<-router.Running()
	m := message.NewMessage(watermill.NewUUID(), []byte("hello"))
	middleware.SetCorrelationID("order 7", m)
	if err := publisher.Publish(from, m); err != nil {
		return err
	}
	got, err := next(ctx, forwarded)
	if err != nil {
		return err
	}
	return errors.Join(
		equal("body", string(got.Payload), "forwarded: hello"),
		equal("correlation id", middleware.MessageCorrelationID(got), "order 7"),
		equal("runs of the handler", runs, 3),
		router.Close(),
		<-ended,
	)
}

// watermillCloudURLs has Watermill make queue URLs by itself, of hosts that are not the server's.
func watermillCloudURLs(ctx context.Context) error {
	resolver := watermillsqs.GenerateQueueUrlResolver{AwsRegion: "us-east-1", AwsAccountID: accessKey}
	publisher, err := watermillPublisher(func(c *watermillsqs.PublisherConfig) { c.QueueUrlResolver = resolver })
	if err != nil {
		return err
	}
	subscriber, err := watermillSubscriber(func(c *watermillsqs.SubscriberConfig) { c.QueueUrlResolver = resolver })
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	if err := subscriber.SubscribeInitializeWithContext(ctx, topic); err != nil {
		return err
	}
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return err
	}
	if err := publisher.Publish(topic, message.NewMessage("one", []byte("hello"))); err != nil {
		return err
	}
	m, err := next(ctx, messages)
	if err != nil {
		return err
	}
	m.Ack()
	return equal("body", string(m.Payload), "hello")
}

// watermillFIFO has three workers share a queue; each message that is refused must come again before the next of its group.
func watermillFIFO(ctx context.Context) error {
	attributes := watermillsqs.QueueConfigAttributes{FifoQueue: true, VisibilityTimeout: "3"}
	publisher, err := watermillPublisher(func(c *watermillsqs.PublisherConfig) {
		c.CreateQueueConfig = attributes
		c.GenerateSendMessageInput = func(ctx context.Context, url watermillsqs.QueueURL, m *types.Message) (*sqs.SendMessageInput, error) {
			input, err := watermillsqs.GenerateSendMessageInputDefault(ctx, url, m)
			if err == nil {
				input.MessageGroupId = aws.String((*m.Body)[:1])
				input.MessageDeduplicationId = m.MessageAttributes[watermillsqs.UUIDAttribute].StringValue
			}
			return input, err
		}
	})
	if err != nil {
		return err
	}
	subscriber, err := watermillSubscriber(func(c *watermillsqs.SubscriberConfig) {
		c.QueueConfigAttributes, c.ConsumeWorkers = attributes, 3
		c.GenerateReceiveMessageInput = func(ctx context.Context, url watermillsqs.QueueURL) (*sqs.ReceiveMessageInput, error) {
			input, err := watermillsqs.GenerateReceiveMessageInputDefault(ctx, url)
			input.MaxNumberOfMessages = 4
			return input, err
		}
	})
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName() + ".fifo"
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return err
	}
	want := map[string][]string{}
	for _, group := range []string{"a", "b", "c"} {
		for n := range 8 {
			body := fmt.Sprint(group, n)
			want[group] = append(want[group], body)
			if err := publisher.Publish(topic, message.NewMessage(watermill.NewUUID(), []byte(body))); err != nil {
				return err
			}
		}
	}
	got, refused := map[string][]string{}, map[string]bool{}
	for range 24 + 3 {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}
		body := string(m.Payload)
		if body[1] == '3' && !refused[body] {
			refused[body] = true
			m.Nack()
			continue
		}
		got[body[:1]] = append(got[body[:1]], body)
		m.Ack()
	}
	return equal("bodies by group", got, want)
}

// watermillNotifier gives a publisher to SNS, with what it is made of.
func watermillNotifier() (publisher *watermillsns.Publisher, options []func(*sns.Options), resolver watermillsns.TopicResolver, err error) {
	server, err := url.Parse(endpoint)
	if err != nil {
		return nil, nil, nil, err
	}
	options = []func(*sns.Options){sns.WithEndpointResolverV2(watermillsns.OverrideEndpointResolver{Endpoint: transport.Endpoint{URI: *server}})}
	if resolver, err = watermillsns.NewGenerateArnTopicResolver(accessKey, "us-east-1"); err != nil {
		return nil, nil, nil, err
	}
	publisher, err = watermillsns.NewPublisher(watermillsns.PublisherConfig{AWSConfig: awsConfig(), OptFns: options, TopicResolver: resolver}, watermillLog)
	return publisher, options, resolver, err
}

// watermillTopic publishes to SNS; each of two subscribers has a queue of its own.
func watermillTopic(ctx context.Context) error {
	publisher, options, resolver, err := watermillNotifier()
	if err != nil {
		return err
	}
	topic := queueName()
	if _, err := publisher.CreateTopic(ctx, topic); err != nil {
		return err
	}
	var subscriptions []<-chan *message.Message
	for range 2 {
		queue := queueName()
		subscriber, err := watermillsns.NewSubscriber(watermillsns.SubscriberConfig{
			AWSConfig: awsConfig(), OptFns: options, TopicResolver: resolver,
			GenerateSqsQueueName: func(context.Context, watermillsns.TopicArn) (string, error) { return queue, nil },
		}, watermillsqs.SubscriberConfig{AWSConfig: awsConfig(), OptFns: watermillOptions()}, watermillLog)
		if err != nil {
			return err
		}
		defer subscriber.Close()
		messages, err := subscriber.Subscribe(ctx, topic)
		if err != nil {
			return err
		}
		subscriptions = append(subscriptions, messages)
	}
	for _, text := range texts {
		m := message.NewMessage(watermill.NewUUID(), []byte(text))
		m.Metadata.Set("colour", "rød")
		if err := publisher.Publish(topic, m); err != nil {
			return err
		}
	}
	want := slices.Sorted(slices.Values(texts))
	for _, messages := range subscriptions {
		var got []string
		for range want {
			m, err := next(ctx, messages)
			if err != nil {
				return err
			}
			got = append(got, string(m.Payload))
			m.Ack()
			if err := equal("metadata", m.Metadata, message.Metadata{"colour": "rød"}); err != nil {
				return err
			}
		}
		slices.Sort(got)
		if err := equal("bodies", got, want); err != nil {
			return err
		}
	}
	return nil
}

// watermillEndpoint publishes to SNS; an HTTP endpoint verifies what it gets.
func watermillEndpoint(ctx context.Context) error {
	publisher, options, _, err := watermillNotifier()
	if err != nil {
		return err
	}
	client := sns.NewFromConfig(awsConfig(), options...)
	for _, version := range []string{"1", "2"} {
		topic := queueName()
		arn, err := publisher.CreateTopic(ctx, topic)
		if err != nil {
			return err
		}
		_, err = client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: aws.String("SignatureVersion"), AttributeValue: &version})
		if err != nil {
			return err
		}
		if err := watermillPushed(ctx, client, publisher, topic, arn, version); err != nil {
			return fmt.Errorf("signature version %s: %w", version, err)
		}
	}
	return nil
}

func watermillPushed(ctx context.Context, client *sns.Client, publisher *watermillsns.Publisher, topic, arn, version string) error {
	receiver := newReceiver()
	defer receiver.Close()
	if _, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &receiver.URL}); err != nil {
		return err
	}
	asked, err := receiver.next(ctx)
	if err != nil {
		return err
	}
	if _, err := client.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: &arn, Token: aws.String(asked["Token"])}); err != nil {
		return err
	}
	if err := publisher.Publish(topic, message.NewMessage(watermill.NewUUID(), []byte("naïve Ω <&>"))); err != nil {
		return err
	}
	got, err := receiver.next(ctx)
	if err != nil {
		return err
	}
	if err := equal("message", []string{got["Type"], got["Message"], got["SignatureVersion"]}, []string{"Notification", "naïve Ω <&>", version}); err != nil {
		return err
	}
	got["Message"] = "another"
	if verifyNotification(got) == nil {
		return errors.New("what was changed is verified")
	}
	return nil
}

func watermillMissing(ctx context.Context) error {
	subscriber, err := watermillSubscriber(func(c *watermillsqs.SubscriberConfig) { c.DoNotCreateQueueIfNotExists = true })
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	_, err = subscriber.Subscribe(ctx, topic)
	return equal("error", fmt.Sprint(err), fmt.Sprintf("queue for topic '%s' doesn't exists", topic))
}

// watermillPoison refuses each message as often as the policy of its queue lets it; the dead letter keeps its metadata.
func watermillPoison(ctx context.Context) error {
	dead, err := createQueue(ctx, nil)
	if err != nil {
		return err
	}
	policy, err := redriveTo(ctx, dead, 2)
	if err != nil {
		return err
	}
	publisher, subscriber, err := watermillPair(watermillsqs.QueueConfigAttributes{VisibilityTimeout: "1", RedrivePolicy: policy}, 1)
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return err
	}
	sent := message.NewMessage("one", []byte("poison"))
	sent.Metadata.Set("colour", "rød")
	if err := publisher.Publish(topic, sent, message.NewMessage("two", []byte("good"))); err != nil {
		return err
	}
	for poison, good := 0, false; poison < 2 || !good; {
		m, err := next(ctx, messages)
		if err != nil {
			return err
		}
		if string(m.Payload) == "good" {
			good = m.Ack()
			continue
		}
		poison++
		m.Nack()
	}
	letter, err := deadLetter(ctx, dead)
	if err != nil {
		return err
	}
	unpacked, err := watermillsqs.DefaultMarshalerUnmarshaler{}.Unmarshal(letter)
	if err != nil {
		return err
	}
	return errors.Join(
		equal("dead letter", []string{unpacked.UUID, string(unpacked.Payload)}, []string{"one", "poison"}),
		equal("metadata", unpacked.Metadata, message.Metadata{"colour": "rød"}),
		equal("receive count", letter.Attributes["ApproximateReceiveCount"], "3"),
	)
}

func watermillRefused(ctx context.Context) error {
	publisher, err := watermillPublisher(func(c *watermillsqs.PublisherConfig) {
		c.CreateQueueConfig = watermillsqs.QueueConfigAttributes{MaximumMessageSize: "1024"}
	})
	if err != nil {
		return err
	}
	topic := queueName()
	for body, want := range map[string]string{"x" + texts[len(texts)-1]: "InvalidParameterValue", "bell \a": "InvalidMessageContents", "": "MissingParameter"} {
		err := publisher.Publish(topic, message.NewMessage("one", []byte(body)))
		var refusal smithy.APIError
		if !errors.As(err, &refusal) {
			return fmt.Errorf("%.10q was accepted: %w", body, err)
		}
		if err := equal("code", refusal.ErrorCode(), want); err != nil {
			return err
		}
	}
	return publisher.Publish(topic, message.NewMessage("one", []byte("hello")))
}

// watermillForeign receives what no Watermill sent, with attributes of all types.
func watermillForeign(ctx context.Context) error {
	_, subscriber, err := watermillPair(watermillsqs.QueueConfigAttributes{}, 1)
	if err != nil {
		return err
	}
	defer subscriber.Close()
	topic := queueName()
	messages, err := subscriber.Subscribe(ctx, topic)
	if err != nil {
		return err
	}
	url, err := subscriber.GetQueueUrl(ctx, topic)
	if err != nil {
		return err
	}
	sent, err := admin.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(string(*url)), MessageBody: aws.String("hello"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"colour": {DataType: aws.String("String"), StringValue: aws.String("rød")},
			"size":   {DataType: aws.String("Number"), StringValue: aws.String("12.50")},
			"image":  {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 0xff}},
		},
	})
	if err != nil {
		return err
	}
	m, err := next(ctx, messages)
	if err != nil {
		return err
	}
	m.Ack()
	return errors.Join(
		equal("id", m.UUID, *sent.MessageId),
		equal("metadata", m.Metadata, message.Metadata{"colour": "rød", "size": "12.50", "image": "\x00\x01\xff"}),
	)
}
