package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.client.TransactionQueue;
import com.aliyun.mns.common.BatchDeleteException;
import com.aliyun.mns.common.ServiceException;
import com.aliyun.mns.model.Message;
import com.aliyun.mns.model.PagingListResult;
import com.aliyun.mns.model.QueueMeta;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** What MNS promises, seen through Alibaba's SDK. It base64-encodes bodies by itself, unless told not to. */
final class MnsChecks {
    private final MNSClient client = Clients.mns();

    void register() {
        check("mns_create_queue_answers_its_url", this::createQueue);
        check("mns_queue_attributes", this::attributes);
        check("mns_list_queue_in_pages", this::listQueues);
        check("mns_missing_queue", this::missingQueue);
        check("mns_send_receive_delete", this::sendReceiveDelete);
        check("mns_texts_come_back_as_sent", this::texts);
        check("mns_raw_texts_come_back_as_sent", this::rawTexts);
        check("mns_bytes_come_back_as_sent", this::bytes);
        check("mns_batches", this::batches);
        check("mns_batch_delete_names_what_failed", this::batchDeleteFailure);
        check("mns_peek_changes_nothing", this::peek);
        check("mns_change_visibility_gives_a_new_handle", this::changeVisibility);
        check("mns_bad_receipt_handle", this::badHandle);
        check("mns_lower_priority_numbers_come_first", this::priority);
        check("mns_delayed_message_arrives_later", this::delay);
        check("mns_long_poll_wakes_at_a_send", this::longPoll);
        check("mns_transaction_queue", this::transactions);
        new MnsTopicChecks(client).register();
        MnsFactory.registerChecks();
    }

    /** The error of the service, which some releases of the SDK wrap into another. */
    private static <E extends ServiceException> E service(Class<E> kind, Checking.Action action) throws Exception {
        Exception error = raises(Exception.class, action);
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (kind.isInstance(e)) {
                return kind.cast(e);
            }
        }
        throw error;
    }

    static String code(Checking.Action action) throws Exception {
        return service(ServiceException.class, action).getErrorCode();
    }

    private static QueueMeta meta(String name) {
        QueueMeta meta = new QueueMeta();
        meta.setQueueName(name);
        return meta;
    }

    private void createQueue() throws Exception {
        String name = Clients.queueName("orders");
        CloudQueue queue = client.createQueue(meta(name));
        equal(queue.getQueueURL(), Clients.ENDPOINT + "/queues/" + name, "URL");
        equal(client.createQueue(meta(name)).getQueueURL(), queue.getQueueURL(), "URL when created again");
        equal(client.getQueueRef(name).create(), queue.getQueueURL(), "URL by reference");
        QueueMeta other = meta(name);
        other.setVisibilityTimeout(31L);
        equal(code(() -> client.createQueue(other)), "QueueAlreadyExist", "with others");
    }

    private void attributes() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        QueueMeta change = meta(Clients.nameOf(queue.getQueueURL()));
        change.setVisibilityTimeout(45L);
        change.setPollingWaitSeconds(2);
        queue.setAttributes(change);
        QueueMeta meta = queue.getAttributes();
        equal(List.of(meta.getVisibilityTimeout(), meta.getPollingWaitSeconds()), List.of(45L, 2), "set");
        equal(List.of(meta.getMessageRetentionPeriod(), meta.getMaxMessageSize()), List.of(345600L, 65536L), "not set");
        long age = System.currentTimeMillis() - meta.getCreateTime().getTime();
        equal(Math.abs(age) < 60_000, true, "created just now, age " + age);
    }

    private void listQueues() throws Exception {
        String prefix = Clients.queueName("page");
        List<String> created = new ArrayList<>();
        for (int n = 0; n < 5; n++) {
            created.add(client.createQueue(meta(prefix + "-" + n)).getQueueURL());
        }
        List<String> listed = new ArrayList<>();
        String marker = "";
        do {
            PagingListResult<String> page = client.listQueueURL(prefix, marker, 2);
            listed.addAll(page.getResult());
            marker = page.getMarker();
        } while (marker != null && !marker.isEmpty());
        equal(listed, created, "URLs");
        List<QueueMeta> metas = client.listQueue(prefix, "", 10).getResult();
        equal(metas.get(0).getQueueName(), prefix + "-0", "name in the list with attributes");
        equal(metas.get(0).getVisibilityTimeout(), 30L, "visibility timeout in the list with attributes");
    }

    private void missingQueue() throws Exception {
        CloudQueue queue = client.getQueueRef(Clients.queueName("orders"));
        equal(queue.isQueueExist(), false, "exists");
        equal(code(queue::getAttributes), "QueueNotExist", "attributes");
        equal(code(() -> queue.putMessage(new Message("hello"))), "QueueNotExist", "send");
        equal(code(queue::popMessage), "QueueNotExist", "receive");
    }

    private void sendReceiveDelete() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        Message sent = queue.putMessage(new Message("hello"));
        byte[] md5 = MessageDigest.getInstance("MD5").digest("aGVsbG8=".getBytes(StandardCharsets.UTF_8));
        equal(sent.getMessageBodyMD5(), HexFormat.of().withUpperCase().formatHex(md5), "MD5 of the text as stored");
        Message got = queue.popMessage();
        equal(got.getMessageBodyAsString(), "hello", "body");
        equal(List.of(got.getMessageId(), got.getDequeueCount(), got.getPriority()), List.of(sent.getMessageId(), 1, 8), "fields");
        long hidden = got.getNextVisibleTime().getTime() - got.getFirstDequeueTime().getTime();
        equal(hidden > 28_000 && hidden < 32_000, true, "hidden for 30 s, not " + hidden + " ms");
        equal(queue.popMessage(), null, "receive of a message in flight");
        queue.deleteMessage(got.getReceiptHandle());
        equal(queue.getAttributes().getInactiveMessages(), 0L, "in flight after the delete");
    }

    private void texts() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        for (Map.Entry<String, String> text : Checking.TEXTS.entrySet()) {
            queue.putMessage(new Message(text.getValue()));
            Message message = queue.popMessage();
            equal(message.getMessageBodyAsString(), text.getValue(), text.getKey());
            queue.deleteMessage(message.getReceiptHandle());
        }
    }

    private void rawTexts() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        for (Map.Entry<String, String> text : Checking.TEXTS.entrySet()) {
            Message message = new Message();
            message.setMessageBody(text.getValue(), Message.MessageBodyType.RAW_STRING);
            queue.putMessage(message);
            Message got = queue.popMessage();
            equal(got.getMessageBodyAsRawString(), text.getValue(), text.getKey());
            queue.deleteMessage(got.getReceiptHandle());
        }
    }

    private void bytes() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        byte[] every = new byte[256];
        IntStream.range(0, 256).forEach(n -> every[n] = (byte) n);
        queue.putMessage(new Message(every));
        byte[] got = queue.popMessage().getMessageBodyAsBytes();
        equal(HexFormat.of().formatHex(got), HexFormat.of().formatHex(every), "bytes");
    }

    private void batches() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        List<String> bodies = IntStream.range(0, 16).mapToObj("body %02d"::formatted).toList();
        equal(queue.batchPutMessage(bodies.stream().map(Message::new).toList()).size(), 16, "sent");
        List<Message> peeked = queue.batchPeekMessage(16);
        equal(peeked.stream().map(Message::getMessageBodyAsString).sorted().toList(), bodies, "peeked");
        List<Message> got = queue.batchPopMessage(16, 1);
        equal(got.stream().map(Message::getMessageBodyAsString).sorted().toList(), bodies, "received");
        queue.batchDeleteMessage(got.stream().map(Message::getReceiptHandle).toList());
        equal(queue.getAttributes().getInactiveMessages(), 0L, "in flight after the delete");
    }

    private void batchDeleteFailure() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        queue.batchPutMessage(List.of(new Message("one"), new Message("two")));
        List<String> handles = queue.batchPopMessage(16).stream().map(Message::getReceiptHandle).toList();
        queue.deleteMessage(handles.get(0));
        BatchDeleteException error = service(BatchDeleteException.class, () -> queue.batchDeleteMessage(handles));
        equal(error.getErrorMessages().keySet().stream().toList(), List.of(handles.get(0)), "handles that failed");
        equal(error.getErrorMessages().get(handles.get(0)).getErrorCode(), "MessageNotExist", "code");
        equal(queue.getAttributes().getInactiveMessages(), 0L, "in flight, for the other was deleted");
    }

    private void peek() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        equal(queue.peekMessage(), null, "peek of an empty queue");
        queue.putMessage(new Message("hello"));
        Message peeked = queue.peekMessage();
        equal(peeked.getMessageBodyAsString(), "hello", "body");
        equal(peeked.getDequeueCount(), 0, "dequeue count");
        equal(queue.popMessage().getDequeueCount(), 1, "dequeue count of the receive");
    }

    private void changeVisibility() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        queue.putMessage(new Message("hello"));
        String old = queue.popMessage().getReceiptHandle();
        Message changed = queue.changeMessageVisibility(old, 60);
        long hidden = changed.getNextVisibleTime().getTime() - System.currentTimeMillis();
        equal(hidden > 50_000 && hidden < 70_000, true, "hidden for 60 s, not " + hidden + " ms");
        equal(code(() -> queue.deleteMessage(old)), "MessageNotExist", "the old handle");
        queue.deleteMessage(changed.getReceiptHandle());
    }

    private void badHandle() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        equal(code(() -> queue.deleteMessage("not-a-handle")), "ReceiptHandleError", "code");
    }

    private void priority() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        for (int priority : new int[] {9, 16, 1, 8}) {
            Message message = new Message(Integer.toString(priority));
            message.setPriority(priority);
            queue.putMessage(message);
        }
        List<String> order = new ArrayList<>();
        for (int n = 0; n < 4; n++) {
            order.add(queue.popMessage().getMessageBodyAsString());
        }
        equal(order, List.of("1", "8", "9", "16"), "order");
    }

    private void delay() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        Message delayed = new Message("hello");
        delayed.setDelaySeconds(5);
        String handle = queue.putMessage(delayed).getReceiptHandle();
        equal(handle != null && !handle.isEmpty(), true, "a delayed message has a handle");
        equal(queue.popMessage(), null, "received before the delay");
        equal(queue.popMessage(20).getMessageBodyAsString(), "hello", "body");
    }

    private void longPoll() throws Exception {
        CloudQueue queue = Clients.mnsQueue(client);
        CompletableFuture<Message> poll = CompletableFuture.supplyAsync(() -> {
            try {
                return queue.popMessage(30);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        queue.putMessage(new Message("hello"));
        equal(poll.get(60, TimeUnit.SECONDS).getMessageBodyAsString(), "hello", "body");
    }

    /** A queue whose messages are delayed until what they are about has happened: committed is received, rolled back is gone. */
    private void transactions() throws Exception {
        QueueMeta meta = meta(Clients.queueName("orders"));
        TransactionQueue queue = client.createTransQueue(meta, message -> true);
        try {
            equal(client.getQueueRef(meta.getQueueName() + "-operation-log-queue").isQueueExist(), true, "log queue exists");
            queue.sendTransMessage(new Message("rolled back"), message -> false);
            queue.sendTransMessage(new Message("committed"), message -> true);
            Message got = queue.getInnerQueue().popMessage(10);
            equal(got.getMessageBodyAsString(), "committed", "body");
            queue.getInnerQueue().deleteMessage(got.getReceiptHandle());
            QueueMeta shown = queue.getInnerQueue().getAttributes();
            equal(shown.getActiveMessages() + shown.getInactiveMessages() + shown.getDelayMessages(), 0L, "messages left");
        } finally {
            queue.delete(true);
        }
    }
}
