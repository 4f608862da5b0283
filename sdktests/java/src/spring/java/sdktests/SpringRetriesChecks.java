package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import java.net.URI;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.retry.RetryMode;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sns.SnsClient;

/** What the client of SNS that Spring Cloud AWS brings does whose every request is refused once as one that is too often. */
final class SpringRetriesChecks {
    private SpringRetriesChecks() {}

    static void register() {
        check("aws_sdk_of_sns_tries_again_in_each_of_its_modes", SpringRetriesChecks::triesAgain);
    }

    private static void triesAgain() {
        for (RetryMode mode : RetryMode.values()) {
            Attempts attempts = new Attempts();
            SnsClient client = SnsClient.builder()
                    .endpointOverride(URI.create(System.getenv("POLYMQ_ENDPOINT")))
                    .region(Region.US_EAST_1)
                    .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(System.getenv("POLYMQ_ACCESS_KEY"), "test")))
                    .overrideConfiguration(c -> c.retryStrategy(mode).addExecutionInterceptor(attempts))
                    .build();
            client.createTopic(r -> r.name("news"));
            equal(attempts.sent(), 2, mode.toString());
        }
    }
}
