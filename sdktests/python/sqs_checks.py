"""What SQS promises, seen through boto3."""

import hashlib
import json
import threading

import boto3
from botocore.exceptions import ClientError

import clients
from checking import TEXTS, check, equal, raises

SQS = clients.sqs()


def send(url, text="hello", **options):
    return SQS.send_message(QueueUrl=url, MessageBody=text, **options)


def receive(url, **options):
    """Without waiting, unless told to."""
    return SQS.receive_message(QueueUrl=url, **dict({"WaitTimeSeconds": 0}, **options)).get("Messages", [])


def attribute(url, name):
    return SQS.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def equal_error(error, code, status=400):
    equal(error.response["Error"]["Code"], code, "code")
    equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status, "status")
    if not error.response["ResponseMetadata"]["RequestId"]:
        raise AssertionError("the error carries no request id")


@check
def sqs_create_queue_answers_its_url():
    name = clients.queue_name()
    url = SQS.create_queue(QueueName=name)["QueueUrl"]
    equal(url.rsplit("/", 1)[1], name, "name in the URL")
    equal(url.startswith(clients.ENDPOINT + "/"), True, "URL on the endpoint: " + url)
    equal(SQS.create_queue(QueueName=name)["QueueUrl"], url, "URL when created again")
    equal(SQS.get_queue_url(QueueName=name)["QueueUrl"], url, "GetQueueUrl")


@check
def sqs_create_queue_refuses_other_attributes():
    name = clients.queue_name()
    SQS.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "10"})
    SQS.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "10"})
    with raises(SQS.exceptions.QueueNameExists) as caught:
        SQS.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "11"})
    equal_error(caught[0], "QueueAlreadyExists")


@check
def sqs_create_queue_refuses_a_bad_name():
    with raises(ClientError) as caught:
        SQS.create_queue(QueueName="no spaces")
    equal_error(caught[0], "InvalidParameterValue")


@check
def sqs_missing_queue_has_its_own_exception():
    for call in (
        lambda: SQS.get_queue_url(QueueName=clients.queue_name()),
        lambda: send(clients.ENDPOINT + "/000000000000/" + clients.queue_name()),
    ):
        with raises(SQS.exceptions.QueueDoesNotExist) as caught:
            call()
        equal_error(caught[0], "AWS.SimpleQueueService.NonExistentQueue")


@check
def sqs_delete_queue():
    url = clients.sqs_queue(SQS)
    SQS.delete_queue(QueueUrl=url)
    with raises(SQS.exceptions.QueueDoesNotExist):
        receive(url)


@check
def sqs_list_queues_in_pages():
    prefix = clients.queue_name("page")
    equal("QueueUrls" in SQS.list_queues(QueueNamePrefix=prefix), False, "QueueUrls of no queues")
    urls = sorted(SQS.create_queue(QueueName="%s-%d" % (prefix, n))["QueueUrl"] for n in range(5))
    pages = list(SQS.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2}))
    equal([len(page["QueueUrls"]) for page in pages], [2, 2, 1], "sizes of the pages")
    equal(sorted(url for page in pages for url in page["QueueUrls"]), urls, "queues")
    equal(SQS.list_queues(QueueNamePrefix=prefix)["QueueUrls"], urls, "queues in one page")


@check
def sqs_queue_attributes_come_back():
    attributes = {
        "DelaySeconds": "3",
        "MaximumMessageSize": "2048",
        "MessageRetentionPeriod": "3600",
        "ReceiveMessageWaitTimeSeconds": "4",
        "VisibilityTimeout": "45",
    }
    url = clients.sqs_queue(SQS, **attributes)
    shown = SQS.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    equal({name: shown[name] for name in attributes}, attributes, "given to create")
    equal(shown["QueueArn"].rsplit(":", 1)[1], url.rsplit("/", 1)[1], "name in the ARN")
    SQS.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "46"})
    attributes["VisibilityTimeout"] = "46"
    shown = SQS.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    equal({name: shown[name] for name in attributes}, attributes, "after set")
    equal("Attributes" in SQS.get_queue_attributes(QueueUrl=url), False, "Attributes when none is asked for")


@check
def sqs_queue_attributes_are_validated():
    url = clients.sqs_queue(SQS)
    with raises(SQS.exceptions.InvalidAttributeName) as caught:
        SQS.set_queue_attributes(QueueUrl=url, Attributes={"Colour": "red"})
    equal_error(caught[0], "InvalidAttributeName")
    with raises(ClientError) as caught:
        SQS.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "43201"})
    equal_error(caught[0], "InvalidAttributeValue")
    equal(attribute(url, "VisibilityTimeout"), "30", "VisibilityTimeout after the refusals")


@check
def sqs_send_receive_delete():
    url = clients.sqs_queue(SQS)
    sent = send(url)
    equal(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592", "MD5 of the send")
    equal("MD5OfMessageAttributes" in sent, False, "MD5 of no attributes")
    [message] = receive(url)
    equal(message["Body"], "hello", "body")
    equal(message["MessageId"], sent["MessageId"], "id")
    equal(message["MD5OfBody"], sent["MD5OfMessageBody"], "MD5 of the receive")
    equal("Attributes" in message, False, "Attributes when none is asked for")
    equal(receive(url), [], "receive of a message in flight")
    SQS.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    SQS.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])  # again: no error
    equal(attribute(url, "ApproximateNumberOfMessagesNotVisible"), "0", "in flight after the delete")


@check
def sqs_empty_receive_has_no_messages_key():
    url = clients.sqs_queue(SQS)
    equal("Messages" in SQS.receive_message(QueueUrl=url), False, "Messages")


@check
def sqs_texts_come_back_as_sent():
    url = clients.sqs_queue(SQS)
    for name, text in TEXTS.items():
        equal(send(url, text)["MD5OfMessageBody"], hashlib.md5(text.encode()).hexdigest(), "MD5 of " + name)
        [message] = receive(url)
        equal(message["Body"], text, name)
        SQS.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@check
def sqs_bad_bodies_are_refused():
    url = clients.sqs_queue(SQS, MaximumMessageSize="1024")
    with raises(SQS.exceptions.InvalidMessageContents) as caught:
        send(url, "bell \x07")
    equal_error(caught[0], "InvalidMessageContents")
    with raises(ClientError) as caught:
        send(url, "")
    equal_error(caught[0], "MissingParameter")
    with raises(ClientError) as caught:
        send(url, "x" * 1025)
    equal_error(caught[0], "InvalidParameterValue")
    send(url, "x" * 1024)


@check
def sqs_body_of_one_mebibyte():
    url = clients.sqs_queue(SQS)
    body = "+ %" + "m" * ((1 << 20) - 3)
    send(url, body)
    [message] = receive(url)
    equal(len(message["Body"]), 1 << 20, "length")
    equal(message["Body"] == body, True, "same text")
    with raises(ClientError) as caught:
        send(url, body + "m")
    equal_error(caught[0], "InvalidParameterValue")


@check
def sqs_message_attributes():
    url = clients.sqs_queue(SQS)
    attributes = {
        "Hello": {"DataType": "String", "StringValue": "There"},
        "Help.Me": {"DataType": "String.note", "StringValue": "naïve <&>"},
        "price": {"DataType": "Number", "StringValue": "99.120"},
        "bytes": {"DataType": "Binary.gzip", "BinaryValue": bytes(range(256))},
    }
    sent = send(url, MessageAttributes=attributes)
    [all_of_them] = receive(url, MessageAttributeNames=["All"], VisibilityTimeout=0)
    equal(all_of_them["MessageAttributes"], attributes, "attributes")
    equal(all_of_them["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"], "MD5")
    [some] = receive(url, MessageAttributeNames=["Hel.*"], VisibilityTimeout=0)
    equal(sorted(some["MessageAttributes"]), ["Hello", "Help.Me"], "attributes with the prefix")
    [none] = receive(url, VisibilityTimeout=0)
    equal("MessageAttributes" in none, False, "MessageAttributes when none is asked for")


@check
def sqs_md5_of_message_attributes():
    url = clients.sqs_queue(SQS)
    one = send(url, MessageAttributes={"attr1": {"DataType": "Number", "StringValue": "99.12"}})
    equal(one["MD5OfMessageAttributes"], "d302007e9aa062660afc85fd0a482472", "a number")
    three = {"Hello": "There", "General": "Kenobi", "Help.Me": "Me"}
    sent = send(url, MessageAttributes={k: {"DataType": "String", "StringValue": v} for k, v in three.items()})
    equal(sent["MD5OfMessageAttributes"], "4c360f3fdafd970e05fae2f149d997f5", "three strings")


@check
def sqs_message_system_attributes():
    url = clients.sqs_queue(SQS)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    sent = send(url, MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}})
    equal(sent["MD5OfMessageSystemAttributes"], "5ae4d5d7636402d80f4eb6d213245a88", "MD5")
    [message] = receive(url, AttributeNames=["All"])
    shown = message["Attributes"]
    equal(shown["AWSTraceHeader"], trace, "trace header")
    equal(shown["ApproximateReceiveCount"], "1", "receive count")
    equal(int(shown["ApproximateFirstReceiveTimestamp"]) >= int(shown["SentTimestamp"]) > 1.7e12, True, "timestamps in ms")
    equal("SenderId" in shown, True, "has a sender")


@check
def sqs_visibility_timeout_of_zero_shows_the_message_again():
    url = clients.sqs_queue(SQS)
    send(url)
    [first] = receive(url)
    SQS.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    [second] = receive(url, AttributeNames=["ApproximateReceiveCount"])
    equal(second["MessageId"], first["MessageId"], "id")
    equal(second["Attributes"]["ApproximateReceiveCount"], "2", "receive count")
    SQS.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])  # the older handle still deletes
    equal(attribute(url, "ApproximateNumberOfMessagesNotVisible"), "0", "in flight after the delete")


@check
def sqs_visibility_timeout_passes():
    url = clients.sqs_queue(SQS, VisibilityTimeout="1")
    send(url)
    [first] = receive(url)
    [second] = receive(url, WaitTimeSeconds=10)
    equal(second["MessageId"], first["MessageId"], "id")


@check
def sqs_delayed_message_arrives_later():
    url = clients.sqs_queue(SQS)
    send(url, DelaySeconds=5)
    equal(attribute(url, "ApproximateNumberOfMessagesDelayed"), "1", "delayed")
    equal(receive(url), [], "received before the delay")
    equal(len(receive(url, WaitTimeSeconds=20)), 1, "messages after the delay")


@check
def sqs_long_poll_wakes_at_a_send():
    url = clients.sqs_queue(SQS)
    got = []
    poll = threading.Thread(target=lambda: got.extend(receive(url, WaitTimeSeconds=20)))
    poll.start()
    send(url)
    poll.join(60)
    equal([message["Body"] for message in got], ["hello"], "bodies")


@check
def sqs_receive_parameters_are_validated():
    url = clients.sqs_queue(SQS)
    for options in ({"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}, {"VisibilityTimeout": 43201}):
        with raises(ClientError) as caught:
            receive(url, **options)
        equal_error(caught[0], "InvalidParameterValue")


@check
def sqs_bad_receipt_handle_has_its_own_exception():
    url = clients.sqs_queue(SQS)
    with raises(SQS.exceptions.ReceiptHandleIsInvalid) as caught:
        SQS.delete_message(QueueUrl=url, ReceiptHandle="not-a-handle")
    equal_error(caught[0], "ReceiptHandleIsInvalid", 404)


@check
def sqs_batches():
    url = clients.sqs_queue(SQS)
    entries = [{"Id": "e%d" % n, "MessageBody": "body %d" % n} for n in range(10)]
    sent = SQS.send_message_batch(QueueUrl=url, Entries=entries)
    equal("Failed" in sent, False, "Failed when all succeeded")
    equal([entry["Id"] for entry in sent["Successful"]], ["e%d" % n for n in range(10)], "ids")
    messages = receive(url, MaxNumberOfMessages=10)
    equal(sorted(m["Body"] for m in messages), ["body %d" % n for n in range(10)], "bodies")
    handles = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages]
    changed = SQS.change_message_visibility_batch(QueueUrl=url, Entries=[dict(h, VisibilityTimeout=0) for h in handles])
    equal(len(changed["Successful"]), 10, "visibilities changed")
    messages = receive(url, MaxNumberOfMessages=10)
    handles = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages]
    deleted = SQS.delete_message_batch(QueueUrl=url, Entries=handles)
    equal(len(deleted["Successful"]), 10, "deleted")


@check
def sqs_batch_with_one_bad_entry():
    url = clients.sqs_queue(SQS, MaximumMessageSize="1024")
    sent = SQS.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "hello"},
            {"Id": "long", "MessageBody": "x" * 1025},
            {"Id": "bell", "MessageBody": "\x07"},
        ],
    )
    equal([entry["Id"] for entry in sent["Successful"]], ["good"], "successful")
    failed = {entry["Id"]: (entry["Code"], entry["SenderFault"]) for entry in sent["Failed"]}
    equal(failed, {"long": ("InvalidParameterValue", True), "bell": ("InvalidMessageContents", True)}, "failed")
    [message] = receive(url, MaxNumberOfMessages=10)
    deleted = SQS.delete_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "ReceiptHandle": message["ReceiptHandle"]},
            {"Id": "bad", "ReceiptHandle": "not-a-handle"},
        ],
    )
    equal([entry["Id"] for entry in deleted["Successful"]], ["good"], "deleted")
    equal([entry["Code"] for entry in deleted["Failed"]], ["ReceiptHandleIsInvalid"], "not deleted")


@check
def sqs_batches_that_fail_as_a_whole():
    url = clients.sqs_queue(SQS)
    entry = {"Id": "a", "MessageBody": "hello"}
    for kind, code, entries in (
        ("EmptyBatchRequest", "EmptyBatchRequest", []),
        ("TooManyEntriesInBatchRequest", "TooManyEntriesInBatchRequest", [dict(entry, Id="e%d" % n) for n in range(11)]),
        ("BatchEntryIdsNotDistinct", "BatchEntryIdsNotDistinct", [entry, entry]),
        ("InvalidBatchEntryId", "InvalidBatchEntryId", [dict(entry, Id="no spaces")]),
        ("BatchRequestTooLong", "BatchRequestTooLong", [dict(entry, Id="e%d" % n, MessageBody="x" * 600000) for n in range(2)]),
    ):
        with raises(getattr(SQS.exceptions, kind)) as caught:
            SQS.send_message_batch(QueueUrl=url, Entries=entries)
        equal_error(caught[0], "AWS.SimpleQueueService." + code)
    equal(receive(url), [], "messages sent by batches that failed")


@check
def sqs_purge_queue():
    url = clients.sqs_queue(SQS)
    for delay in (0, 0, 60):
        send(url, DelaySeconds=delay)
    receive(url)
    SQS.purge_queue(QueueUrl=url)
    for name in ("", "NotVisible", "Delayed"):
        equal(attribute(url, "ApproximateNumberOfMessages" + name), "0", "messages left, " + (name or "visible"))


@check
def sqs_resource_interface():
    queue = boto3.resource("sqs", **clients.aws_options()).create_queue(QueueName=clients.queue_name())
    queue.send_message(MessageBody="by resource", MessageAttributes={"k": {"DataType": "String", "StringValue": "x"}})
    [message] = queue.receive_messages(MessageAttributeNames=["All"])
    equal(message.body, "by resource", "body")
    equal(message.message_attributes["k"]["StringValue"], "x", "attribute")
    message.delete()
    queue.reload()
    equal(queue.attributes["ApproximateNumberOfMessagesNotVisible"], "0", "in flight")


@check
def sqs_resource_interface_of_many():
    service = boto3.resource("sqs", **clients.aws_options())
    name = clients.queue_name()
    queue = service.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})
    equal(service.get_queue_by_name(QueueName=name).url, queue.url, "queue by its name")
    equal([each.url for each in service.queues.filter(QueueNamePrefix=name)], [queue.url], "queues by a prefix")
    sent = queue.send_messages(Entries=[dict(Id=str(n), MessageBody="body %d" % n) for n in range(3)])
    equal(len(sent["Successful"]), 3, "sent")
    messages = queue.receive_messages(MaxNumberOfMessages=10, AttributeNames=["All"])
    equal(sorted(message.body for message in messages), ["body %d" % n for n in range(3)], "bodies")
    messages[0].change_visibility(VisibilityTimeout=0)
    equal([message.body for message in queue.receive_messages()], [messages[0].body], "shown again")
    queue.delete_messages(Entries=[dict(Id=str(n), ReceiptHandle=message.receipt_handle) for n, message in enumerate(messages)])
    queue.set_attributes(Attributes={"DelaySeconds": "5"})
    queue.reload()
    equal([queue.attributes[key] for key in ("ApproximateNumberOfMessagesNotVisible", "DelaySeconds")], ["0", "5"], "attributes")
    queue.purge()
    queue.delete()
    with raises(SQS.exceptions.QueueDoesNotExist):
        queue.load()


@check
def sqs_dead_letters_and_redrive():
    dead = clients.sqs_queue(SQS)
    arn = attribute(dead, "QueueArn")
    sources = [clients.sqs_queue(SQS, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})) for _ in range(2)]
    listed = SQS.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=dead, PaginationConfig={"PageSize": 1})
    equal(sorted(url for page in listed for url in page["queueUrls"]), sorted(sources), "sources")
    for url in sources:
        send(url, url, MessageAttributes={"k": {"DataType": "String", "StringValue": "x"}})
        equal([len(receive(url, VisibilityTimeout=0)) for _ in range(3)], [1, 1, 0], "receives")
    names = dict(AttributeNames=["All"], MessageAttributeNames=["All"], VisibilityTimeout=0, MaxNumberOfMessages=10)
    letters = {message["Body"]: message for message in receive(dead, **names)}
    equal(sorted(letters), sorted(sources), "dead letters")
    for url, message in letters.items():
        equal(message["Attributes"]["DeadLetterQueueSourceArn"], attribute(url, "QueueArn"), "source of a dead letter")
        equal(message["Attributes"]["ApproximateReceiveCount"], "3", "receive count")
        equal(message["MessageAttributes"]["k"]["StringValue"], "x", "attribute")
    SQS.start_message_move_task(SourceArn=arn)
    for url in sources:
        [message] = receive(url, WaitTimeSeconds=20)
        equal(message["Body"], url, "redriven message")


@check
def sqs_move_task_is_cancelled():
    dead, target = clients.sqs_queue(SQS), clients.sqs_queue(SQS)
    arn = attribute(dead, "QueueArn")
    clients.sqs_queue(SQS, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1}))
    SQS.send_message_batch(QueueUrl=dead, Entries=[dict(Id=str(n), MessageBody="body %d" % n) for n in range(10)])
    task = SQS.start_message_move_task(SourceArn=arn, DestinationArn=attribute(target, "QueueArn"), MaxNumberOfMessagesPerSecond=1)
    with raises(ClientError) as caught:
        SQS.start_message_move_task(SourceArn=arn)
    equal_error(caught[0], "InvalidParameterValue")
    [running] = SQS.list_message_move_tasks(SourceArn=arn)["Results"]
    equal([running["Status"], running["TaskHandle"]], ["RUNNING", task["TaskHandle"]], "task")
    SQS.cancel_message_move_task(TaskHandle=task["TaskHandle"])
    with raises(SQS.exceptions.ResourceNotFoundException):
        SQS.list_message_move_tasks(SourceArn=arn + "-missing")
    left = int(attribute(dead, "ApproximateNumberOfMessages"))
    equal(left > 0, True, "messages left, %d" % left)


def fifo_queue(**attributes):
    name = clients.queue_name() + ".fifo"
    return SQS.create_queue(QueueName=name, Attributes=dict({"FifoQueue": "true"}, **attributes))["QueueUrl"]


@check
def sqs_fifo_keeps_the_order_of_a_group():
    url = fifo_queue(ContentBasedDeduplication="true")
    entries = [dict(Id=str(n), MessageBody=str(n), MessageGroupId="g%d" % (n % 2)) for n in range(8)]
    sent = SQS.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
    sequence = [int(result["SequenceNumber"]) for result in sent]
    equal(sequence, sorted(set(sequence)), "sequence numbers, in order and distinct")
    first = receive(url, MaxNumberOfMessages=2, AttributeNames=["All"])
    equal([message["Body"] for message in first], ["0", "2"], "the first receive")
    equal([int(message["Attributes"]["SequenceNumber"]) for message in first], [sequence[0], sequence[2]], "their numbers")
    second = receive(url, MaxNumberOfMessages=10)
    equal([message["Body"] for message in second], ["1", "3", "5", "7"], "while one group is in flight")
    SQS.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    equal(receive(url), [], "while one of the group is still in flight")
    SQS.change_message_visibility(QueueUrl=url, ReceiptHandle=first[1]["ReceiptHandle"], VisibilityTimeout=0)
    equal([message["Body"] for message in receive(url, MaxNumberOfMessages=10)], ["2", "4", "6"], "after it was given back")


@check
def sqs_fifo_deduplicates():
    url = fifo_queue()
    first = send(url, "one", MessageGroupId="g", MessageDeduplicationId="d")
    again = send(url, "another body", MessageGroupId="g", MessageDeduplicationId="d")
    for name in ("MessageId", "SequenceNumber"):
        equal(again[name], first[name], name)
    equal(again["MD5OfMessageBody"], hashlib.md5(b"another body").hexdigest(), "MD5 of the request's own body")
    [message] = receive(url, MaxNumberOfMessages=10)
    equal(message["Body"], "one", "body")
    SQS.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    send(url, "after the delete", MessageGroupId="g", MessageDeduplicationId="d")
    equal(receive(url), [], "a duplicate of a deleted message")


@check
def sqs_fifo_receive_is_tried_again():
    url = fifo_queue(ContentBasedDeduplication="true")
    send(url, MessageGroupId="g")
    [message] = receive(url, ReceiveRequestAttemptId="first")
    equal([again["ReceiptHandle"] for again in receive(url, ReceiveRequestAttemptId="first")], [message["ReceiptHandle"]], "the same attempt")
    equal(receive(url, ReceiveRequestAttemptId="second"), [], "another attempt")


@check
def sqs_fifo_parameters_are_validated():
    url = fifo_queue()
    with raises(ClientError) as caught:
        send(url, MessageDeduplicationId="d")
    equal_error(caught[0], "MissingParameter")
    for options in (dict(MessageGroupId="g"), dict(MessageGroupId="g g", MessageDeduplicationId="d"), dict(MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=1)):
        with raises(ClientError) as caught:
            send(url, **options)
        equal_error(caught[0], "InvalidParameterValue")
    with raises(ClientError) as caught:
        SQS.create_queue(QueueName=clients.queue_name() + ".fifo")
    equal_error(caught[0], "InvalidParameterValue")
