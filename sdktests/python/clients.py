"""Clients of the SDKs, set up as an application would, but for the endpoint."""

import os
import uuid

import boto3
from botocore.config import Config

ENDPOINT = os.environ.get("POLYMQ_ENDPOINT", "http://127.0.0.1:4566")
ACCESS_KEY = os.environ.get("POLYMQ_ACCESS_KEY", "test")
SECRET_KEY = os.environ.get("POLYMQ_SECRET_KEY", "test")  # counts where the server verifies signatures
TOKEN = os.environ.get("POLYMQ_SECURITY_TOKEN")  # of temporary keys


def aws_options():
    return dict(
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        aws_session_token=TOKEN,
        config=Config(retries={"max_attempts": 1}),
    )


def sqs():
    return boto3.client("sqs", **aws_options())


def mns():
    from mns.account import Account  # absent beside the boto3 of the query protocol

    return Account(ENDPOINT, ACCESS_KEY, SECRET_KEY, TOKEN or "")


def queue_name(prefix="orders"):
    """A name that no other check uses, valid in SQS and MNS."""
    return "%s-%s" % (prefix, uuid.uuid4().hex[:12])


def sqs_queue(client, **attributes):
    return client.create_queue(QueueName=queue_name(), Attributes=attributes)["QueueUrl"]


def mns_queue(account, meta=None):
    from mns.queue import QueueMeta

    queue = account.get_queue(queue_name())
    queue.create(meta or QueueMeta())
    return queue
