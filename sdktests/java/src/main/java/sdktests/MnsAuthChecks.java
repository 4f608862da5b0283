package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;

import com.aliyun.mns.client.CloudQueue;
import com.aliyun.mns.client.MNSClient;
import com.aliyun.mns.model.Message;

/** What the MNS SDK is told of requests that are signed wrongly, on a server that verifies signatures. */
final class MnsAuthChecks {
    private MnsAuthChecks() {}

    static void register() {
        check("mns_wrong_secret", () -> refused("SignatureDoesNotMatch", Clients.ACCESS_KEY, "wrong"));
        check("mns_unknown_key", () -> refused("InvalidAccessKeyId", "LTAINONE", Clients.SECRET_KEY));
    }

    private static void refused(String code, String accessKey, String secretKey) throws Exception {
        String name = Clients.nameOf(Clients.mnsQueue(Clients.mns()).getQueueURL());
        for (MNSClient client : MnsFactory.signing(accessKey, secretKey)) {
            CloudQueue queue = client.getQueueRef(name);
            equal(MnsChecks.code(queue::getAttributes), code, "attributes");
            equal(MnsChecks.code(() -> queue.putMessage(new Message("hello"))), code, "send");
            equal(MnsChecks.code(queue::popMessage), code, "receive");
        }
    }
}
