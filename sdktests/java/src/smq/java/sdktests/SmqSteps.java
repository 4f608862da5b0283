package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.tea.TeaException;
import com.aliyuncs.CommonRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The requests that generated clients of the control plane send, for every action, and what comes back: smq_steps.json
 * has them for the programs of all languages, with the parameters where the generated clients have them.
 */
final class SmqSteps {
    private static final String SMQ = "2022-01-19";

    /** Sends a request by one of the cores; what fails with a code of the service throws Coded. */
    private interface Core {
        JsonElement call(String action, Map<String, String> query, Map<String, Object> form) throws Exception;
    }

    /** The code of an error, in whichever way a core says it. */
    private static final class Coded extends Exception {
        Coded(String code, Exception cause) {
            super(code, cause);
        }
    }

    private SmqSteps() {}

    static void register() {
        check("smq_steps_generated_core_acs3", () -> walk((action, query, form) -> generated(null, "RPC", "formData", action, query, form)));
        check("smq_steps_generated_core_hmac_sha1", () -> walk((action, query, form) -> generated("v2", "RPC", "formData", action, query, form)));
        check("smq_steps_generated_core_roa", () -> walk((action, query, form) -> {
            Map<String, Object> document = new HashMap<>(query);
            document.putAll(form);
            return generated(null, "ROA", "json", action, Map.of(), document);
        }));
        check("smq_steps_old_core_get", () -> walk((action, query, form) -> old(MethodType.GET, action, query, form)));
        check("smq_steps_old_core_post", () -> walk((action, query, form) -> old(MethodType.POST, action, query, form)));
    }

    private static JsonElement generated(
            String algorithm, String style, String bodyType, String action, Map<String, String> query, Map<String, Object> form) throws Exception {
        try {
            return new Gson().toJsonTree(SmqChecks.call(
                    SmqChecks.config().setSignatureAlgorithm(algorithm), style, bodyType, action, SMQ, query, form.isEmpty() ? null : form));
        } catch (TeaException e) {
            throw new Coded(e.getCode(), e);
        }
    }

    /** The core before: of a request by POST it has all parameters in the form. */
    private static JsonElement old(MethodType method, String action, Map<String, String> query, Map<String, Object> form) throws Exception {
        CommonRequest request = new CommonRequest();
        request.setSysMethod(method);
        request.setSysProtocol(ProtocolType.HTTP);
        request.setSysDomain(URI.create(System.getenv("POLYMQ_ENDPOINT")).getAuthority());
        request.setSysVersion(SMQ);
        request.setSysAction(action);
        Map<String, Object> all = new HashMap<>(query);
        all.putAll(form);
        all.forEach((name, value) -> {
            if (method == MethodType.GET) {
                request.putQueryParameter(name, value.toString());
            } else {
                request.putBodyParameter(name, value.toString());
            }
        });
        DefaultAcsClient client = new DefaultAcsClient(DefaultProfile.getProfile(
                "cn-hangzhou", System.getenv("POLYMQ_ACCESS_KEY"), System.getenv().getOrDefault("POLYMQ_SECRET_KEY", "test")));
        try {
            return JsonParser.parseString(client.getCommonResponse(request).getData());
        } catch (ClientException e) {
            throw new Coded(e.getErrCode(), e);
        } finally {
            client.shutdown();
        }
    }

    private static void walk(Core core) throws Exception {
        String text = Files.readString(Path.of(System.getenv("POLYMQ_SDKTESTS"), "smq_steps.json"));
        JsonArray steps = JsonParser.parseString(text.replace("$", "orders-" + UUID.randomUUID().toString().substring(0, 13))).getAsJsonArray();
        for (int n = 0; n < steps.size(); n++) {
            JsonObject step = steps.get(n).getAsJsonObject();
            String action = step.get("action").getAsString();
            String where = "step " + (n + 1) + ", " + action;
            JsonElement document = JsonNull.INSTANCE;
            String code = null;
            try {
                document = core.call(action, new HashMap<>(texts(step, "query")), new HashMap<>(texts(step, "form")));
            } catch (Coded e) {
                code = e.getMessage();
            }
            equal(code, step.has("error") ? step.get("error").getAsString() : null, where);
            for (Map.Entry<String, JsonElement> want : members(step, "want").entrySet()) {
                equal(at(document, want.getKey()), want.getValue(), where + ", " + want.getKey());
            }
        }
    }

    private static Map<String, JsonElement> members(JsonObject of, String name) {
        return of.has(name) ? of.getAsJsonObject(name).asMap() : Map.of();
    }

    private static Map<String, String> texts(JsonObject step, String name) {
        Map<String, String> texts = new HashMap<>();
        members(step, name).forEach((key, value) -> texts.put(key, value.getAsString()));
        return texts;
    }

    /** What is found in a document behind names and numbers, one below the other. */
    private static JsonElement at(JsonElement document, String path) {
        for (String name : path.split("\\.")) {
            if (document instanceof JsonArray list) {
                int i = Integer.parseInt(name);
                document = i < list.size() ? list.get(i) : JsonNull.INSTANCE;
            } else if (document instanceof JsonObject object && object.has(name)) {
                document = object.get(name);
            } else {
                return JsonNull.INSTANCE;
            }
        }
        return document;
    }
}
