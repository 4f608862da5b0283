"""What MNS promises of topics, and of FIFO queues and dead letters, seen through Alibaba's SDK."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue as Received
from threading import Thread

from Crypto.Hash import SHA1
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from mns.message_property import MessagePropertyValue
from mns.mns_exception import MNSServerException
from mns.queue import Message
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage, TopicMeta

import clients
from checking import check, equal, raises

ACCOUNT = clients.mns()


def control(action, **parameters):
    """Asks the control plane, whose client is not beside this SDK; signs as that one does."""
    query = urllib.parse.urlencode(sorted(parameters.items()), quote_via=urllib.parse.quote, safe="~")
    headers = {
        "host": urllib.parse.urlsplit(clients.ENDPOINT).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-version": "2022-01-19",
    }
    signed = ";".join(headers)
    canonical = "\n".join(["POST", "/", query, *("%s:%s" % header for header in headers.items()), "", signed, headers["x-acs-content-sha256"]])
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(clients.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s" % (clients.ACCESS_KEY, signed, signature)
    with urllib.request.urlopen(urllib.request.Request(clients.ENDPOINT + "/?" + query, method="POST", headers=headers)) as response:
        return json.load(response)


def new_topic(**meta):
    topic = ACCOUNT.get_topic(clients.queue_name("news"))
    topic.create(TopicMeta(**meta))
    return topic


def subscribe(topic, endpoint, name="all", **meta):
    subscription = topic.get_subscription(name)
    url = subscription.subscribe(SubscriptionMeta(endpoint=endpoint, **meta))
    equal(url, "%s/topics/%s/subscriptions/%s" % (clients.ENDPOINT, topic.topic_name, name), "URL of the subscription")
    return subscription


def queue_endpoint(queue):
    return "acs:mns:cn-hangzhou:127:queues/" + queue.queue_name


def equal_code(caught, code):
    equal(caught[0].type, code, "code")


@check
def mns_topic_attributes():
    topic = ACCOUNT.get_topic(clients.queue_name("news"))
    url = topic.create(TopicMeta(maximum_message_size=2048))
    equal(url, "%s/topics/%s" % (clients.ENDPOINT, topic.topic_name), "URL")
    with raises(MNSServerException) as caught:
        topic.create(TopicMeta(maximum_message_size=2049))
    equal_code(caught, "TopicAlreadyExist")
    topic.set_attributes(TopicMeta(maximum_message_size=4096, logging_enabled=True))
    meta = topic.get_attributes()
    equal((meta.topic_name, meta.maximum_message_size, meta.message_retention_period, meta.logging_enabled, meta.message_count),
          (topic.topic_name, 4096, 86400, True, 0), "attributes")
    equal(ACCOUNT.list_topic(topic.topic_name)[0], [url], "list")
    topic.delete()
    with raises(MNSServerException) as caught:
        topic.get_attributes()
    equal_code(caught, "TopicNotExist")


@check
def mns_subscription_attributes():
    topic = new_topic()
    subscription = subscribe(topic, "http://example.com/a?b=c", filter_tag="red", notify_content_format="SIMPLIFIED")
    subscription.set_attributes(SubscriptionMeta(notify_strategy="EXPONENTIAL_DECAY_RETRY"))
    meta = subscription.get_attributes()
    equal((meta.endpoint, meta.filter_tag, meta.notify_strategy, meta.notify_content_format, meta.topic_name, meta.subscription_name),
          ("http://example.com/a?b=c", "red", "EXPONENTIAL_DECAY_RETRY", "SIMPLIFIED", topic.topic_name, "all"), "attributes")
    equal(len(topic.list_subscription()[0]), 1, "subscriptions")
    with raises(MNSServerException) as caught:
        topic.get_subscription("other").subscribe(SubscriptionMeta(endpoint="ftp://example.com"))
    equal_code(caught, "EndpointInvalid")
    subscription.unsubscribe()
    with raises(MNSServerException) as caught:
        subscription.get_attributes()
    equal_code(caught, "SubscriptionNotExist")


@check
def mns_publish_to_queues():
    topic, everything, red = new_topic(), clients.mns_queue(ACCOUNT), clients.mns_queue(ACCOUNT)
    everything.set_encoding(False)
    red.set_encoding(False)
    subscribe(topic, queue_endpoint(everything), "everything", notify_content_format="JSON")
    subscribe(topic, queue_endpoint(red), "red", notify_content_format="SIMPLIFIED", filter_tag="red")
    topic.publish_message(TopicMessage("untagged"))
    message = TopicMessage("hello <&>", "red")
    message.user_properties["n"] = MessagePropertyValue("NUMBER", "1.5")
    published = topic.publish_message(message)
    equal(published.message_body_md5, hashlib.md5(b"hello <&>").hexdigest().upper(), "MD5")
    got = red.receive_message()
    equal(got.message_body, "hello <&>", "body")
    equal(got.user_properties["n"].string_value, "1.5", "property")
    with raises(MNSServerException) as caught:
        red.receive_message(0)
    equal_code(caught, "MessageNotExist")
    documents = [json.loads(m.message_body) for m in everything.batch_receive_message(16)]
    equal(sorted(d["Message"] for d in documents), ["hello <&>", "untagged"], "messages of all tags")


def verify_push(method, path, headers):
    """Verifies the signature of a push as the manual says, for the SDK has no code for it; raises ValueError."""
    own = sorted("%s:%s" % (name, value) for name, value in headers.items() if name.startswith("x-mns-"))
    text = "\n".join([method, headers["Content-md5"], headers["Content-Type"], headers["Date"], *own, path])
    with urllib.request.urlopen(base64.b64decode(headers["x-mns-signing-cert-url"]).decode(), timeout=10) as answer:
        key = RSA.import_key(answer.read())
    pkcs1_15.new(key).verify(SHA1.new(text.encode()), base64.b64decode(headers["Authorization"]))


@check
def mns_publish_to_http():
    received = Received()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            received.put((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    topic = new_topic()
    subscribe(topic, "http://127.0.0.1:%d/notify?a=b" % server.server_port, notify_content_format="SIMPLIFIED")
    published = topic.publish_message(TopicMessage("hello", "red"))
    path, headers, body = received.get(timeout=60)
    equal((path, body), ("/notify?a=b", b"hello"), "push")
    equal((headers["x-mns-message-id"], headers["x-mns-message-tag"], headers["x-mns-topic-name"], headers["Content-md5"]),
          (published.message_id, "red", topic.topic_name, hashlib.md5(b"hello").hexdigest().upper()), "headers")
    verify_push("POST", path, headers)
    with raises(ValueError):
        verify_push("POST", path, dict(headers, **{"x-mns-message-tag": "blue"}))
    server.shutdown()


@check
def mns_missing_topic():
    with raises(MNSServerException) as caught:
        ACCOUNT.get_topic(clients.queue_name("none")).publish_message(TopicMessage("hello"))
    equal_code(caught, "TopicNotExist")


@check
def mns_fifo_queue():
    queue = ACCOUNT.get_queue(clients.queue_name())
    control("CreateQueue", QueueName=queue.queue_name, QueueType="fifo")
    with raises(MNSServerException) as caught:
        queue.send_message(Message("a1"))
    equal_code(caught, "FifoMissingMessageGroupId")
    for body in ("a1", "a2", "b1"):
        queue.send_message(Message(body, message_group_id=body[0]))
    first = queue.batch_receive_message_with_str_body(16)
    equal(sorted(m.message_body for m in first), ["a1", "b1"], "the first of each group")
    queue.batch_delete_message([m.receipt_handle for m in first])
    equal(queue.receive_message_with_str_body().message_body, "a2", "the next")


@check
def mns_dead_letters():
    queue, dead = ACCOUNT.get_queue(clients.queue_name()), clients.mns_queue(ACCOUNT)
    policy = json.dumps({"Enabled": True, "DeadLetterTargetQueue": dead.queue_name, "MaxReceiveCount": 1})
    control("CreateQueue", QueueName=queue.queue_name, VisibilityTimeout=1, DlqPolicy=policy)
    sent = queue.send_message(Message("hello"))
    queue.receive_message()
    with raises(MNSServerException) as caught:
        queue.receive_message(3)  # longer than the visibility timeout
    equal_code(caught, "MessageNotExist")
    got = dead.receive_message_with_str_body(5)
    equal((got.message_body, got.message_id), ("hello", sent.message_id), "dead letter")
    equal(sorted(got.system_properties), ["DLQMessageType", "DLQOriginMessageId", "DLQSourceArn"], "system properties")
