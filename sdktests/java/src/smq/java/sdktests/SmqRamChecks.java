package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.models.Config;
import java.util.Map;
import java.util.UUID;

/** Users, policies and roles of RAM, on a server that enforces policies. POLYMQ_ACCESS_KEY is an account's own. */
final class SmqRamChecks {
    private static final String SMQ = "2022-01-19";
    private static final String STS = "2015-04-01";
    private static final String RAM = "2015-05-01";

    private SmqRamChecks() {}

    static void register() {
        check("ram_user_may_what_its_policy_allows", SmqRamChecks::user);
        check("ram_role_may_what_its_policy_allows", SmqRamChecks::role);
    }

    private static Map<String, Object> call(Config config, String action, String version, Map<String, String> query) throws Exception {
        return SmqChecks.call(config, action, version, query, null);
    }

    private static String name(String prefix) {
        return prefix + UUID.randomUUID().toString().substring(0, 13);
    }

    private static String allow(String action, String resource) {
        return "{\"Version\": \"1\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"" + action + "\", \"Resource\": \"" + resource + "\"}]}";
    }

    private static Config signing(Map<String, Object> key) {
        return SmqChecks.config()
                .setAccessKeyId((String) key.get("AccessKeyId"))
                .setAccessKeySecret((String) key.get("AccessKeySecret"))
                .setSecurityToken((String) key.get("SecurityToken"));
    }

    /** A new user with this policy, as whom the configuration signs. */
    private static Config newUser(String policy) throws Exception {
        String name = name("u");
        Config own = SmqChecks.config();
        call(own, "CreateUser", RAM, Map.of("UserName", name));
        call(own, "CreatePolicy", RAM, Map.of("PolicyName", name, "PolicyDocument", policy));
        call(own, "AttachPolicyToUser", RAM, Map.of("PolicyType", "Custom", "PolicyName", name, "UserName", name));
        return signing(SmqChecks.member(call(own, "CreateAccessKey", RAM, Map.of("UserName", name)), "AccessKey"));
    }

    private static void denied(Config config, String action, String version, Map<String, String> query, String permission) throws Exception {
        TeaException error = raises(TeaException.class, () -> call(config, action, version, query));
        equal(error.getCode(), "NoPermission", "code of " + error);
        equal(error.getMessage().contains(permission), true, error.getMessage() + " says " + permission);
    }

    private static void user() throws Exception {
        Config theirs = newUser(allow("mns:CreateQueue", "acs:mns:*:*:/queues/orders-*"));
        call(theirs, "CreateQueue", SMQ, Map.of("QueueName", name("orders-")));
        denied(theirs, "CreateQueue", SMQ, Map.of("QueueName", name("secret-")), "mns:CreateQueue");
        denied(theirs, "ListUsers", RAM, Map.of(), "ram:ListUsers");
    }

    private static void role() throws Exception {
        Config own = SmqChecks.config();
        String name = name("r");
        Object account = call(own, "GetCallerIdentity", STS, Map.of()).get("AccountId");
        String trust = "{\"Version\": \"1\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\","
                + " \"Principal\": {\"RAM\": [\"acs:ram::" + account + ":root\"]}}]}";
        Map<String, Object> role = SmqChecks.member(
                call(own, "CreateRole", RAM, Map.of("RoleName", name, "AssumeRolePolicyDocument", trust)), "Role");
        call(own, "AttachPolicyToRole", RAM, Map.of("PolicyType", "System", "PolicyName", "AliyunMNSFullAccess", "RoleName", name));
        String arn = (String) role.get("Arn");
        Map<String, String> wanted = Map.of("RoleArn", arn, "RoleSessionName", "build", "Policy", allow("mns:CreateQueue", "*"));
        denied(newUser(allow("mns:*", "*")), "AssumeRole", STS, wanted, "sts:AssumeRole");
        Config session = signing(SmqChecks.member(call(newUser(allow("sts:AssumeRole", arn)), "AssumeRole", STS, wanted), "Credentials"));
        call(session, "CreateQueue", SMQ, Map.of("QueueName", name("orders-")));
        denied(session, "ListQueue", SMQ, Map.of(), "mns:ListQueue");
    }
}
