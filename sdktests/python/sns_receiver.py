"""An HTTP endpoint of a topic, and what it verifies messages with, as SNS's guide says: no SDK of Python does."""

import base64
import contextlib
import http.server
import queue
import threading
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def verify(message):
    """Verifies the signature of a message; raises cryptography.exceptions.InvalidSignature."""
    text = "".join("%s\n%s\n" % (key, message[key]) for key in SIGNED if key in message)
    with urllib.request.urlopen(message["SigningCertURL"], timeout=10) as answer:
        certificate = x509.load_pem_x509_certificate(answer.read())
    digest = {"1": SHA1, "2": SHA256}[message["SignatureVersion"]]()
    certificate.public_key().verify(base64.b64decode(message["Signature"]), text.encode(), PKCS1v15(), digest)


@contextlib.contextmanager
def endpoint():
    """An HTTP endpoint; gives its URL and a queue of what it got, headers and bodies."""
    got = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.put((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "http://127.0.0.1:%d/hook" % server.server_port, got
    finally:
        server.shutdown()
