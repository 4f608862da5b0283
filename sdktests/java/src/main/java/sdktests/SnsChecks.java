package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.messagemanager.sns.SnsMessageManager;
import software.amazon.awssdk.messagemanager.sns.model.SnsMessage;
import software.amazon.awssdk.messagemanager.sns.model.SnsNotification;
import software.amazon.awssdk.messagemanager.sns.model.SnsSubscriptionConfirmation;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.BatchEntryIdsNotDistinctException;
import software.amazon.awssdk.services.sns.model.MessageAttributeValue;
import software.amazon.awssdk.services.sns.model.NotFoundException;
import software.amazon.awssdk.services.sns.model.PublishBatchRequestEntry;
import software.amazon.awssdk.services.sns.model.PublishBatchResponse;
import software.amazon.awssdk.services.sns.model.PublishBatchResultEntry;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** What SNS promises, seen through the AWS SDK, version 2, and its message manager, which verifies signatures. */
final class SnsChecks {
    private final SnsClient client = Clients.sns();
    private final SqsClient queues = Clients.sqs();

    void register() {
        check("sns_messages_pass_the_message_manager", this::messageManager);
        check("sns_http_endpoint_passes_the_message_manager", this::endpoint);
        check("sns_publish_raw_and_filtered", this::rawAndFiltered);
        check("sns_publish_batch_answers_each", this::batch);
        check("sns_errors_have_their_classes", this::errors);
    }

    private String topic(Map<String, String> attributes) {
        return client.createTopic(r -> r.name(Clients.queueName("orders")).attributes(attributes)).topicArn();
    }

    private String subscribed(String topic, Map<String, String> attributes) {
        String url = Clients.sqsQueue(queues, Map.of());
        String arn = queues.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.QUEUE_ARN))
                .attributes().get(QueueAttributeName.QUEUE_ARN);
        client.subscribe(r -> r.topicArn(topic).protocol("sqs").endpoint(arn).attributes(attributes));
        return url;
    }

    private List<String> bodies(String url) {
        return queues.receiveMessage(r -> r.queueUrl(url).maxNumberOfMessages(10)).messages().stream().map(Message::body).toList();
    }

    private void messageManager() throws Exception {
        try (SnsMessageManager manager = SnsMessageManager.builder().region(Region.US_EAST_1).httpClient(new Resolved()).build()) {
            for (String version : List.of("1", "2")) {
                String topic = topic(Map.of("SignatureVersion", version));
                String url = subscribed(topic, Map.of());
                for (String text : Checking.TEXTS.values()) {
                    client.publish(r -> r.topicArn(topic).message(text).subject("About"));
                    String body = bodies(url).get(0);
                    equal(((SnsNotification) manager.parseMessage(body)).message(), text, "message");
                    raises(RuntimeException.class, () -> manager.parseMessage(body.replace("\"About\"", "\"Another\"")));
                }
            }
        }
    }

    /** An HTTP endpoint that takes nothing but what the message manager has verified, and confirms its subscription. */
    private void endpoint() throws Exception {
        BlockingQueue<SnsMessage> got = new LinkedBlockingQueue<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        try (SnsMessageManager manager = SnsMessageManager.builder().region(Region.US_EAST_1).httpClient(new Resolved()).build()) {
            server.createContext("/", exchange -> {
                int status = 200;
                try {
                    got.add(manager.parseMessage(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
                } catch (RuntimeException e) {
                    status = 403;
                }
                exchange.sendResponseHeaders(status, -1);
                exchange.close();
            });
            server.start();
            for (String version : List.of("1", "2")) {
                String topic = topic(Map.of("SignatureVersion", version));
                client.subscribe(r -> r.topicArn(topic).protocol("http").endpoint("http://127.0.0.1:" + server.getAddress().getPort() + "/"));
                SnsSubscriptionConfirmation asked = (SnsSubscriptionConfirmation) got.poll(30, TimeUnit.SECONDS);
                client.confirmSubscription(r -> r.topicArn(topic).token(asked.token()));
                client.publish(r -> r.topicArn(topic).message("hello <&>").subject("About"));
                SnsNotification notified = (SnsNotification) got.poll(30, TimeUnit.SECONDS);
                equal(List.of(notified.message(), notified.topicArn()), List.of("hello <&>", topic), "notification");
            }
        } finally {
            server.stop(0);
        }
    }

    private void rawAndFiltered() {
        String topic = topic(Map.of());
        String all = subscribed(topic, Map.of("RawMessageDelivery", "true"));
        String some = subscribed(topic, Map.of("RawMessageDelivery", "true", "FilterPolicy", "{\"kind\":[{\"prefix\":\"or\"}]}"));
        for (String kind : List.of("order", "refund")) {
            MessageAttributeValue value = MessageAttributeValue.builder().dataType("String").stringValue(kind).build();
            client.publish(r -> r.topicArn(topic).message(kind).messageAttributes(Map.of("kind", value)));
        }
        equal(bodies(all).stream().sorted().toList(), List.of("order", "refund"), "all");
        equal(bodies(some), List.of("order"), "some");
    }

    private void batch() throws Exception {
        String topic = topic(Map.of());
        String url = subscribed(topic, Map.of("RawMessageDelivery", "true"));
        List<PublishBatchRequestEntry> entries = IntStream.range(0, 10)
                .mapToObj(i -> PublishBatchRequestEntry.builder().id("a" + i).message("m" + i).build()).toList();
        PublishBatchResponse answer = client.publishBatch(r -> r.topicArn(topic).publishBatchRequestEntries(entries));
        equal(answer.successful().stream().map(PublishBatchResultEntry::id).toList(),
                entries.stream().map(PublishBatchRequestEntry::id).toList(), "ids");
        equal(answer.hasFailed() && answer.failed().isEmpty(), true, "an empty list of failures");
        equal(bodies(url).size(), 10, "messages");
        raises(BatchEntryIdsNotDistinctException.class,
                () -> client.publishBatch(r -> r.topicArn(topic).publishBatchRequestEntries(entries.get(0), entries.get(0))));
    }

    private void errors() throws Exception {
        NotFoundException missing = raises(NotFoundException.class,
                () -> client.publish(r -> r.topicArn("arn:aws:sns:us-east-1:000000000000:none").message("x")));
        equal(missing.awsErrorDetails().errorMessage(), "Topic does not exist", "text");
    }

    /** Asks polymq for what lies at SNS's own host: the DNS entry of the recipe. */
    private static final class Resolved implements SdkHttpClient {
        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
            equal(request.httpRequest().host(), "sns.us-east-1.amazonaws.com", "host of the certificate");
            URI polymq = URI.create(Clients.ENDPOINT + request.httpRequest().encodedPath());
            return new ExecutableHttpRequest() {
                @Override
                public HttpExecuteResponse call() throws IOException {
                    HttpURLConnection connection = (HttpURLConnection) polymq.toURL().openConnection();
                    return HttpExecuteResponse.builder()
                            .response(SdkHttpResponse.builder().statusCode(connection.getResponseCode()).build())
                            .responseBody(AbortableInputStream.create(connection.getInputStream()))
                            .build();
                }

                @Override
                public void abort() {}
            };
        }

        @Override
        public void close() {}
    }
}
