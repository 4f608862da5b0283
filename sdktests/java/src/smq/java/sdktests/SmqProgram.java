package sdktests;

/**
 * Runs the core of Alibaba's clients of Java against a polymq server, with the requests that the generated clients of
 * SMQ's control plane, of STS and of RAM make.
 *
 * <pre>
 * check smq|ram   runs the checks; prints a line for each and ends with 1 if any failed
 * </pre>
 *
 * POLYMQ_ENDPOINT is the server's URL; POLYMQ_ACCESS_KEY the access key, whose account the queues belong to;
 * POLYMQ_SECRET_KEY its secret, which counts where the server verifies signatures.
 */
public final class SmqProgram {
    private SmqProgram() {}

    public static void main(String[] arguments) {
        switch (String.join(" ", arguments)) {
            case "check smq" -> SmqChecks.register();
            case "check ram" -> SmqRamChecks.register();
            default -> throw new IllegalArgumentException("usage: check smq|ram");
        }
        System.exit(Checking.run() > 0 ? 1 : 0); // the client leaves threads behind
    }
}
