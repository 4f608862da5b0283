package sdktests;

import io.awspring.cloud.sqs.annotation.SnsNotificationMessage;
import io.awspring.cloud.sqs.annotation.SnsNotificationSubject;
import io.awspring.cloud.sqs.annotation.SqsListener;
import io.awspring.cloud.sqs.listener.Visibility;
import io.awspring.cloud.sqs.listener.acknowledgement.Acknowledgement;
import io.awspring.cloud.sqs.listener.acknowledgement.BatchAcknowledgement;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.springframework.messaging.Message;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.stereotype.Component;

/** Listeners of each kind. What they got waits in the queues here for a check to look at it. */
@Component
class SpringListeners {
    final BlockingQueue<String> plain = new LinkedBlockingQueue<>();
    final BlockingQueue<List<String>> batches = new LinkedBlockingQueue<>();
    final BlockingQueue<Message<String>> manual = new LinkedBlockingQueue<>();
    final BlockingQueue<String> partial = new LinkedBlockingQueue<>();
    final BlockingQueue<Order> orders = new LinkedBlockingQueue<>();
    final BlockingQueue<String> failing = new LinkedBlockingQueue<>();
    final BlockingQueue<String> visibility = new LinkedBlockingQueue<>();
    final BlockingQueue<String> made = new LinkedBlockingQueue<>();

    final BlockingQueue<String> poison = new LinkedBlockingQueue<>();
    final BlockingQueue<Message<String>> dead = new LinkedBlockingQueue<>();
    final BlockingQueue<String> ordered = new LinkedBlockingQueue<>();

    final BlockingQueue<Order> notified = new LinkedBlockingQueue<>();
    final BlockingQueue<String> subjects = new LinkedBlockingQueue<>();

    record Order(int number, String text) {}

    @SqsListener("${queue.plain}")
    void plain(String body) {
        plain.add(body);
    }

    @SqsListener(queueNames = "${queue.batch}", maxMessagesPerPoll = "10", maxConcurrentMessages = "20")
    void batch(List<Message<String>> messages) {
        batches.add(messages.stream().map(Message::getPayload).toList());
    }

    @SqsListener(queueNames = "${queue.manual}", acknowledgementMode = "MANUAL")
    void manual(Message<String> message, Acknowledgement acknowledgement) {
        if (message.getPayload().equals("keep")) {
            manual.add(message);
            return;
        }
        acknowledgement.acknowledge();
        manual.add(message);
    }

    /** Acknowledges those of a batch whose number is even. */
    @SqsListener(queueNames = "${queue.partial}", acknowledgementMode = "MANUAL")
    void partial(List<Message<String>> messages, BatchAcknowledgement<String> acknowledgement) {
        acknowledgement.acknowledge(messages.stream().filter(message -> Integer.parseInt(message.getPayload()) % 2 == 0).toList());
        messages.forEach(message -> partial.add(message.getPayload()));
    }

    @SqsListener("${queue.json}")
    void json(Order order) {
        orders.add(order);
    }

    /** Succeeds when a message has come for the third time. */
    @SqsListener("${queue.failing}")
    void failing(String body, @Header("Sqs_Msa_ApproximateReceiveCount") String count) {
        failing.add(count);
        if (!count.equals("3")) {
            throw new IllegalStateException("as it should at receive " + count);
        }
    }

    /** Gives a message back at once when it comes for the first time. */
    @SqsListener("${queue.visibility}")
    void visibility(String body, Visibility visible, @Header("Sqs_Msa_ApproximateReceiveCount") String count) {
        visibility.add(count);
        if (count.equals("1")) {
            visible.changeTo(0);
            throw new IllegalStateException("given back");
        }
    }

    @SqsListener("${queue.missing}")
    void made(String body) {
        made.add(body);
    }

    @SqsListener("${queue.poison}")
    void poison(String body) {
        poison.add(body);
        throw new IllegalStateException("for ever");
    }

    @SqsListener("${queue.dead}")
    void dead(Message<String> message) {
        dead.add(message);
    }

    @SqsListener("${queue.notified}")
    void notified(@SnsNotificationMessage Order order, @SnsNotificationSubject String subject) {
        notified.add(order);
        subjects.add(subject);
    }

    /** Fails at every fifth message when it comes for the first time; what follows it in its group must wait. */
    @SqsListener("${queue.fifo}")
    void ordered(String body, @Header("Sqs_Msa_ApproximateReceiveCount") String count) {
        if (body.endsWith("5") && count.equals("1")) {
            throw new IllegalStateException("as it should at " + body);
        }
        ordered.add(body);
    }
}
