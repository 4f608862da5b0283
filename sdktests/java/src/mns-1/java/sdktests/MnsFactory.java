package sdktests;

import com.aliyun.mns.client.CloudAccount;
import com.aliyun.mns.client.MNSClient;
import java.util.List;

/** Makes a client of the MNS SDK 1.x, as an application would. */
final class MnsFactory {
    private MnsFactory() {}

    static MNSClient client(String endpoint, String accessKey) {
        if (Clients.TOKEN.isEmpty()) {
            return new CloudAccount(accessKey, Clients.SECRET_KEY, endpoint).getMNSClient();
        }
        return new CloudAccount(accessKey, Clients.SECRET_KEY, endpoint, Clients.TOKEN).getMNSClient();
    }

    /** Clients that sign with this key, one for each version of the signature that the SDK has. */
    static List<MNSClient> signing(String accessKey, String secretKey) {
        return List.of(new CloudAccount(accessKey, secretKey, Clients.ENDPOINT).getMNSClient());
    }

    /** Registers the checks of what only 2.x has: none. */
    static void registerChecks() {}
}
