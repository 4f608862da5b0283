"""What MNS and SQS promise each other: one queue, one text, whichever SDK writes and whichever reads."""

from mns.mns_exception import MNSServerException
from mns.queue import Message

import clients
from checking import TEXTS, check, equal, raises

SQS = clients.sqs()
ACCOUNT = clients.mns()


@check
def cross_queue_of_mns_is_a_queue_of_sqs():
    queue = clients.mns_queue(ACCOUNT)
    url = SQS.get_queue_url(QueueName=queue.queue_name)["QueueUrl"]
    equal(url in SQS.list_queues(QueueNamePrefix=queue.queue_name)["QueueUrls"], True, "listed by SQS")
    SQS.delete_queue(QueueUrl=url)
    with raises(MNSServerException) as caught:
        queue.get_attributes()
    equal(caught[0].type, "QueueNotExist", "code")


@check
def cross_queue_of_sqs_is_a_queue_of_mns():
    url = clients.sqs_queue(SQS, VisibilityTimeout="45")
    queue = ACCOUNT.get_queue(url.rsplit("/", 1)[1])
    equal(queue.get_attributes().visibility_timeout, 45, "visibility timeout")


@check
def cross_text_from_mns_to_sqs():
    queue = clients.mns_queue(ACCOUNT)
    url = SQS.get_queue_url(QueueName=queue.queue_name)["QueueUrl"]
    for name, text in TEXTS.items():
        queue.send_message(Message(text))
        [message] = SQS.receive_message(QueueUrl=url)["Messages"]
        equal(message["Body"], text, name)
        SQS.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@check
def cross_text_from_sqs_to_mns():
    url = clients.sqs_queue(SQS)
    queue = ACCOUNT.get_queue(url.rsplit("/", 1)[1])
    for name, text in TEXTS.items():
        SQS.send_message(QueueUrl=url, MessageBody=text)
        message = queue.receive_message_with_str_body()
        equal(message.message_body, text, name)
        queue.delete_message(message.receipt_handle)


@check
def cross_message_in_flight_is_hidden_from_both():
    queue = clients.mns_queue(ACCOUNT)
    url = SQS.get_queue_url(QueueName=queue.queue_name)["QueueUrl"]
    queue.send_message(Message("hello"))
    message = queue.receive_message()
    equal("Messages" in SQS.receive_message(QueueUrl=url), False, "received by SQS")
    queue.delete_message(message.receipt_handle)
    SQS.send_message(QueueUrl=url, MessageBody="hello")
    SQS.receive_message(QueueUrl=url)
    with raises(MNSServerException) as caught:
        queue.receive_message(0)
    equal(caught[0].type, "MessageNotExist", "code")
