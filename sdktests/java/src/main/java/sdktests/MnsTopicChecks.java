package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.mns.client.CloudPullTopic;
import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.CloudTopic;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.common.ServiceException;
import com.aliyun.mns.model.Base64TopicMessage;
import com.aliyun.mns.model.Message;
import com.aliyun.mns.model.RawTopicMessage;
import com.aliyun.mns.model.SubscriptionMeta;
import com.aliyun.mns.model.TopicMessage;
import com.aliyun.mns.model.TopicMeta;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Vector;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What MNS promises of topics, seen through Alibaba's SDK. */
final class MnsTopicChecks {
    private final MNSClient client;

    MnsTopicChecks(MNSClient client) {
        this.client = client;
    }

    void register() {
        check("mns_topic_attributes", this::attributes);
        check("mns_subscription_attributes", this::subscriptions);
        check("mns_publish_to_queues", this::publish);
        check("mns_published_texts_come_back_as_sent", this::texts);
        check("mns_pull_topic", this::pullTopic);
        check("mns_publish_to_http", this::http);
        check("mns_missing_topic", this::missing);
    }

    /** Registers what needs, beside the SDK, the server's own API. */
    static void registerPushes() {
        try {
            Class<?> endpoint = Class.forName("com.aliyun.mns.sample.HttpEndpoint"); // the first generation of the SDK alone has it
            check("mns_pushes_are_verified_by_the_endpoint_of_the_sdk", () -> new MnsTopicChecks(Clients.mns()).pushes(endpoint));
        } catch (ClassNotFoundException e) {
            // nothing to check with
        }
    }

    /** The SDK's own endpoint answers 204 to a push whose signature it has verified. */
    private void pushes(Class<?> kind) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Object endpoint = kind.getConstructor(int.class).newInstance(port);
        kind.getMethod("start").invoke(endpoint);
        try (ServerSocket before = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> passOn(before, port));
            CloudTopic topic = topic();
            topic.subscribe(subscription("verified", "http://127.0.0.1:" + before.getLocalPort() + "/notifications", SubscriptionMeta.NotifyContentFormat.XML));
            TopicMessage message = new RawTopicMessage();
            message.setMessageBody("hello <&>");
            topic.publishMessage(message);
            equal(answer.get(60, TimeUnit.SECONDS).split(" ")[1], "204", "status of the answer");
        } finally {
            kind.getMethod("stop").invoke(endpoint);
        }
    }

    /** Passes one connection on to a port, byte by byte, and gives the beginning of what is answered. */
    private static String passOn(ServerSocket before, int port) {
        try (Socket server = before.accept(); Socket endpoint = new Socket(InetAddress.getLoopbackAddress(), port)) {
            CompletableFuture.runAsync(() -> {
                try {
                    server.getInputStream().transferTo(endpoint.getOutputStream());
                } catch (IOException e) {
                    // it is closed once there is an answer
                }
            });
            byte[] answer = new byte[8192];
            int length = endpoint.getInputStream().read(answer);
            server.getOutputStream().write(answer, 0, length);
            return new String(answer, 0, length, StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private CloudTopic topic() throws Exception {
        TopicMeta meta = new TopicMeta();
        meta.setTopicName(Clients.queueName("news"));
        return client.createTopic(meta);
    }

    /** The code of the service's error, which some releases of the SDK wrap into another. */
    private static String code(Checking.Action action) throws Exception {
        Exception error = Checking.raises(Exception.class, action);
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof ServiceException service) {
                return service.getErrorCode();
            }
        }
        throw error;
    }

    private void attributes() throws Exception {
        TopicMeta meta = new TopicMeta();
        meta.setTopicName(Clients.queueName("news"));
        meta.setMaxMessageSize(2048L);
        CloudTopic topic = client.createTopic(meta);
        equal(topic.getTopicURL(), Clients.ENDPOINT + "/topics/" + meta.getTopicName(), "URL");
        client.createTopic(meta);
        TopicMeta shown = topic.getAttribute();
        equal(List.of(shown.getTopicName(), shown.getMaxMessageSize(), shown.getMessageRetentionPeriod(), shown.getMessageCount()),
                List.of(meta.getTopicName(), 2048L, 86400L, 0L), "attributes");
        meta.setMaxMessageSize(4096L);
        equal(code(() -> client.createTopic(meta)), "TopicAlreadyExist", "code of a create with other attributes");
        topic.setAttribute(meta);
        equal(topic.getAttribute().getMaxMessageSize(), 4096L, "size after a change");
        equal(client.listTopicURL(meta.getTopicName(), "", 10).getResult(), List.of(topic.getTopicURL()), "list");
        topic.delete();
        equal(code(topic::getAttribute), "TopicNotExist", "code after the delete");
    }

    private static SubscriptionMeta subscription(String name, String endpoint, SubscriptionMeta.NotifyContentFormat format) {
        SubscriptionMeta meta = new SubscriptionMeta();
        meta.setSubscriptionName(name);
        meta.setEndpoint(endpoint);
        meta.setNotifyContentFormat(format);
        return meta;
    }

    private void subscriptions() throws Exception {
        CloudTopic topic = topic();
        SubscriptionMeta meta = subscription("all", "http://example.com/a?b=c", SubscriptionMeta.NotifyContentFormat.SIMPLIFIED);
        meta.setFilterTag("red");
        equal(topic.subscribe(meta), topic.getTopicURL() + "/subscriptions/all", "URL");
        meta.setNotifyStrategy(SubscriptionMeta.NotifyStrategy.EXPONENTIAL_DECAY_RETRY);
        equal(code(() -> topic.subscribe(meta)), "SubscriptionAlreadyExist", "code of another strategy");
        topic.setSubscriptionAttr(meta);
        SubscriptionMeta shown = topic.getSubscriptionAttr("all");
        equal(List.of(shown.getEndpoint(), shown.getFilterTag(), shown.getNotifyStrategy(), shown.getNotifyContentFormat()),
                List.of(meta.getEndpoint(), "red", SubscriptionMeta.NotifyStrategy.EXPONENTIAL_DECAY_RETRY, SubscriptionMeta.NotifyContentFormat.SIMPLIFIED),
                "attributes");
        equal(topic.listSubscriptionUrls("a", "", 10).getResult(), List.of(topic.getTopicURL() + "/subscriptions/all"), "list");
        topic.unsubscribe("all");
        equal(code(() -> topic.getSubscriptionAttr("all")), "SubscriptionNotExist", "code after the unsubscribe");
    }

    private void publish() throws Exception {
        CloudTopic topic = topic();
        CloudQueue all = Clients.mnsQueue(client);
        CloudQueue red = Clients.mnsQueue(client);
        topic.subscribe(subscription("all", endpoint(topic, all), SubscriptionMeta.NotifyContentFormat.XML));
        SubscriptionMeta meta = subscription("red", endpoint(topic, red), SubscriptionMeta.NotifyContentFormat.SIMPLIFIED);
        meta.setFilterTag("red");
        topic.subscribe(meta);
        TopicMessage message = new RawTopicMessage();
        message.setMessageBody("hello <&>");
        message.setMessageTag("red");
        TopicMessage published = topic.publishMessage(message);
        Message got = red.popMessage(5);
        equal(got.getMessageBodyAsRawString(), "hello <&>", "body of the tag's queue");
        String notification = all.popMessage(5).getMessageBodyAsRawString();
        equal(notification.contains("<Message>hello &lt;&amp;&gt;</Message>") && notification.contains("<MessageId>" + published.getMessageId() + "<"),
                true, notification);
    }

    private static String endpoint(CloudTopic topic, CloudQueue queue) {
        String url = queue.getQueueURL();
        return topic.generateQueueEndpoint(url.substring(url.lastIndexOf('/') + 1), "us-east-1");
    }

    private void texts() throws Exception {
        CloudTopic topic = topic();
        CloudQueue queue = Clients.mnsQueue(client);
        topic.subscribe(subscription("all", endpoint(topic, queue), SubscriptionMeta.NotifyContentFormat.SIMPLIFIED));
        for (var text : Checking.TEXTS.entrySet()) {
            TopicMessage message = new Base64TopicMessage();
            message.setMessageBody(text.getValue());
            topic.publishMessage(message);
            Message got = queue.popMessage(5);
            equal(got.getMessageBodyAsString(), text.getValue(), text.getKey());
            queue.deleteMessage(got.getReceiptHandle());
        }
    }

    private void http() throws Exception {
        CloudTopic topic = topic();
        try (MnsReceiver endpoint = new MnsReceiver()) {
            topic.subscribe(subscription("all", endpoint.url(), SubscriptionMeta.NotifyContentFormat.SIMPLIFIED));
            TopicMessage message = new RawTopicMessage();
            message.setMessageBody("hello <&>");
            message.setMessageTag("red");
            TopicMessage published = topic.publishMessage(message);
            MnsReceiver.Push push = endpoint.next();
            equal(List.of(push.target(), push.body(), push.headers().get("x-mns-message-id"), push.headers().get("x-mns-message-tag")),
                    List.of("/notify?a=b", "hello <&>", published.getMessageId(), "red"), "push");
            equal(push.verified(), true, "signature");
            equal(push.with("x-mns-message-tag", "blue").verified(), false, "signature of a push that was changed");
        }
    }

    /** A topic with a queue for each of its readers, which the SDK makes and subscribes by itself. */
    private void pullTopic() throws Exception {
        TopicMeta meta = new TopicMeta();
        meta.setTopicName(Clients.queueName("news"));
        Vector<String> queues = new Vector<>(List.of(Clients.queueName("one"), Clients.queueName("two")));
        for (String name : queues) {
            client.getQueueRef(name).create();
        }
        CloudPullTopic topic = client.createPullTopic(meta, queues);
        TopicMessage message = new Base64TopicMessage();
        message.setMessageBody("hello");
        topic.publishMessage(message);
        for (String name : queues) {
            equal(client.getQueueRef(name).popMessage(5).getMessageBodyAsString(), "hello", "body");
        }
        equal(topic.getRawTopic().getSubscriptionAttr("sub-for-queue-" + queues.get(0)).getNotifyStrategy(),
                SubscriptionMeta.NotifyStrategy.EXPONENTIAL_DECAY_RETRY, "strategy");
        topic.delete();
    }

    private void missing() throws Exception {
        TopicMessage message = new RawTopicMessage();
        message.setMessageBody("hello");
        equal(code(() -> client.getTopicRef(Clients.queueName("none")).publishMessage(message)), "TopicNotExist", "code");
    }
}
