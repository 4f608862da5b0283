package sdktests;

import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.model.QueueMeta;
import java.net.URI;
import java.util.Map;
import java.util.UUID;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sts.StsClient;

/** Clients of the SDKs, set up as an application would, but for the endpoint. */
final class Clients {
    static final String ENDPOINT = environment("POLYMQ_ENDPOINT", "http://127.0.0.1:4566");
    static final String ACCESS_KEY = environment("POLYMQ_ACCESS_KEY", "test");
    static final String SECRET_KEY = environment("POLYMQ_SECRET_KEY", "test"); // counts where the server verifies signatures
    static final String TOKEN = environment("POLYMQ_SECURITY_TOKEN", ""); // of temporary keys
    static final StaticCredentialsProvider CREDENTIALS =
            StaticCredentialsProvider.create(TOKEN.isEmpty()
                    ? AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)
                    : AwsSessionCredentials.create(ACCESS_KEY, SECRET_KEY, TOKEN));

    private Clients() {}

    private static String environment(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    static SqsClient sqs() {
        return SqsClient.builder()
                .endpointOverride(URI.create(ENDPOINT))
                .region(Region.US_EAST_1)
                .credentialsProvider(CREDENTIALS)
                .build();
    }

    static SnsClient sns() {
        return SnsClient.builder()
                .endpointOverride(URI.create(ENDPOINT))
                .region(Region.US_EAST_1)
                .credentialsProvider(CREDENTIALS)
                .build();
    }

    static StsClient sts() {
        return StsClient.builder()
                .endpointOverride(URI.create(ENDPOINT))
                .region(Region.US_EAST_1)
                .credentialsProvider(CREDENTIALS)
                .build();
    }

    static SqsAsyncClient sqsAsync() {
        return SqsAsyncClient.builder()
                .endpointOverride(URI.create(ENDPOINT))
                .region(Region.US_EAST_1)
                .credentialsProvider(CREDENTIALS)
                .build();
    }

    static MNSClient mns() {
        return MnsFactory.client(ENDPOINT, ACCESS_KEY);
    }

    /** A name that no other check uses, valid in SQS and MNS. */
    static String queueName(String prefix) {
        return prefix + "-" + UUID.randomUUID().toString().substring(0, 13);
    }

    static String sqsQueue(SqsClient client, Map<QueueAttributeName, String> attributes) {
        return client.createQueue(r -> r.queueName(queueName("orders")).attributes(attributes)).queueUrl();
    }

    static CloudQueue mnsQueue(MNSClient client) {
        QueueMeta meta = new QueueMeta();
        meta.setQueueName(queueName("orders"));
        return client.createQueue(meta);
    }

    static String nameOf(String url) {
        return url.substring(url.lastIndexOf('/') + 1);
    }
}
