package sdktests;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * A Spring Boot application whose listeners take messages from a polymq server.
 *
 * <pre>
 * check spring    runs the checks; prints a line for each and ends with 1 if any failed
 * check retries   likewise, those of the SDK's own client alone
 * </pre>
 *
 * POLYMQ_ENDPOINT is the server's URL; POLYMQ_ACCESS_KEY the access key, whose account the queues belong to.
 */
@SpringBootApplication
public class SpringProgram {
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("retries")) {
            SpringRetriesChecks.register();
            System.exit(Checking.run() > 0 ? 1 : 0);
        }
        System.exit(run() > 0 ? 1 : 0);
    }

    private static int run() {
        Map<String, Object> properties = new HashMap<>();
        properties.put("spring.cloud.aws.endpoint", System.getenv().getOrDefault("POLYMQ_ENDPOINT", "http://127.0.0.1:4566"));
        properties.put("spring.cloud.aws.region.static", "us-east-1");
        properties.put("spring.cloud.aws.credentials.access-key", System.getenv().getOrDefault("POLYMQ_ACCESS_KEY", "test"));
        properties.put("spring.cloud.aws.credentials.secret-key", "test");
        properties.put("spring.cloud.aws.sqs.listener.poll-timeout", "2s"); // as long does the end take
        properties.put("spring.main.banner-mode", "off");
        properties.put("logging.exception-conversion-word", "%wEx{1}"); // listeners fail on purpose
        SpringApplicationBuilder builder = new SpringApplicationBuilder(SpringProgram.class)
                .properties(properties)
                .initializers(SpringQueues::create); // before the listeners start
        try (ConfigurableApplicationContext context = builder.run()) {
            context.getBean(SpringChecks.class).register();
            return Checking.run();
        }
    }
}
