package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.model.Message;
import java.util.Base64;
import java.util.Map;
import software.amazon.awssdk.services.sqs.SqsClient;

/** What MNS and SQS promise each other: one queue, one text, whichever SDK writes and whichever reads. */
final class CrossChecks {
    private final SqsClient sqs = Clients.sqs();
    private final MNSClient mns = Clients.mns();

    void register() {
        check("cross_text_from_mns_to_sqs", this::mnsToSqs);
        check("cross_text_from_sqs_to_mns", this::sqsToMns);
        check("cross_bytes_from_mns_to_sqs", this::bytes);
    }

    private void mnsToSqs() throws Exception {
        CloudQueue queue = Clients.mnsQueue(mns);
        String url = sqs.getQueueUrl(r -> r.queueName(Clients.nameOf(queue.getQueueURL()))).queueUrl();
        for (Map.Entry<String, String> text : Checking.TEXTS.entrySet()) {
            queue.putMessage(new Message(text.getValue()));
            var message = sqs.receiveMessage(r -> r.queueUrl(url)).messages().get(0);
            equal(message.body(), text.getValue(), text.getKey());
            sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle()));
        }
    }

    private void sqsToMns() throws Exception {
        String url = Clients.sqsQueue(sqs, Map.of());
        CloudQueue queue = mns.getQueueRef(Clients.nameOf(url));
        for (Map.Entry<String, String> text : Checking.TEXTS.entrySet()) {
            sqs.sendMessage(r -> r.queueUrl(url).messageBody(text.getValue()));
            Message message = queue.popMessage();
            equal(message.getMessageBodyAsString(), text.getValue(), text.getKey());
            queue.deleteMessage(message.getReceiptHandle());
        }
    }

    /** Bytes that are no text cannot be shown to SQS as one: they come as they are stored. */
    private void bytes() throws Exception {
        CloudQueue queue = Clients.mnsQueue(mns);
        byte[] noText = {(byte) 0xff, 0, 1, 2};
        queue.putMessage(new Message(noText));
        String url = sqs.getQueueUrl(r -> r.queueName(Clients.nameOf(queue.getQueueURL()))).queueUrl();
        String body = sqs.receiveMessage(r -> r.queueUrl(url)).messages().get(0).body();
        equal(body, Base64.getEncoder().encodeToString(noText), "body");
    }
}
