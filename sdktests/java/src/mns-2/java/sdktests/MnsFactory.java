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
import java.util.Map;
import java.util.TreeMap;

/** Makes a client of the MNS SDK 2.x, as an application would, and checks what only 2.x has. */
final class MnsFactory {
    private MnsFactory() {}

    static MNSClient client(String endpoint, String accessKey) {
        return client(endpoint, accessKey, new ClientConfiguration());
    }

    private static MNSClient client(String endpoint, String accessKey, ClientConfiguration configuration) {
        MNSClientBuilder builder = MNSClientBuilder.create()
                .accountEndpoint(endpoint)
                .accessKeyId(accessKey)
                .accessKeySecret(Clients.SECRET_KEY)
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
        ClientConfiguration configuration = new ClientConfiguration();
        configuration.setSignatureVersion(SignVersion.V4);
        MNSClient client = client(Clients.ENDPOINT, Clients.ACCESS_KEY, configuration);
        CloudQueue queue = Clients.mnsQueue(client);
        queue.putMessage(new Message("hello"));
        Message message = queue.popMessage();
        equal(message.getMessageBodyAsString(), "hello", "body");
        queue.deleteMessage(message.getReceiptHandle());
    }
}
