package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.teaopenapi.Client;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.net.URI;
import java.util.Map;
import java.util.UUID;

/** What SMQ's control plane and Alibaba's STS promise. */
final class SmqChecks {
    private static final String SMQ = "2022-01-19";
    private static final String STS = "2015-04-01";

    private SmqChecks() {}

    static void register() {
        SmqSteps.register();
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
    static Map<String, Object> call(Config config, String action, String version, Map<String, String> query, Map<String, Object> form)
            throws Exception {
        return call(config, "RPC", "formData", action, version, query, form);
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> call(
            Config config, String style, String bodyType, String action, String version, Map<String, String> query, Map<String, Object> form)
            throws Exception {
        Params params = new Params()
                .setAction(action)
                .setVersion(version)
                .setProtocol("HTTP")
                .setPathname("/")
                .setMethod("POST")
                .setAuthType("AK")
                .setStyle(style)
                .setReqBodyType(bodyType)
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
