package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.Credentials;

/** Presigned URLs, on a server that verifies signatures. */
final class PresignedChecks {
    private static final String BODY = "by link +1 & Ω";
    private static final Map<String, String> SEND = Map.of("Action", "SendMessage", "MessageBody", BODY);

    private PresignedChecks() {}

    static void register() {
        check("a_presigned_url_does_what_it_was_made_for", () -> does(Clients.CREDENTIALS));
        check("a_presigned_url_is_good_as_it_is", PresignedChecks::altered);
        check("a_presigned_url_ends", PresignedChecks::ends);
        check("a_presigned_url_of_a_session", PresignedChecks::ofSession);
    }

    private static List<String> bodies(SqsClient sqs, URI queue) {
        return sqs.receiveMessage(r -> r.queueUrl(queue.toString()).maxNumberOfMessages(10)).messages().stream().map(Message::body).toList();
    }

    private static void does(AwsCredentialsProvider key) throws Exception {
        URI queue = URI.create(Clients.sqsQueue(Clients.sqs(), Map.of()));
        HttpResponse<String> answer = Presigning.get(Presigning.presigned(queue, key, Instant.now(), SEND));
        equal(answer.statusCode(), 200, answer.body());
        equal(bodies(Clients.sqs(), queue), List.of(BODY), "bodies");
    }

    private static void refused(String url, int status, String code) throws IOException, InterruptedException {
        HttpResponse<String> answer = Presigning.get(URI.create(url));
        equal(answer.statusCode() + " " + answer.body().contains("<Code>" + code + "</Code>"), status + " true", url + ": " + answer.body());
    }

    private static void altered() throws Exception {
        URI queue = URI.create(Clients.sqsQueue(Clients.sqs(), Map.of()));
        String good = Presigning.presigned(queue, Clients.CREDENTIALS, Instant.now(), SEND).toString();
        refused(good.replace("SendMessage", "PurgeQueue"), 403, "SignatureDoesNotMatch");
        refused(good.replace("by%20link", "another"), 403, "SignatureDoesNotMatch");
        refused(good.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), 403, "SignatureDoesNotMatch");
        refused(good + "&DelaySeconds=1", 403, "SignatureDoesNotMatch");
        refused(good.replaceAll("&?X-Amz-Signature=[0-9a-f]+", ""), 400, "IncompleteSignature");
        equal(bodies(Clients.sqs(), queue), List.of(), "bodies");
    }

    private static void ends() throws Exception {
        URI queue = URI.create(Clients.sqsQueue(Clients.sqs(), Map.of()));
        Instant before = Instant.now().minus(Duration.ofHours(1));
        refused(Presigning.presigned(queue, Clients.CREDENTIALS, before, SEND).toString(), 403, "SignatureDoesNotMatch");
        equal(bodies(Clients.sqs(), queue), List.of(), "bodies");
    }

    private static AwsCredentialsProvider session(Credentials key, String token) {
        return StaticCredentialsProvider.create(AwsSessionCredentials.create(key.accessKeyId(), key.secretAccessKey(), token));
    }

    private static void ofSession() throws Exception {
        StsClient sts = Clients.sts();
        Credentials key = sts.getSessionToken().credentials();
        String another = sts.getSessionToken().credentials().sessionToken();
        does(session(key, key.sessionToken()));
        URI queue = URI.create(Clients.sqsQueue(Clients.sqs(), Map.of()));
        refused(Presigning.presigned(queue, session(key, another), Instant.now(), SEND).toString(), 403, "InvalidClientTokenId");
        String good = Presigning.presigned(queue, session(key, key.sessionToken()), Instant.now(), SEND).toString();
        refused(good.replaceAll("&?X-Amz-Security-Token=[^&]+", ""), 403, "SignatureDoesNotMatch");
        equal(bodies(Clients.sqs(), queue), List.of(), "bodies");
    }
}
