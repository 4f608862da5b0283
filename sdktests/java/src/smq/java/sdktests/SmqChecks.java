package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.Client;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What SMQ's control plane and Alibaba's STS promise. */
final class SmqChecks {
    private static final String SMQ = "2022-01-19";
    private static final String STS = "2015-04-01";

    private SmqChecks() {}

    static void register() {
        check("smq_queue_attributes", () -> queue(null));
        check("smq_old_signature", () -> queue("v2"));
        check("smq_topic_in_query_and_form", SmqChecks::topic);
        check("sts_assume_role", SmqChecks::assumeRole);
    }

    static Config config() {
        return new Config()
                .setAccessKeyId(System.getenv("POLYMQ_ACCESS_KEY"))
                .setAccessKeySecret(System.getenv().getOrDefault("POLYMQ_SECRET_KEY", "test"))
                .setEndpoint(URI.create(System.getenv("POLYMQ_ENDPOINT")).getAuthority())
                .setProtocol("http");
    }

    /** The answer's document. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> call(Config config, String action, String version, Map<String, String> query, Map<String, Object> form)
            throws Exception {
        Params params = new Params()
                .setAction(action)
                .setVersion(version)
                .setProtocol("HTTP")
                .setPathname("/")
                .setMethod("POST")
                .setAuthType("AK")
                .setStyle("RPC")
                .setReqBodyType("formData")
                .setBodyType("json");
        OpenApiRequest request = new OpenApiRequest().setQuery(query);
        if (form != null) {
            request.setBody(form);
        }
        return (Map<String, Object>) new Client(config).callApi(params, request, new RuntimeOptions()).get("body");
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> member(Map<String, Object> document, String name) {
        return (Map<String, Object>) document.get(name);
    }

    private static String name() {
        return "orders-" + UUID.randomUUID().toString().substring(0, 13);
    }

    private static void queue(String algorithm) throws Exception {
        Config config = config().setSignatureAlgorithm(algorithm);
        Map<String, String> queue = Map.of("QueueName", name());
        Map<String, Object> created = call(config, "CreateQueue", SMQ,
                Map.of("QueueName", queue.get("QueueName"), "DelaySeconds", "7", "Tag.1.Key", "k 1", "Tag.1.Value", "v*~"), null);
        equal(created.get("Success"), true, "success");
        Map<String, Object> data = member(call(config, "GetQueueAttributes", SMQ, queue, null), "Data");
        equal(((Number) data.get("DelaySeconds")).intValue(), 7, "delay");
        equal(data.get("Tags"), List.of(Map.of("TagKey", "k 1", "TagValue", "v*~")), "tags");
        call(config, "DeleteQueue", SMQ, queue, null);
        TeaException missing = raises(TeaException.class, () -> call(config, "GetQueueAttributes", SMQ, queue, null));
        equal(missing.getCode(), "QueueNotExist", "code");
    }

    private static void topic() throws Exception {
        String name = name();
        call(config(), "CreateTopic", SMQ, Map.of("TopicType", "normal", "Tag.1.Key", "env", "Tag.1.Value", "dev"),
                Map.of("TopicName", name, "MaxMessageSize", 2048, "EnableLogging", true));
        Map<String, Object> data = member(call(config(), "GetTopicAttributes", SMQ, Map.of("TopicName", name), null), "Data");
        equal(((Number) data.get("MaxMessageSize")).intValue(), 2048, "size");
        equal(data.get("LoggingEnabled"), true, "logging");
    }

    private static void assumeRole() throws Exception {
        Object account = call(config(), "GetCallerIdentity", STS, Map.of(), null).get("AccountId");
        Map<String, Object> assumed = call(config(), "AssumeRole", STS,
                Map.of("RoleArn", "acs:ram::" + account + ":role/worker", "RoleSessionName", "session"), null);
        Map<String, Object> credentials = member(assumed, "Credentials");
        Config session = config()
                .setAccessKeyId((String) credentials.get("AccessKeyId"))
                .setAccessKeySecret((String) credentials.get("AccessKeySecret"))
                .setSecurityToken((String) credentials.get("SecurityToken"));
        Map<String, Object> who = call(session, "GetCallerIdentity", STS, Map.of(), null);
        equal(who.get("IdentityType"), "AssumedRoleUser", "identity");
        equal(who.get("PrincipalId"), member(assumed, "AssumedRoleUser").get("AssumedRoleId"), "principal");
        call(session, "CreateQueue", SMQ, Map.of("QueueName", name()), null);
    }
}
