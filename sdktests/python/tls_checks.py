"""Clients of a server that has an authority of its own, whose certificate is at POLYMQ_CA: they trust what they are told."""

import os

import boto3
from botocore.exceptions import SSLError
from mns.mns_exception import MNSClientNetworkException

import clients
from checking import check, equal, raises

CALLS = {
    "sqs": lambda client: client.create_queue(QueueName=clients.queue_name()),
    "sns": lambda client: client.create_topic(Name=clients.queue_name()),
    "sts": lambda client: client.get_caller_identity(),
    "iam": lambda client: client.list_users(),
}


@check
def boto3_trusts_the_bundle_it_is_given():
    for service, call in CALLS.items():
        call(boto3.client(service, verify=os.environ["POLYMQ_CA"], **clients.aws_options()))


@check
def boto3_does_not_trust_it_else():
    equal(clients.ENDPOINT[:8], "https://", "endpoint")
    for service, call in CALLS.items():
        with raises(SSLError) as caught:
            call(boto3.client(service, **clients.aws_options()))
        equal("CERTIFICATE_VERIFY_FAILED" in str(caught[0]), True, service + ": " + str(caught[0]))


@check
def mns_does_not_trust_it_else():
    with raises(MNSClientNetworkException) as caught:
        clients.mns().list_queue()
    equal("CERTIFICATE_VERIFY_FAILED" in str(caught[0]), True, str(caught[0]))
