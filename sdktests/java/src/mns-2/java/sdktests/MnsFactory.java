package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.mns.client.CloudAccount;
import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.client.MNSClientBuilder;
import com.aliyun.mns.common.auth.SignVersion;
import com.aliyun.mns.common.http.ClientConfiguration;
import com.aliyun.mns.model.Message;
import com.aliyun.mns.model.MessagePropertyValue;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes a client of the MNS SDK 2.x, as an application would, and checks what only 2.x has. */
final class MnsFactory {
    private MnsFactory() {}

    static MNSClient client(String endpoint, String accessKey) {
        return client(endpoint, accessKey, Clients.SECRET_KEY, SignVersion.V2);
    }

    /** Clients that sign with this key, one for each version of the signature that the SDK has. */
    static List<MNSClient> signing(String accessKey, String secretKey) {
        return List.of(
                client(Clients.ENDPOINT, accessKey, secretKey, SignVersion.V2),
                client(Clients.ENDPOINT, accessKey, secretKey, SignVersion.V4));
    }

    private static MNSClient client(String endpoint, String accessKey, String secretKey, SignVersion version) {
        ClientConfiguration configuration = new ClientConfiguration();
        configuration.setSignatureVersion(version);
        MNSClientBuilder builder = MNSClientBuilder.create()
                .accountEndpoint(endpoint)
                .accessKeyId(accessKey)
                .accessKeySecret(secretKey)
                .region("us-east-1")
                .clientConfiguration(configuration);
        if (!Clients.TOKEN.isEmpty()) {
            builder.securityToken(Clients.TOKEN);
        }
        return builder.build();
    }

    /** Registers the checks of what only 2.x has. */
    static void registerChecks() {
        check("mns_user_properties", MnsFactory::userProperties);
        check("mns_signature_of_version_4", MnsFactory::signatureV4);
    }

    private static void userProperties() throws Exception {
        CloudQueue queue = Clients.mnsQueue(Clients.mns());
        Message message = new Message("hello");
        message.setUserProperties(Map.of(
                "colour", new MessagePropertyValue("<red> & naïve"),
                "weight", new MessagePropertyValue(12.5),
                "fresh", new MessagePropertyValue(true),
                "bytes", new MessagePropertyValue(new byte[] {0, 1, (byte) 200})));
        queue.putMessage(message);
        equal(shown(queue.popMessage().getUserProperties()), shown(message.getUserProperties()), "properties");
    }

    private static Map<String, String> shown(Map<String, MessagePropertyValue> properties) {
        Map<String, String> shown = new TreeMap<>();
        properties.forEach((name, value) -> shown.put(name, value.getDataType() + " " + value.getStringValueByType()));
        return shown;
    }

    private static void signatureV4() throws Exception {
        MNSClient client = client(Clients.ENDPOINT, Clients.ACCESS_KEY, Clients.SECRET_KEY, SignVersion.V4);
        CloudQueue queue = Clients.mnsQueue(client);
        String name = Clients.nameOf(queue.getQueueURL());
        equal(client.listQueueURL(name, "", 10).getResult(), List.of(queue.getQueueURL()), "list, with headers of MNS's own");
        queue.putMessage(new Message("hello"));
        Message message = queue.popMessage(1);
        equal(message.getMessageBodyAsString(), "hello", "body");
        String handle = queue.changeMessageVisibility(message.getReceiptHandle(), 60).getReceiptHandle();
        queue.deleteMessage(handle);
        queue.batchPutMessage(List.of(new Message("one"), new Message("two")));
        queue.batchDeleteMessage(queue.batchPopMessage(16).stream().map(Message::getReceiptHandle).toList());
        equal(queue.peekMessage(), null, "left in the queue");
    }
}
