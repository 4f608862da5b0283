package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.model.QueueMeta;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.retry.RetryMode;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sts.StsClient;

/** What clients do whose every request is refused once as one that is too often. That of SNS's is shown with Spring, whose version has one. */
final class RetriesChecks {
    private RetriesChecks() {}

    static void register() {
        check("aws_sdk_tries_again_in_each_of_its_modes", RetriesChecks::triesAgain);
    }

    static void registerMns() {
        check("mns_says_that_it_is_too_often", RetriesChecks::saysSo);
    }

    private static void triesAgain() {
        Map<String, Consumer<Consumer<AwsClientBuilder<?, ?>>>> calls = new LinkedHashMap<>();
        calls.put("sqs", setUp -> made(SqsClient.builder(), setUp).build().listQueues());
        calls.put("sts", setUp -> made(StsClient.builder(), setUp).build().getCallerIdentity());
        calls.put("iam", setUp -> made(IamClient.builder(), setUp).build().listUsers());
        calls.forEach((service, call) -> {
            for (RetryMode mode : RetryMode.values()) {
                Attempts attempts = new Attempts();
                call.accept(builder -> builder.overrideConfiguration(c -> c.retryStrategy(mode).addExecutionInterceptor(attempts)));
                equal(attempts.sent(), 2, service + ", " + mode);
            }
        });
    }

    private static <B extends AwsClientBuilder<B, ?>> B made(B builder, Consumer<AwsClientBuilder<?, ?>> setUp) {
        builder.endpointOverride(URI.create(Clients.ENDPOINT)).region(Region.US_EAST_1).credentialsProvider(Clients.CREDENTIALS);
        setUp.accept(builder);
        return builder;
    }

    private static void saysSo() throws Exception {
        MNSClient client = Clients.mns();
        QueueMeta queue = new QueueMeta();
        queue.setQueueName(Clients.queueName("orders"));
        equal(MnsChecks.code(() -> client.createQueue(queue)), "QpsLimitExceeded", "error");
        client.createQueue(queue);
    }
}
