package sdktests;

import static sdktests.Checking.check;
import static sdktests.Checking.equal;
import static sdktests.Checking.raises;

import com.aliyun.mns.common.ClientException;
import com.aliyun.mns.model.QueueMeta;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sts.StsClient;

/** Clients of a server that has an authority of its own, whose certificate is at POLYMQ_CA: they trust what they are told. */
final class TlsChecks {
    private TlsChecks() {}

    static void register() {
        check("aws_sdk_trusts_the_authority_it_is_given", TlsChecks::given);
        check("aws_sdk_does_not_trust_it_else", TlsChecks::notGiven);
        check("mns_does_not_trust_it_else", TlsChecks::notGivenToMns);
    }

    private static void given() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream file = Files.newInputStream(Path.of(System.getenv("POLYMQ_CA")))) {
            store.setCertificateEntry("polymq", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        Apache5HttpClient.Builder http = Apache5HttpClient.builder().tlsTrustManagersProvider(trust::getTrustManagers);
        URI endpoint = URI.create(Clients.ENDPOINT);
        SqsClient sqs = SqsClient.builder().endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(Clients.CREDENTIALS).httpClientBuilder(http).build();
        equal(sqs.createQueue(r -> r.queueName("java-over-tls")).queueUrl().startsWith("https://"), true, "URL");
        StsClient.builder().endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(Clients.CREDENTIALS).httpClientBuilder(http).build().getCallerIdentity();
    }

    private static void notGiven() throws Exception {
        equal(Clients.ENDPOINT.startsWith("https://"), true, "endpoint");
        SdkClientException error = raises(SdkClientException.class, () -> Clients.sqs().listQueues());
        equal(error.toString().contains("unable to find valid certification path"), true, error.toString());
    }

    private static void notGivenToMns() throws Exception {
        QueueMeta queue = new QueueMeta();
        queue.setQueueName("java-over-tls");
        ClientException error = raises(ClientException.class, () -> Clients.mns().createQueue(queue));
        equal(causes(error).contains("unable to find valid certification path"), true, causes(error));
    }

    private static String causes(Throwable error) {
        return error == null ? "" : error + " " + causes(error.getCause());
    }
}
