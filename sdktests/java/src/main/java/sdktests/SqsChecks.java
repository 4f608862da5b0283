package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.batchmanager.SqsAsyncBatchManager;
import software.amazon.awssdk.services.sqs.model.BatchEntryIdsNotDistinctException;
import software.amazon.awssdk.services.sqs.model.ChangeMessageVisibilityBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.EmptyBatchRequestException;
import software.amazon.awssdk.services.sqs.model.InvalidAttributeNameException;
import software.amazon.awssdk.services.sqs.model.InvalidMessageContentsException;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;
import software.amazon.awssdk.services.sqs.model.QueueNameExistsException;
import software.amazon.awssdk.services.sqs.model.ReceiptHandleIsInvalidException;
import software.amazon.awssdk.services.sqs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.SqsException;
import software.amazon.awssdk.services.sqs.model.TooManyEntriesInBatchRequestException;

/** What SQS promises, seen through the AWS SDK, version 2. It checks the MD5 of bodies and attributes by itself. */
final class SqsChecks {
    private final SqsClient client = Clients.sqs();

    void register() {
        check("sqs_create_queue_answers_its_url", this::createQueue);
        check("sqs_missing_queue_has_its_own_exception", this::missingQueue);
        check("sqs_list_queues_in_pages", this::listQueues);
        check("sqs_queue_attributes_come_back", this::attributes);
        check("sqs_send_receive_delete", this::sendReceiveDelete);
        check("sqs_texts_come_back_as_sent", this::texts);
        check("sqs_bad_body_is_refused", this::badBody);
        check("sqs_message_attributes", this::messageAttributes);
        check("sqs_visibility_timeout_passes", this::visibility);
        check("sqs_delayed_message_arrives_later", this::delay);
        check("sqs_long_poll_wakes_at_a_send", this::longPoll);
        check("sqs_bad_receipt_handle_has_its_own_exception", this::badHandle);
        check("sqs_batches", this::batches);
        check("sqs_batches_that_fail_as_a_whole", this::wholeBatches);
        check("sqs_batch_manager", this::batchManager);
        check("sqs_batch_manager_errors", this::batchManagerErrors);
        check("sqs_batch_manager_carries_attributes", this::batchManagerAttributes);
        check("sqs_purge_and_delete_queue", this::purgeAndDelete);
        check("sqs_dead_letters_and_redrive", this::deadLetters);
        check("sqs_fifo_order_and_deduplication", this::fifo);
        check("sqs_fifo_batch_manager_keeps_the_order", this::fifoBatchManager);
    }

    private String queue() {
        return Clients.sqsQueue(client, Map.of());
    }

    private void send(String url, String body) {
        client.sendMessage(r -> r.queueUrl(url).messageBody(body));
    }

    private List<Message> receive(String url, int wait) {
        return client.receiveMessage(r -> r.queueUrl(url).waitTimeSeconds(wait).maxNumberOfMessages(10)).messages();
    }

    private String attribute(String url, QueueAttributeName name) {
        return client.getQueueAttributes(r -> r.queueUrl(url).attributeNames(name)).attributes().get(name);
    }

    private static void equalError(SqsException error, String code, int status) {
        equal(error.awsErrorDetails().errorCode(), code, "code");
        equal(error.statusCode(), status, "status");
        equal(error.requestId() != null, true, "has a request id");
    }

    private void createQueue() throws Exception {
        String name = Clients.queueName("orders");
        Map<QueueAttributeName, String> ten = Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "10");
        String url = client.createQueue(r -> r.queueName(name).attributes(ten)).queueUrl();
        equal(url.startsWith(Clients.ENDPOINT + "/"), true, "URL on the endpoint: " + url);
        equal(Clients.nameOf(url), name, "name in the URL");
        equal(client.getQueueUrl(r -> r.queueName(name)).queueUrl(), url, "GetQueueUrl");
        Map<QueueAttributeName, String> eleven = Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "11");
        equalError(raises(QueueNameExistsException.class,
                () -> client.createQueue(r -> r.queueName(name).attributes(eleven))), "QueueAlreadyExists", 400);
    }

    private void missingQueue() throws Exception {
        equalError(raises(QueueDoesNotExistException.class,
                () -> client.getQueueUrl(r -> r.queueName(Clients.queueName("orders")))),
                "AWS.SimpleQueueService.NonExistentQueue", 400);
    }

    private void listQueues() throws Exception {
        String prefix = Clients.queueName("page");
        List<String> urls = new ArrayList<>();
        for (int n = 0; n < 5; n++) {
            String name = prefix + "-" + n;
            urls.add(client.createQueue(r -> r.queueName(name)).queueUrl());
        }
        var pages = client.listQueuesPaginator(r -> r.queueNamePrefix(prefix).maxResults(2)).stream().toList();
        equal(pages.size(), 3, "pages");
        equal(pages.stream().flatMap(page -> page.queueUrls().stream()).toList(), urls, "queues");
    }

    private void attributes() throws Exception {
        String url = Clients.sqsQueue(client, Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "45"));
        client.setQueueAttributes(r -> r.queueUrl(url).attributes(Map.of(QueueAttributeName.DELAY_SECONDS, "4")));
        var shown = client.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.ALL)).attributes();
        equal(shown.get(QueueAttributeName.VISIBILITY_TIMEOUT), "45", "given to create");
        equal(shown.get(QueueAttributeName.DELAY_SECONDS), "4", "set");
        equalError(raises(InvalidAttributeNameException.class,
                () -> client.setQueueAttributes(r -> r.queueUrl(url).attributesWithStrings(Map.of("Colour", "red")))),
                "InvalidAttributeName", 400);
    }

    private void sendReceiveDelete() throws Exception {
        String url = queue();
        String id = client.sendMessage(r -> r.queueUrl(url).messageBody("hello")).messageId();
        Message message = receive(url, 0).get(0);
        equal(List.of(message.body(), message.messageId()), List.of("hello", id), "body and id");
        equal(receive(url, 0), List.of(), "receive of a message in flight");
        client.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle()));
        String inFlight = attribute(url, QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE);
        equal(inFlight, "0", "in flight after the delete");
    }

    private void texts() throws Exception {
        String url = queue();
        for (Map.Entry<String, String> text : Checking.TEXTS.entrySet()) {
            send(url, text.getValue());
            Message message = receive(url, 0).get(0);
            equal(message.body(), text.getValue(), text.getKey());
            client.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle()));
        }
    }

    private void badBody() throws Exception {
        String url = queue();
        equalError(raises(InvalidMessageContentsException.class, () -> send(url, "bell \u0007")),
                "InvalidMessageContents", 400);
    }

    private void messageAttributes() throws Exception {
        String url = queue();
        byte[] every = new byte[256];
        IntStream.range(0, 256).forEach(n -> every[n] = (byte) n);
        Map<String, MessageAttributeValue> attributes = Map.of(
                "colour", MessageAttributeValue.builder().dataType("String").stringValue("red").build(),
                "price", MessageAttributeValue.builder().dataType("Number.euro").stringValue("99.120").build(),
                "bytes", MessageAttributeValue.builder().dataType("Binary").binaryValue(SdkBytes.fromByteArray(every)).build());
        client.sendMessage(r -> r.queueUrl(url).messageBody("hello").messageAttributes(attributes));
        Message message = client.receiveMessage(r -> r.queueUrl(url).messageAttributeNames("All")
                .messageSystemAttributeNames(MessageSystemAttributeName.ALL)).messages().get(0);
        equal(message.messageAttributes(), attributes, "attributes");
        equal(message.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT), "1", "receive count");
    }

    private void visibility() throws Exception {
        String url = queue();
        send(url, "hello");
        Message first = client.receiveMessage(r -> r.queueUrl(url).visibilityTimeout(1)).messages().get(0);
        Message second = receive(url, 10).get(0);
        equal(second.messageId(), first.messageId(), "id");
        client.changeMessageVisibility(r -> r.queueUrl(url).receiptHandle(second.receiptHandle()).visibilityTimeout(0));
        equal(receive(url, 0).size(), 1, "messages after a timeout of zero");
    }

    private void delay() throws Exception {
        String url = queue();
        client.sendMessage(r -> r.queueUrl(url).messageBody("hello").delaySeconds(5));
        equal(receive(url, 0), List.of(), "received before the delay");
        equal(receive(url, 20).size(), 1, "messages after the delay");
    }

    private void longPoll() throws Exception {
        String url = queue();
        CompletableFuture<List<Message>> poll = CompletableFuture.supplyAsync(() -> receive(url, 20));
        send(url, "hello");
        equal(poll.get(60, TimeUnit.SECONDS).get(0).body(), "hello", "body");
    }

    private void badHandle() throws Exception {
        String url = queue();
        equalError(raises(ReceiptHandleIsInvalidException.class,
                () -> client.deleteMessage(r -> r.queueUrl(url).receiptHandle("not-a-handle"))),
                "ReceiptHandleIsInvalid", 404);
    }

    private static List<SendMessageBatchRequestEntry> entries(int count) {
        return IntStream.range(0, count)
                .mapToObj(n -> SendMessageBatchRequestEntry.builder().id("e" + n).messageBody("body " + n).build())
                .toList();
    }

    private void batches() throws Exception {
        String url = queue();
        var sent = client.sendMessageBatch(r -> r.queueUrl(url).entries(entries(10)));
        equal(List.of(sent.successful().size(), sent.failed().size()), List.of(10, 0), "sent and failed");
        List<Message> messages = receive(url, 0);
        equal(messages.size(), 10, "received");
        var shown = messages.stream()
                .map(m -> ChangeMessageVisibilityBatchRequestEntry.builder()
                        .id(m.messageId()).receiptHandle(m.receiptHandle()).visibilityTimeout(0).build())
                .toList();
        var changed = client.changeMessageVisibilityBatch(r -> r.queueUrl(url).entries(shown));
        equal(changed.successful().size(), 10, "visibilities changed");
        var deletes = new ArrayList<>(receive(url, 0).stream()
                .map(m -> DeleteMessageBatchRequestEntry.builder().id(m.messageId()).receiptHandle(m.receiptHandle()).build())
                .toList());
        deletes.set(0, DeleteMessageBatchRequestEntry.builder().id("bad").receiptHandle("not-a-handle").build());
        var deleted = client.deleteMessageBatch(r -> r.queueUrl(url).entries(deletes));
        equal(deleted.successful().size(), 9, "deleted");
        equal(deleted.failed().get(0).code(), "ReceiptHandleIsInvalid", "not deleted");
    }

    private void wholeBatches() throws Exception {
        String url = queue();
        equalError(raises(EmptyBatchRequestException.class,
                () -> client.sendMessageBatch(r -> r.queueUrl(url).entries(entries(0)))),
                "AWS.SimpleQueueService.EmptyBatchRequest", 400);
        equalError(raises(TooManyEntriesInBatchRequestException.class,
                () -> client.sendMessageBatch(r -> r.queueUrl(url).entries(entries(11)))),
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400);
        var entry = entries(1).get(0);
        equalError(raises(BatchEntryIdsNotDistinctException.class,
                () -> client.sendMessageBatch(r -> r.queueUrl(url).entries(entry, entry))),
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400);
    }

    /** The manager gathers single calls into batches by itself, and receives ahead into a buffer of its own. */
    private void batchManager() throws Exception {
        String url = queue();
        try (SqsAsyncClient async = Clients.sqsAsync(); SqsAsyncBatchManager manager = async.batchManager()) {
            var sends = IntStream.range(0, 25)
                    .mapToObj(n -> manager.sendMessage(r -> r.queueUrl(url).messageBody("body " + n)))
                    .toList();
            for (var sent : sends) {
                sent.get(60, TimeUnit.SECONDS);
            }
            List<String> bodies = new ArrayList<>();
            while (bodies.size() < 25) {
                var got = manager.receiveMessage(r -> r.queueUrl(url)).get(60, TimeUnit.SECONDS).messages();
                for (Message message : got) {
                    bodies.add(message.body());
                    manager.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle()))
                            .get(60, TimeUnit.SECONDS);
                }
            }
            equal(bodies.stream().sorted().toList(),
                    IntStream.range(0, 25).mapToObj(n -> "body " + n).sorted().toList(), "bodies");
        }
    }

    /** What the server refuses of a gathered batch fails the call it came from, and no other. */
    private void batchManagerErrors() throws Exception {
        String url = Clients.sqsQueue(client, Map.of(QueueAttributeName.MAXIMUM_MESSAGE_SIZE, "1024"));
        try (SqsAsyncClient async = Clients.sqsAsync(); SqsAsyncBatchManager manager = async.batchManager()) {
            var good = manager.sendMessage(r -> r.queueUrl(url).messageBody("hello"));
            var bad = manager.sendMessage(r -> r.queueUrl(url).messageBody("x".repeat(1025)));
            good.get(60, TimeUnit.SECONDS);
            equalError(cause(bad), "InvalidParameterValue");
            String handle = receive(url, 0).get(0).receiptHandle();
            var shown = manager.changeMessageVisibility(r -> r.queueUrl(url).receiptHandle(handle).visibilityTimeout(0));
            var unknown = manager.changeMessageVisibility(r -> r.queueUrl(url).receiptHandle("nonsense").visibilityTimeout(0));
            shown.get(60, TimeUnit.SECONDS);
            equalError(cause(unknown), "ReceiptHandleIsInvalid");
            equal(receive(url, 0).size(), 1, "received again");
            var deleted = manager.deleteMessage(r -> r.queueUrl(url).receiptHandle(handle));
            var missing = manager.deleteMessage(r -> r.queueUrl(url).receiptHandle("nonsense"));
            deleted.get(60, TimeUnit.SECONDS);
            equalError(cause(missing), "ReceiptHandleIsInvalid");
            equal(attribute(url, QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE), "0", "in flight");
        }
    }

    /** Sends that differ in their attributes share a batch; what is received ahead has those that the manager was told to ask for. */
    private void batchManagerAttributes() throws Exception {
        String url = queue();
        byte[] bytes = {0, 1, (byte) 0xff};
        Map<String, MessageAttributeValue> attributes = Map.of(
                "size", MessageAttributeValue.builder().dataType("Number").stringValue("12.50").build(),
                "image", MessageAttributeValue.builder().dataType("Binary.png").binaryValue(SdkBytes.fromByteArray(bytes)).build());
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        try (SqsAsyncClient async = Clients.sqsAsync();
                SqsAsyncBatchManager manager = SqsAsyncBatchManager.builder().client(async).scheduledExecutor(executor)
                        .overrideConfiguration(c -> c.receiveMessageAttributeNames(List.of("All"))
                                .receiveMessageSystemAttributeNames(List.of(MessageSystemAttributeName.ALL)).receiveMessageVisibilityTimeout(Duration.ofMinutes(1)))
                        .build()) {
            var with = manager.sendMessage(r -> r.queueUrl(url).messageBody("with").messageAttributes(attributes));
            var without = manager.sendMessage(r -> r.queueUrl(url).messageBody("without"));
            equal(with.get(60, TimeUnit.SECONDS).md5OfMessageAttributes() == null, false, "MD5 of attributes");
            equal(without.get(60, TimeUnit.SECONDS).md5OfMessageAttributes(), null, "MD5 of no attributes");
            Map<String, Map<String, MessageAttributeValue>> got = new HashMap<>();
            while (got.size() < 2) {
                for (Message message : manager.receiveMessage(r -> r.queueUrl(url)).get(60, TimeUnit.SECONDS).messages()) {
                    got.put(message.body(), message.messageAttributes());
                    equal(message.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT), "1", "receive count");
                    manager.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle())).get(60, TimeUnit.SECONDS);
                }
            }
            equal(got, Map.of("with", attributes, "without", Map.of()), "attributes");
        } finally {
            executor.shutdown();
        }
    }

    private static SqsException cause(CompletableFuture<?> call) throws Exception {
        return (SqsException) raises(ExecutionException.class, () -> call.get(60, TimeUnit.SECONDS)).getCause();
    }

    private static void equalError(SqsException error, String code) {
        equal(error.awsErrorDetails().errorCode(), code, "code");
    }

    private void purgeAndDelete() throws Exception {
        String url = queue();
        send(url, "hello");
        client.purgeQueue(r -> r.queueUrl(url));
        equal(receive(url, 0), List.of(), "received after the purge");
        client.deleteQueue(r -> r.queueUrl(url));
        raises(QueueDoesNotExistException.class, () -> receive(url, 0));
    }

    private void deadLetters() throws Exception {
        String dead = queue();
        String arn = attribute(dead, QueueAttributeName.QUEUE_ARN);
        String policy = "{\"deadLetterTargetArn\":\"" + arn + "\",\"maxReceiveCount\":1}";
        String url = Clients.sqsQueue(client, Map.of(QueueAttributeName.REDRIVE_POLICY, policy, QueueAttributeName.VISIBILITY_TIMEOUT, "0"));
        equal(client.listDeadLetterSourceQueuesPaginator(r -> r.queueUrl(dead)).queueUrls().stream().toList(), List.of(url), "sources");
        send(url, "hello");
        equal(List.of(receive(url, 0).size(), receive(url, 0).size()), List.of(1, 0), "receives");
        Message letter = client.receiveMessage(r -> r.queueUrl(dead).visibilityTimeout(0).messageSystemAttributeNames(MessageSystemAttributeName.ALL)).messages().get(0);
        equal(letter.body(), "hello", "body");
        equal(letter.attributes().get(MessageSystemAttributeName.DEAD_LETTER_QUEUE_SOURCE_ARN), attribute(url, QueueAttributeName.QUEUE_ARN), "source");
        client.startMessageMoveTask(r -> r.sourceArn(arn).maxNumberOfMessagesPerSecond(500));
        equal(receive(url, 20).size(), 1, "redriven");
        raises(ResourceNotFoundException.class, () -> client.startMessageMoveTask(r -> r.sourceArn(arn + "-missing")));
    }

    private String fifoQueue() {
        Map<QueueAttributeName, String> attributes =
                Map.of(QueueAttributeName.FIFO_QUEUE, "true", QueueAttributeName.CONTENT_BASED_DEDUPLICATION, "true");
        return client.createQueue(r -> r.queueName(Clients.queueName("orders") + ".fifo").attributes(attributes)).queueUrl();
    }

    private void fifo() throws Exception {
        String url = fifoQueue();
        var first = client.sendMessage(r -> r.queueUrl(url).messageBody("one").messageGroupId("g"));
        var second = client.sendMessage(r -> r.queueUrl(url).messageBody("two").messageGroupId("g"));
        var again = client.sendMessage(r -> r.queueUrl(url).messageBody("one").messageGroupId("g"));
        equal(List.of(again.messageId(), again.sequenceNumber()), List.of(first.messageId(), first.sequenceNumber()), "duplicate");
        equal(first.sequenceNumber().compareTo(second.sequenceNumber()) < 0, true, "sequence numbers rise");
        List<Message> got = receive(url, 0);
        equal(got.stream().map(Message::body).toList(), List.of("one", "two"), "bodies");
        client.deleteMessage(r -> r.queueUrl(url).receiptHandle(got.get(0).receiptHandle()));
        client.changeMessageVisibility(r -> r.queueUrl(url).receiptHandle(got.get(1).receiptHandle()).visibilityTimeout(0));
        equal(receive(url, 0).stream().map(Message::body).toList(), List.of("two"), "given back");
    }

    /** The manager sends each call of its own accord, so only what one call waits for is in order. */
    private void fifoBatchManager() throws Exception {
        String url = fifoQueue();
        try (SqsAsyncClient async = Clients.sqsAsync(); SqsAsyncBatchManager manager = async.batchManager()) {
            for (int i = 0; i < 20; i += 10) {
                var sends = IntStream.range(i, i + 10)
                        .mapToObj(n -> manager.sendMessage(r -> r.queueUrl(url).messageBody("%02d".formatted(n)).messageGroupId("g")))
                        .toList();
                for (var sent : sends) {
                    sent.get(60, TimeUnit.SECONDS);
                }
            }
            List<String> bodies = new ArrayList<>();
            while (bodies.size() < 20) {
                for (Message message : manager.receiveMessage(r -> r.queueUrl(url)).get(60, TimeUnit.SECONDS).messages()) {
                    bodies.add(message.body());
                    manager.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle())).get(60, TimeUnit.SECONDS);
                }
            }
            equal(bodies, IntStream.range(0, 20).mapToObj("%02d"::formatted).toList(), "bodies");
        }
    }
}
