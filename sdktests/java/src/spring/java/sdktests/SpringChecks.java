package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import io.awspring.cloud.sns.core.SnsTemplate;
import io.awspring.cloud.sqs.operations.MessagingOperationFailedException;
import io.awspring.cloud.sqs.operations.SendBatchOperationFailedException;
import io.awspring.cloud.sqs.operations.SendResult;
import io.awspring.cloud.sqs.operations.SqsTemplate;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.springframework.core.env.Environment;
import org.springframework.messaging.Message;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.stereotype.Component;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** What Spring Cloud AWS promises: listener containers, acknowledgement, redelivery, the template. */
@Component
class SpringChecks {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final SpringListeners listeners;
    private final SqsTemplate template;
    private final SqsAsyncClient client;
    private final SnsTemplate notifications;
    private final SnsClient topics;
    private final Environment names;

    SpringChecks(
            SpringListeners listeners, SqsTemplate template, SqsAsyncClient client,
            SnsTemplate notifications, SnsClient topics, Environment names) {
        this.notifications = notifications;
        this.topics = topics;
        this.listeners = listeners;
        this.template = template;
        this.client = client;
        this.names = names;
    }

    void register() {
        check("spring_listener_gets_each_message", this::plain);
        check("spring_listener_of_batches", this::batches);
        check("spring_listener_that_acknowledges_by_hand", this::manual);
        check("spring_listener_that_acknowledges_some_of_a_batch", this::partial);
        check("spring_headers_are_message_attributes", this::headers);
        check("spring_template_says_what_failed", this::refused);
        check("spring_listener_of_json", this::json);
        check("spring_error_brings_the_message_again", this::failing);
        check("spring_visibility_brings_the_message_again", this::visibility);
        check("spring_listener_makes_its_queue", this::missing);
        check("spring_template_receives", this::template);
        check("spring_notification_of_a_topic", this::notification);
        check("spring_notification_of_an_endpoint", this::endpoint);
        check("spring_poison_becomes_a_dead_letter", this::poison);
        check("spring_fifo_listener_keeps_the_order_of_a_group", this::ordered);
    }

    private String queue(String purpose) {
        return names.getRequiredProperty("queue." + purpose);
    }

    private static <T> T take(BlockingQueue<T> from) throws InterruptedException {
        T got = from.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (got == null) {
            throw new AssertionError("nothing after " + PATIENCE);
        }
        return got;
    }

    private static List<String> bodies(int count) {
        return IntStream.range(0, count).mapToObj(Integer::toString).toList();
    }

    private void sendMany(String queue, Collection<String> bodies) {
        List<Message<String>> messages = bodies.stream().map(body -> MessageBuilder.withPayload(body).build()).toList();
        for (int i = 0; i < messages.size(); i += 10) {
            List<Message<String>> some = messages.subList(i, Math.min(i + 10, messages.size()));
            equal(template.sendMany(queue, some).successful().size(), some.size(), "messages sent");
        }
    }

    /** Waits until the queue has so many messages, visible and in flight: acknowledgements come after the listener. */
    private void awaitCounts(String queue, int visible, int inFlight) throws Exception {
        String url = client.getQueueUrl(r -> r.queueName(queue)).get().queueUrl();
        List<String> want = List.of("" + visible, "" + inFlight);
        List<String> got = List.of();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!got.equals(want) && System.nanoTime() < deadline) {
            Map<QueueAttributeName, String> attributes = client.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.ALL)).get().attributes();
            got = List.of(
                    attributes.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES),
                    attributes.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE));
            Thread.sleep(20); // between looks
        }
        equal(got, want, "messages visible and in flight");
    }

    private void plain() throws Exception {
        Collection<String> texts = Checking.TEXTS.values();
        sendMany(queue("plain"), texts);
        List<String> got = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            got.add(take(listeners.plain));
        }
        equal(new TreeSet<>(got), new TreeSet<>(texts), "bodies");
        awaitCounts(queue("plain"), 0, 0);
    }

    private void batches() throws Exception {
        sendMany(queue("batch"), bodies(35));
        TreeSet<String> got = new TreeSet<>();
        while (got.size() < 35) {
            List<String> batch = take(listeners.batches);
            equal(batch.size() <= 10, true, "a batch of at most ten");
            got.addAll(batch);
        }
        equal(got, new TreeSet<>(bodies(35)), "bodies");
        awaitCounts(queue("batch"), 0, 0);
    }

    private void manual() throws Exception {
        sendMany(queue("manual"), List.of("acknowledge", "keep"));
        take(listeners.manual);
        take(listeners.manual);
        awaitCounts(queue("manual"), 0, 1);
    }

    private void partial() throws Exception {
        sendMany(queue("partial"), bodies(10));
        for (int i = 0; i < 10; i++) {
            take(listeners.partial);
        }
        awaitCounts(queue("partial"), 0, 5);
    }

    /** Texts, numbers and bytes go there and back, and are on the way what other clients would have sent. */
    private void headers() throws Exception {
        byte[] image = {0, 1, (byte) 0xff};
        String queue = queue("headers");
        template.send(to -> to.queue(queue).payload("hello").header("colour", "rød").header("size", 12).header("image", ByteBuffer.wrap(image)));
        String url = client.getQueueUrl(r -> r.queueName(queue)).get().queueUrl();
        Map<String, MessageAttributeValue> sent = client.receiveMessage(r -> r.queueUrl(url).visibilityTimeout(0).messageAttributeNames("colour", "size", "image"))
                .get().messages().get(0).messageAttributes();
        equal(sent.get("colour").stringValue(), "rød", "text");
        equal(List.of(sent.get("size").dataType(), sent.get("size").stringValue()), List.of("Number.java.lang.Integer", "12"), "number");
        equal(List.of(sent.get("image").dataType(), sent.get("image").binaryValue()), List.of("Binary", SdkBytes.fromByteArray(image)), "bytes");
        Message<String> got = template.receive(from -> from.queue(queue).pollTimeout(Duration.ofSeconds(5)), String.class).orElseThrow();
        equal(List.of(got.getHeaders().get("colour"), got.getHeaders().get("size")), List.of("rød", 12), "headers");
        equal(got.getHeaders().get("Sqs_Msa_ApproximateReceiveCount"), "2", "receive count");
        awaitCounts(queue, 0, 0);
    }

    private void refused() throws Exception {
        String queue = queue("small");
        List<Message<String>> messages = Stream.of("short", "x".repeat(1025)).map(body -> MessageBuilder.withPayload(body).build()).toList();
        SendBatchOperationFailedException batch = Checking.raises(SendBatchOperationFailedException.class, () -> template.sendMany(queue, messages));
        SendResult.Batch<String> results = batch.getSendBatchResult(String.class);
        equal(results.successful().stream().map(result -> result.message().getPayload()).toList(), List.of("short"), "sent");
        equal(results.failed().stream().map(result -> result.message().getPayload().length()).toList(), List.of(1025), "failed");
        Checking.raises(MessagingOperationFailedException.class, () -> template.send(queue, "bell \u0007"));
        awaitCounts(queue, 1, 0);
    }

    private void json() throws Exception {
        SpringListeners.Order order = new SpringListeners.Order(7, "naïve \"Ω\" <&>");
        template.send(to -> to.queue(queue("json")).payload(order).header("colour", "red"));
        equal(take(listeners.orders), order, "order");
        awaitCounts(queue("json"), 0, 0);
    }

    private void failing() throws Exception {
        template.send(queue("failing"), "hello");
        equal(List.of(take(listeners.failing), take(listeners.failing), take(listeners.failing)), List.of("1", "2", "3"), "receive counts");
        awaitCounts(queue("failing"), 0, 0);
    }

    private void visibility() throws Exception {
        template.send(queue("visibility"), "hello");
        equal(List.of(take(listeners.visibility), take(listeners.visibility)), List.of("1", "2"), "receive counts");
        awaitCounts(queue("visibility"), 0, 0);
    }

    private void missing() throws Exception {
        template.send(queue("missing"), "hello");
        equal(take(listeners.made), "hello", "body");
    }

    private void template() throws Exception {
        String queue = queue("template");
        template.send(to -> to.queue(queue).payload("later").delaySeconds(5));
        sendMany(queue, bodies(5));
        TreeSet<String> got = new TreeSet<>();
        while (got.size() < 5) {
            template.receiveMany(from -> from.queue(queue).maxNumberOfMessages(10).pollTimeout(Duration.ofSeconds(5)), String.class)
                    .forEach(message -> got.add(message.getPayload()));
        }
        equal(got, new TreeSet<>(bodies(5)), "bodies");
        Optional<Message<String>> later = template.receive(from -> from.queue(queue).pollTimeout(Duration.ofSeconds(20)), String.class);
        equal(later.map(Message::getPayload), Optional.of("later"), "delayed message");
        awaitCounts(queue, 0, 0);
    }

    private void notification() throws Exception {
        String url = client.getQueueUrl(r -> r.queueName(queue("notified"))).get().queueUrl();
        String arn = client.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.QUEUE_ARN)).get().attributes().get(QueueAttributeName.QUEUE_ARN);
        String topic = topics.createTopic(r -> r.name(queue("notified"))).topicArn();
        topics.subscribe(r -> r.topicArn(topic).protocol("sqs").endpoint(arn));
        SpringListeners.Order order = new SpringListeners.Order(7, "naïve \"Ω\" <&>");
        notifications.sendNotification(topic, order, "an order");
        equal(take(listeners.notified), order, "order");
        equal(take(listeners.subjects), "an order", "subject");
        awaitCounts(queue("notified"), 0, 0);
    }

    /** What the template publishes, an endpoint gets and verifies. */
    private void endpoint() throws Exception {
        for (String version : List.of("1", "2")) {
            String topic = topics.createTopic(r -> r.name(queue("notified") + "-" + version).attributes(Map.of("SignatureVersion", version))).topicArn();
            try (SpringReceiver endpoint = new SpringReceiver()) {
                topics.subscribe(r -> r.topicArn(topic).protocol("http").endpoint(endpoint.url()));
                Map<String, Object> asked = take(endpoint.got);
                equal(List.of(asked.get("Type"), SpringReceiver.verified(asked)), List.of("SubscriptionConfirmation", true), "confirmation");
                topics.confirmSubscription(r -> r.topicArn(topic).token((String) asked.get("Token")));
                notifications.sendNotification(topic, "naïve \"Ω\" <&>", "an order");
                Map<String, Object> got = take(endpoint.got);
                equal(List.of(got.get("Message"), got.get("Subject"), got.get("SignatureVersion"), SpringReceiver.verified(got)),
                        List.of("naïve \"Ω\" <&>", "an order", version, true), "notification");
                got.put("Subject", "another order");
                equal(SpringReceiver.verified(got), false, "a notification that was changed");
            }
        }
    }

    private void poison() throws Exception {
        template.send(queue("poison"), "hello");
        Message<String> letter = take(listeners.dead);
        equal(letter.getPayload(), "hello", "body");
        equal(String.valueOf(letter.getHeaders().get("Sqs_Msa_DeadLetterQueueSourceArn")).endsWith(":" + queue("poison")), true, "source");
        equal(listeners.poison.size(), 2, "runs");
        awaitCounts(queue("poison"), 0, 0);
    }

    private void ordered() throws Exception {
        List<String> groups = List.of("a", "b", "c");
        Map<String, List<String>> want = new TreeMap<>();
        Map<String, List<String>> got = new TreeMap<>();
        for (int i = 0; i < 10; i++) {
            for (String group : groups) {
                String body = group + i;
                want.computeIfAbsent(group, g -> new ArrayList<>()).add(body);
                template.send(to -> to.queue(queue("fifo")).payload(body).messageGroupId(group));
            }
        }
        for (int i = 0; i < 30; i++) {
            String body = take(listeners.ordered);
            got.computeIfAbsent(body.substring(0, 1), g -> new ArrayList<>()).add(body);
        }
        equal(got, want, "bodies by group");
        awaitCounts(queue("fifo"), 0, 0);
    }
}
