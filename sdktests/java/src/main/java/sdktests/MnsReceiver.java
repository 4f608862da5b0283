package sdktests;

import com.sun.net.httpserver.Headers;
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
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An HTTP endpoint that verifies the pushes of a topic, as the manual of MNS says: newer SDKs have no code for it. */
final class MnsReceiver implements AutoCloseable {
    /** What was pushed. */
    record Push(String method, String target, Map<String, String> headers, String body) {
        /** Whether the push is genuine, by the certificate that it names. */
        boolean verified() throws IOException, GeneralSecurityException {
            StringBuilder text = new StringBuilder(method).append('\n');
            for (String name : new String[] {"content-md5", "content-type", "date"}) {
                text.append(headers.getOrDefault(name, "")).append('\n');
            }
            headers.forEach((name, value) -> { // which are in order
                if (name.startsWith("x-mns-")) {
                    text.append(name).append(':').append(value).append('\n');
                }
            });
            text.append(target);
            Certificate certificate;
            String address = new String(Base64.getDecoder().decode(headers.get("x-mns-signing-cert-url")), StandardCharsets.UTF_8);
            try (InputStream served = URI.create(address).toURL().openStream()) {
                certificate = CertificateFactory.getInstance("X.509").generateCertificate(served);
            }
            Signature verifier = Signature.getInstance("SHA1withRSA");
            verifier.initVerify(certificate);
            verifier.update(text.toString().getBytes(StandardCharsets.UTF_8));
            return verifier.verify(Base64.getDecoder().decode(headers.get("authorization")));
        }

        /** The same with another header. */
        Push with(String name, String value) {
            Map<String, String> changed = new TreeMap<>(headers);
            changed.put(name, value);
            return new Push(method, target, changed, body);
        }
    }

    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final BlockingQueue<Push> got = new LinkedBlockingQueue<>();

    MnsReceiver() throws IOException {
        server.createContext("/", this::receive);
        server.start();
    }

    private void receive(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Map<String, String> headers = new TreeMap<>();
        Headers all = exchange.getRequestHeaders();
        all.keySet().forEach(name -> headers.put(name.toLowerCase(Locale.ROOT), all.getFirst(name)));
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
        got.add(new Push(exchange.getRequestMethod(), exchange.getRequestURI().toString(), headers, body));
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/notify?a=b";
    }

    Push next() throws InterruptedException {
        Push push = got.poll(60, TimeUnit.SECONDS);
        if (push == null) {
            throw new AssertionError("nothing was pushed");
        }
        return push;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
