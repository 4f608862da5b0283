package sdktests;

import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.model.Message;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.json.JSONObject;
import software.amazon.awssdk.services.sqs.SqsClient;

/** Sends and receives what it is told on standard input, so that one SDK's messages can be read with another's. */
final class Talking {
    private interface Talker {
        void send(String queue, String text);

        String receive(String queue);
    }

    private Talking() {}

    static void talk(String sdk) throws Exception {
        Talker talker = sdk.equals("sqs") ? new Sqs() : new Mns();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            JSONObject request = new JSONObject(line);
            JSONObject answer = new JSONObject();
            try {
                if (request.getString("op").equals("send")) {
                    talker.send(request.getString("queue"), request.getString("text"));
                } else {
                    answer.put("text", talker.receive(request.getString("queue")));
                }
            } catch (RuntimeException e) {
                answer.put("error", e.toString());
            }
            answers.println(answer);
        }
    }

    private static final class Sqs implements Talker {
        private final SqsClient client = Clients.sqs();

        private String url(String queue) {
            return client.getQueueUrl(r -> r.queueName(queue)).queueUrl();
        }

        @Override
        public void send(String queue, String text) {
            client.sendMessage(r -> r.queueUrl(url(queue)).messageBody(text));
        }

        @Override
        public String receive(String queue) {
            String url = url(queue);
            var message = client.receiveMessage(r -> r.queueUrl(url).waitTimeSeconds(5)).messages().get(0);
            client.deleteMessage(r -> r.queueUrl(url).receiptHandle(message.receiptHandle()));
            return message.body();
        }
    }

    private static final class Mns implements Talker {
        private final MNSClient client = Clients.mns();

        @Override
        public void send(String queue, String text) {
            client.getQueueRef(queue).putMessage(new Message(text));
        }

        @Override
        public String receive(String name) {
            CloudQueue queue = client.getQueueRef(name);
            try {
                Message message = queue.popMessage(5);
                queue.deleteMessage(message.getReceiptHandle());
                return message.getMessageBodyAsString();
            } catch (Exception e) { // checked in some releases only
                throw new IllegalStateException(e);
            }
        }
    }
}
