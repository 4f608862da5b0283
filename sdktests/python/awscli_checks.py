"""What the AWS CLI shows, given what a shell gives it, files too."""

import json
import os
import threading
import time

from awscli_shell import OLD, SECOND, aws, create, file, queue_name, refused, run, start
from checking import TEXTS, check, equal
from sns_receiver import endpoint, verify

PATIENCE = 30  # seconds, on a busy machine


def attributes(url):
    return aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]


@check
def awscli_queues():
    prefix = queue_name()
    given = {"VisibilityTimeout": "45", "DelaySeconds": "1", "ReceiveMessageWaitTimeSeconds": "2"}
    url = aws("create-queue", "--queue-name", prefix + "-a", "--attributes", file(given), "--tags", "team=billing,empty=")["QueueUrl"]
    equal(aws("get-queue-url", "--queue-name", prefix + "-a"), {"QueueUrl": url}, "URL")
    shown = attributes(url)
    equal({name: shown[name] for name in given}, given, "attributes")
    aws("set-queue-attributes", "--queue-url", url, "--attributes", "DelaySeconds=0,MaximumMessageSize=2048")
    shown = attributes(url)
    equal([shown["DelaySeconds"], shown["MaximumMessageSize"]], ["0", "2048"], "attributes after set")
    equal(aws("list-queue-tags", "--queue-url", url), {"Tags": {"team": "billing", "empty": ""}}, "tags")
    aws("tag-queue", "--queue-url", url, "--tags", "team=shipping")
    aws("untag-queue", "--queue-url", url, "--tag-keys", "empty")
    equal(aws("list-queue-tags", "--queue-url", url), {"Tags": {"team": "shipping"}}, "tags after untag")
    other = aws("create-queue", "--queue-name", prefix + "-b")["QueueUrl"]
    equal(aws("list-queues", "--queue-name-prefix", prefix, "--page-size", "1"), {"QueueUrls": [url, other]}, "list")
    text = run("list-queues", "--queue-name-prefix", prefix, "--query", "QueueUrls[1]", "--output", "text")
    equal(text, [0, other + "\n", ""], "list, queried, as text")
    equal(aws("delete-queue", "--queue-url", other), None, "answer to delete")
    equal(aws("list-queues", "--queue-name-prefix", prefix), {"QueueUrls": [url]}, "list after delete")


@check
def awscli_errors():
    missing = queue_name()
    equal(
        refused("get-queue-url", "--queue-name", missing).replace(" (reached max retries: 0)", ""),
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: The specified queue does not exist%s." % (" for this wsdl version" if OLD else ""),
        "error",
    )
    url = create()
    equal("(ReceiptHandleIsInvalid)" in refused("delete-message", "--queue-url", url, "--receipt-handle", "nonsense"), True, "error of a handle")


@check
def awscli_messages():
    url = create()
    body = TEXTS["line ends"] + TEXTS["xml"] + TEXTS["unicode"]
    given = {
        "colour": {"DataType": "String", "StringValue": "rød"},
        "size": {"DataType": "Number.cm", "StringValue": "12.5"},
        "image": {"DataType": "Binary", "BinaryValue": "Ynl0ZXM=" if SECOND else "bytes"},
    }
    sent = aws("send-message", "--queue-url", url, "--message-body", body, "--message-attributes", file(given))
    [message] = aws("receive-message", "--queue-url", url, "--attribute-names", "All", "--message-attribute-names", "All")["Messages"]
    equal([message["Body"], message["MessageId"]], [body, sent["MessageId"]], "body and id")
    given["image"]["BinaryValue"] = "Ynl0ZXM="  # the way out both encode
    equal(message["MessageAttributes"], given, "attributes")
    equal(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"], "MD5 of the attributes")
    equal(message["Attributes"]["ApproximateReceiveCount"], "1", "receive count")
    handle = ["--queue-url", url, "--receipt-handle", message["ReceiptHandle"]]
    equal(aws("receive-message", "--queue-url", url), None, "receive of a message in flight")
    aws("change-message-visibility", *handle, "--visibility-timeout", "0")
    [message] = aws("receive-message", "--queue-url", url, "--visibility-timeout", "10")["Messages"]
    equal(aws("delete-message", *handle[:3], message["ReceiptHandle"]), None, "answer to delete")
    aws("send-message", "--queue-url", url, "--message-body", file("later"), "--delay-seconds", "600")
    counted = attributes(url)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    equal([counted[name] for name in names], ["0", "0", "1"], "counts")
    aws("purge-queue", "--queue-url", url)
    equal([attributes(url)[name] for name in names], ["0", "0", "0"], "counts after the purge")


@check
def awscli_batches():
    url = create()
    entries = [dict(Id=str(n), MessageBody="body %d" % n) for n in range(9)] + [dict(Id="bad", MessageBody="hello", DelaySeconds=901)]
    sent = aws("send-message-batch", "--queue-url", url, "--entries", file(entries))
    equal([len(sent["Successful"]), [(f["Id"], f["Code"]) for f in sent["Failed"]]], [9, [("bad", "InvalidParameterValue")]], "sent")
    got = aws("receive-message", "--queue-url", url, "--max-number-of-messages", "10")["Messages"]
    equal(sorted(message["Body"] for message in got), ["body %d" % n for n in range(9)], "bodies")
    handles = [dict(Id=str(n), ReceiptHandle=message["ReceiptHandle"]) for n, message in enumerate(got)]
    changes = [dict(handle, VisibilityTimeout=0) for handle in handles]
    changed = aws("change-message-visibility-batch", "--queue-url", url, "--entries", file(changes))
    equal(len(changed["Successful"]), 9, "changed")
    deleted = aws("delete-message-batch", "--queue-url", url, "--entries", file(handles + [dict(Id="bad", ReceiptHandle="nonsense")]))
    equal([len(deleted["Successful"]), [f["Code"] for f in deleted["Failed"]]], [9, ["ReceiptHandleIsInvalid"]], "deleted")
    equal("(AWS.SimpleQueueService.BatchEntryIdsNotDistinct)" in refused(
        "send-message-batch", "--queue-url", url, "--entries", "Id=a,MessageBody=one", "Id=a,MessageBody=two"), True, "error of equal ids")


@check
def awscli_dead_letters_and_redrive():
    dead = create()
    arn = attributes(dead)["QueueArn"]
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": "1"}
    url = create("--attributes", file({"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"}))
    equal(json.loads(attributes(url)["RedrivePolicy"]), policy, "policy")
    equal(aws("list-dead-letter-source-queues", "--queue-url", dead), {"queueUrls": [url]}, "sources")
    sent = aws("send-message", "--queue-url", url, "--message-body", "hello")
    equal(len(aws("receive-message", "--queue-url", url)["Messages"]), 1, "first receive")
    equal(aws("receive-message", "--queue-url", url), None, "second receive")
    [message] = aws("receive-message", "--queue-url", dead, "--visibility-timeout", "0", "--attribute-names", "All")["Messages"]
    equal([message["Body"], message["MessageId"]], ["hello", sent["MessageId"]], "dead letter")
    equal(message["Attributes"]["DeadLetterQueueSourceArn"], attributes(url)["QueueArn"], "its source")
    if not OLD:
        redrive(arn, url)
    aws("set-queue-attributes", "--queue-url", url, "--attributes", file({"RedrivePolicy": ""}))
    equal("RedrivePolicy" in attributes(url), False, "policy after its removal")


def redrive(arn, url):
    """Moves the dead letter of a queue back to it."""
    task = aws("start-message-move-task", "--source-arn", arn, "--max-number-of-messages-per-second", "500")
    equal(list(task), ["TaskHandle"], "answer")
    [message] = aws("receive-message", "--queue-url", url, "--wait-time-seconds", "20")["Messages"]
    equal(message["Body"], "hello", "redriven message")
    deadline = time.monotonic() + PATIENCE
    while True:
        [task] = aws("list-message-move-tasks", "--source-arn", arn)["Results"]
        if task["Status"] != "RUNNING" or time.monotonic() > deadline:
            break
    equal([task["Status"], task["ApproximateNumberOfMessagesMoved"]], ["COMPLETED", 1], "status and number")
    equal("(ResourceNotFoundException)" in refused("start-message-move-task", "--source-arn", arn + "-missing"), True, "error of a missing source")


@check
def awscli_fifo():
    name = queue_name() + ".fifo"
    url = aws("create-queue", "--queue-name", name, "--attributes", "FifoQueue=true,ContentBasedDeduplication=true")["QueueUrl"]
    given = ["send-message", "--queue-url", url, "--message-group-id", "g", "--message-body"]
    sent = [aws(*given, body) for body in ("one", "two", "one")]
    equal([sent[2][key] for key in ("MessageId", "SequenceNumber")], [sent[0][key] for key in ("MessageId", "SequenceNumber")], "duplicate")
    given = ["receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--attribute-names", "All", "--receive-request-attempt-id", "a"]
    got = aws(*given)["Messages"]
    equal([message["Body"] for message in got], ["one", "two"], "bodies in order")
    equal([message["Attributes"]["SequenceNumber"] for message in got], [each["SequenceNumber"] for each in sent[:2]], "sequence numbers")
    equal(aws(*given)["Messages"], got, "the same attempt")


@check
def awscli_topics():
    url = create()
    topic = aws("create-topic", "--name", queue_name(), service="sns")["TopicArn"]
    subscribed = aws("subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", attributes(url)["QueueArn"],
                     "--attributes", file({"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"colour": ["red"]})}),
                     "--return-subscription-arn", service="sns")["SubscriptionArn"]
    [listed] = aws("list-subscriptions-by-topic", "--topic-arn", topic, service="sns")["Subscriptions"]
    equal(listed["SubscriptionArn"], subscribed, "subscription")
    for colour in ("blue", "red"):
        given = {"colour": {"DataType": "String", "StringValue": colour}}
        aws("publish", "--topic-arn", topic, "--message", colour, "--message-attributes", file(given), service="sns")
    got = aws("receive-message", "--queue-url", url, "--wait-time-seconds", "5", "--max-number-of-messages", "10", "--message-attribute-names", "All")
    equal([(message["Body"], message["MessageAttributes"]["colour"]["StringValue"]) for message in got["Messages"]], [("red", "red")], "messages")
    aws("unsubscribe", "--subscription-arn", subscribed, service="sns")
    aws("delete-topic", "--topic-arn", topic, service="sns")
    equal(aws("list-topics", service="sns"), {"Topics": []}, "topics")


@check
def awscli_publish_to_http():
    """The endpoint verifies what it gets."""
    for version in ("1", "2"):
        topic = aws("create-topic", "--name", queue_name(), "--attributes", "SignatureVersion=" + version, service="sns")["TopicArn"]
        with endpoint() as (url, got):
            aws("subscribe", "--topic-arn", topic, "--protocol", "http", "--notification-endpoint", url, service="sns")
            message = json.loads(got.get(timeout=PATIENCE)[1])
            verify(message)
            aws("confirm-subscription", "--topic-arn", topic, "--token", message["Token"], service="sns")
            aws("publish", "--topic-arn", topic, "--subject", "About", "--message", TEXTS["unicode"], service="sns")
            message = json.loads(got.get(timeout=PATIENCE)[1])
            equal((message["Message"], message["Subject"], message["SignatureVersion"]), (TEXTS["unicode"], "About", version), "message")
            verify(message)
        aws("delete-topic", "--topic-arn", topic, service="sns")


@check
def awscli_identity():
    shown = aws("get-caller-identity", service="sts")
    equal(shown["Account"], os.environ["AWS_ACCESS_KEY_ID"], "account")


@check
def awscli_permissions():
    url = create()
    aws("add-permission", "--queue-url", url, "--label", "team", "--aws-account-ids", "111122223333", "--actions", "SendMessage", "ReceiveMessage")
    [statement] = json.loads(attributes(url)["Policy"])["Statement"]
    equal([statement["Sid"], statement["Action"]], ["team", ["SQS:SendMessage", "SQS:ReceiveMessage"]], "statement")
    aws("remove-permission", "--queue-url", url, "--label", "team")
    equal("Policy" in attributes(url), False, "policy after its removal")


@check
def awscli_long_poll_wakes_at_a_send():
    url = create()
    began = time.monotonic()
    poll = start("receive-message", "--queue-url", url, "--wait-time-seconds", "20")
    threading.Timer(1, aws, ["send-message", "--queue-url", url, "--message-body", "hello"]).start()
    output, _ = poll.communicate()
    equal([poll.returncode, json.loads(output)["Messages"][0]["Body"]], [0, "hello"], "exit code and body")
    equal(time.monotonic() - began < 15, True, "woken before the wait was over")
