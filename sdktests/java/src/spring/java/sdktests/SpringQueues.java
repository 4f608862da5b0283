package sdktests;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** The queues, made as an administrator would have; listeners find their names in the properties queue.*. */
final class SpringQueues {
    private SpringQueues() {}

    static void create(ConfigurableApplicationContext context) {
        ConfigurableEnvironment environment = context.getEnvironment();
        Map<String, Object> names = new HashMap<>();
        try (SqsClient client = client(environment)) {
            for (String purpose : new String[] {"plain", "batch", "manual", "json", "visibility", "template", "notified", "partial", "headers"}) {
                names.put("queue." + purpose, queue(client, purpose, Map.of()));
            }
            Map<QueueAttributeName, String> brief = Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "1");
            names.put("queue.failing", queue(client, "failing", brief));
            String dead = queue(client, "dead", Map.of());
            names.put("queue.dead", dead);
            names.put("queue.poison", queue(client, "poison", deadLettersTo(client, dead)));
            names.put("queue.fifo", fifo(client, "fifo"));
            names.put("queue.small", queue(client, "small", Map.of(QueueAttributeName.MAXIMUM_MESSAGE_SIZE, "1024")));
        }
        names.put("queue.missing", name("missing")); // for its listener to make
        environment.getPropertySources().addFirst(new MapPropertySource("queues", names));
    }

    private static SqsClient client(ConfigurableEnvironment environment) {
        String key = environment.getRequiredProperty("spring.cloud.aws.credentials.access-key");
        return SqsClient.builder()
                .endpointOverride(URI.create(environment.getRequiredProperty("spring.cloud.aws.endpoint")))
                .region(Region.US_EAST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(key, "test")))
                .build();
    }

    private static String queue(SqsClient client, String purpose, Map<QueueAttributeName, String> attributes) {
        String name = name(purpose);
        client.createQueue(r -> r.queueName(name).attributes(attributes));
        return name;
    }

    private static Map<QueueAttributeName, String> deadLettersTo(SqsClient client, String name) {
        String url = client.getQueueUrl(r -> r.queueName(name)).queueUrl();
        String arn = client.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.QUEUE_ARN)).attributes().get(QueueAttributeName.QUEUE_ARN);
        return Map.of(
                QueueAttributeName.VISIBILITY_TIMEOUT, "0",
                QueueAttributeName.REDRIVE_POLICY, "{\"deadLetterTargetArn\":\"" + arn + "\",\"maxReceiveCount\":\"2\"}");
    }

    private static String fifo(SqsClient client, String purpose) {
        String name = name(purpose) + ".fifo";
        Map<QueueAttributeName, String> attributes = Map.of(
                QueueAttributeName.FIFO_QUEUE, "true",
                QueueAttributeName.CONTENT_BASED_DEDUPLICATION, "true",
                QueueAttributeName.VISIBILITY_TIMEOUT, "4");
        client.createQueue(r -> r.queueName(name).attributes(attributes));
        return name;
    }

    /** A name that no other run uses. */
    private static String name(String purpose) {
        return purpose + "-" + UUID.randomUUID().toString().substring(0, 13);
    }
}
