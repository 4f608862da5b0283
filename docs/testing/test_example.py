"""pytest docs/testing, with a server at POLYMQ_ENDPOINT."""

import boto3
import pytest

from polymq_fixture import polymq  # noqa: F401 - a fixture


def test_waits_and_moves_time(polymq):
    sqs = boto3.client("sqs", **polymq.boto3)
    url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="order 7 is paid")
    assert polymq.wait("orders", "paid")["body"] == "order 7 is paid"
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    polymq.advance(3600)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_begins_with_nothing(polymq):
    sqs = boto3.client("sqs", **polymq.boto3)
    assert "QueueUrls" not in sqs.list_queues()
    sqs.create_queue(QueueName="orders")
    with pytest.raises(RuntimeError, match="MessageNotFound"):
        polymq.wait("orders", timeout=0)
    polymq.reset()
    assert "QueueUrls" not in sqs.list_queues()
