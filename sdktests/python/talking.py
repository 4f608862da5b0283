"""Sends and receives what it is told on standard input, so that one SDK's messages can be read with another's."""

import json
import sys

import clients


class Sqs:
    def __init__(self):
        self.client = clients.sqs()

    def url(self, queue):
        return self.client.get_queue_url(QueueName=queue)["QueueUrl"]

    def send(self, queue, text):
        self.client.send_message(QueueUrl=self.url(queue), MessageBody=text)

    def receive(self, queue):
        url = self.url(queue)
        [message] = self.client.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
        self.client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message["Body"]


class Mns:
    def __init__(self):
        self.account = clients.mns()

    def send(self, queue, text):
        from mns.queue import Message

        self.account.get_queue(queue).send_message(Message(text))

    def receive(self, queue):
        queue = self.account.get_queue(queue)
        message = queue.receive_message_with_str_body(5)
        queue.delete_message(message.receipt_handle)
        return message.message_body


def talk(sdk):
    client = {"sqs": Sqs, "mns": Mns}[sdk]()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "send":
                answer = {"text": client.send(request["queue"], request["text"])}
            else:
                answer = {"text": client.receive(request["queue"])}
        except Exception as error:
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps(answer), flush=True)
