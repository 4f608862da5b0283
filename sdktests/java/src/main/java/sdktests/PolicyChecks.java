package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.AccessKey;
import software.amazon.awssdk.services.iam.model.Policy;
import software.amazon.awssdk.services.iam.model.Role;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;

/**
 * Policies, on a server that enforces them: users and roles made by IAM, sessions by STS, a presigned URL, another
 * account. POLYMQ_ACCESS_KEY is an account's own, POLYMQ_OTHER_ACCESS_KEY another's.
 */
final class PolicyChecks {
    private static final AwsCredentialsProvider OWN = key(Clients.ACCESS_KEY, Clients.SECRET_KEY);
    private static final AwsCredentialsProvider OTHERS =
            key(System.getenv("POLYMQ_OTHER_ACCESS_KEY"), System.getenv("POLYMQ_OTHER_SECRET_KEY"));

    private record User(String name, AwsCredentialsProvider key) {}

    private PolicyChecks() {}

    static void register() {
        check("a_user_may_what_its_policy_allows", PolicyChecks::user);
        check("an_assumed_role_is_bound_by_its_session", PolicyChecks::role);
        check("add_permission_lets_another_account_in", PolicyChecks::otherAccount);
        check("a_presigned_url_may_what_its_signer_may", PolicyChecks::presigned);
    }

    private static AwsCredentialsProvider key(String id, String secret) {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(id, secret));
    }

    private static SqsClient sqs(AwsCredentialsProvider key) {
        return SqsClient.builder().endpointOverride(URI.create(Clients.ENDPOINT)).region(Region.US_EAST_1).credentialsProvider(key).build();
    }

    private static IamClient iam(AwsCredentialsProvider key) {
        return IamClient.builder().endpointOverride(URI.create(Clients.ENDPOINT)).region(Region.US_EAST_1).credentialsProvider(key).build();
    }

    private static StsClient sts(AwsCredentialsProvider key) {
        return StsClient.builder().endpointOverride(URI.create(Clients.ENDPOINT)).region(Region.US_EAST_1).credentialsProvider(key).build();
    }

    private static String allow(String action, String resource) {
        return policy("\"Action\": \"" + action + "\", \"Resource\": \"" + resource + "\"");
    }

    private static String policy(String statement) {
        return "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", " + statement + "}]}";
    }

    /** A new user with this policy, none where it is null. */
    private static User newUser(String document) {
        String name = Clients.queueName("u");
        IamClient iam = iam(OWN);
        iam.createUser(r -> r.userName(name));
        if (document != null) {
            Policy made = iam.createPolicy(r -> r.policyName(name).policyDocument(document)).policy();
            iam.attachUserPolicy(r -> r.userName(name).policyArn(made.arn()));
        }
        AccessKey key = iam.createAccessKey(r -> r.userName(name)).accessKey();
        return new User(name, key(key.accessKeyId(), key.secretAccessKey()));
    }

    private static void denied(Checking.Action action, String... parts) throws Exception {
        AwsServiceException error = raises(AwsServiceException.class, action);
        equal(error.awsErrorDetails().errorCode(), "AccessDenied", "code of " + error);
        equal(error.statusCode(), 403, "status");
        for (String part : parts) {
            equal(error.getMessage().contains(part), true, error.getMessage() + " says " + part);
        }
    }

    private static void user() throws Exception {
        String url = Clients.sqsQueue(sqs(OWN), Map.of());
        User user = newUser(allow("sqs:SendMessage", "arn:aws:sqs:*:*:orders-*"));
        SqsClient theirs = sqs(user.key());
        theirs.sendMessage(r -> r.queueUrl(url).messageBody("hello"));
        denied(() -> theirs.receiveMessage(r -> r.queueUrl(url)), ":user/" + user.name() + " is not authorized to perform: sqs:receivemessage",
                "because no identity-based policy allows");
        denied(() -> iam(user.key()).listUsers(), "iam:ListUsers");
    }

    private static void role() throws Exception {
        String url = Clients.sqsQueue(sqs(OWN), Map.of());
        String name = Clients.queueName("r");
        String account = sts(OWN).getCallerIdentity().account();
        String trust = policy("\"Principal\": {\"AWS\": \"" + account + "\"}, \"Action\": \"sts:AssumeRole\"");
        Role role = iam(OWN).createRole(r -> r.roleName(name).assumeRolePolicyDocument(trust)).role();
        iam(OWN).putRolePolicy(r -> r.roleName(name).policyName("p").policyDocument(allow("sqs:*", "*")));
        denied(() -> assuming(newUser(null), role, null).resolveCredentials(), "sts:AssumeRole");
        User assumer = newUser(allow("sts:AssumeRole", role.arn()));
        sqs(assuming(assumer, role, null)).purgeQueue(r -> r.queueUrl(url));
        AwsCredentialsProvider bounded = assuming(assumer, role, allow("sqs:SendMessage", "*"));
        equal(sts(bounded).getCallerIdentity().arn(), "arn:aws:sts::" + account + ":assumed-role/" + name + "/build", "who");
        SqsClient theirs = sqs(bounded);
        theirs.sendMessage(r -> r.queueUrl(url).messageBody("hello"));
        denied(() -> theirs.receiveMessage(r -> r.queueUrl(url)), "because no session policy allows");
    }

    private static AwsCredentialsProvider assuming(User user, Role role, String policy) {
        return StsAssumeRoleCredentialsProvider.builder()
                .stsClient(sts(user.key()))
                .refreshRequest(r -> r.roleArn(role.arn()).roleSessionName("build").policy(policy))
                .build();
    }

    private static void otherAccount() throws Exception {
        SqsClient own = sqs(OWN);
        SqsClient theirs = sqs(OTHERS);
        String url = Clients.sqsQueue(own, Map.of());
        denied(() -> theirs.sendMessage(r -> r.queueUrl(url).messageBody("hello")));
        own.addPermission(r -> r.queueUrl(url).label("them").awsAccountIds(System.getenv("POLYMQ_OTHER_ACCOUNT")).actions("SendMessage"));
        theirs.sendMessage(r -> r.queueUrl(url).messageBody("hello"));
        denied(() -> theirs.purgeQueue(r -> r.queueUrl(url)));
        own.removePermission(r -> r.queueUrl(url).label("them"));
        denied(() -> theirs.sendMessage(r -> r.queueUrl(url).messageBody("hello")));
    }

    private static void presigned() throws Exception {
        URI url = URI.create(Clients.sqsQueue(sqs(OWN), Map.of()));
        User user = newUser(allow("sqs:SendMessage", "*"));
        equal(get(url, user, Map.of("Action", "SendMessage", "MessageBody", "hello")).statusCode(), 200, "status of what it may");
        HttpResponse<String> refused = get(url, user, Map.of("Action", "PurgeQueue"));
        equal(refused.statusCode() + " " + refused.body().contains("<Code>AccessDenied</Code>"), "403 true", refused.body());
    }

    private static HttpResponse<String> get(URI url, User user, Map<String, String> parameters) throws IOException, InterruptedException {
        return Presigning.get(Presigning.presigned(url, user.key(), Instant.now(), parameters));
    }
}
