package sdktests;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.springframework.boot.json.JsonParserFactory;

/** An HTTP endpoint that verifies what it gets, as the guide of SNS says. */
final class SpringReceiver implements AutoCloseable {
    private static final String[] SIGNED = {"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"};

    final BlockingQueue<Map<String, Object>> got = new LinkedBlockingQueue<>();
    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

    SpringReceiver() throws IOException {
        server.createContext("/", this::receive);
        server.start();
    }

    private void receive(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, -1);
        exchange.close();
        got.add(JsonParserFactory.getJsonParser().parseMap(body));
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
    }

    /** Whether a message is genuine, by the certificate that it names. */
    static boolean verified(Map<String, Object> message) throws IOException, GeneralSecurityException {
        StringBuilder text = new StringBuilder();
        for (String name : SIGNED) {
            if (message.containsKey(name)) {
                text.append(name).append('\n').append(message.get(name)).append('\n');
            }
        }
        Certificate certificate;
        try (InputStream served = URI.create((String) message.get("SigningCertURL")).toURL().openStream()) {
            certificate = CertificateFactory.getInstance("X.509").generateCertificate(served);
        }
        Signature verifier = Signature.getInstance(message.get("SignatureVersion").equals("2") ? "SHA256withRSA" : "SHA1withRSA");
        verifier.initVerify(certificate);
        verifier.update(text.toString().getBytes(StandardCharsets.UTF_8));
        return verifier.verify(Base64.getDecoder().decode((String) message.get("Signature")));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
