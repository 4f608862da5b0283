package sdktests;

import java.util.Arrays;

/**
 * Runs SDKs of Java against a polymq server, as an application would use them.
 *
 * <pre>
 * check GROUP...   runs the checks of the groups: sqs, mns, cross; prints a line for each and ends with 1 if any failed
 * talk SDK         sends and receives what it is told on standard input: a JSON request per line,
 *                  {"op": "send", "queue": …, "text": …} or {"op": "receive", "queue": …}, and a JSON answer per
 *                  line: {"text": …} or {"error": …}
 * </pre>
 *
 * POLYMQ_ENDPOINT is the server's URL; POLYMQ_ACCESS_KEY the access key, whose account the queues belong to.
 */
public final class Program {
    private Program() {}

    public static void main(String[] arguments) throws Exception {
        String mode = arguments.length == 0 ? "" : arguments[0];
        if (mode.equals("talk")) {
            Talking.talk(arguments[1]);
            System.exit(0); // the SDKs leave threads behind
        }
        if (!mode.equals("check")) {
            throw new IllegalArgumentException("usage: check GROUP... | talk SDK");
        }
        for (String group : Arrays.asList(arguments).subList(1, arguments.length)) {
            switch (group) {
                case "sqs" -> new SqsChecks().register();
                case "sns" -> new SnsChecks().register();
                case "mns" -> new MnsChecks().register();
                case "mns_auth" -> MnsAuthChecks.register();
                case "mns_pushes" -> MnsTopicChecks.registerPushes();
                case "cross" -> new CrossChecks().register();
                case "policy" -> PolicyChecks.register();
                case "presigned" -> PresignedChecks.register();
                case "tls" -> TlsChecks.register();
                case "retries" -> RetriesChecks.register();
                case "mns_retries" -> RetriesChecks.registerMns();
                default -> throw new IllegalArgumentException("no group " + group);
            }
        }
        System.exit(Checking.run() > 0 ? 1 : 0);
    }
}
