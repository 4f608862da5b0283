"""What clients do whose every request is refused once as one that is too often."""

import boto3
from botocore.config import Config
from mns.mns_exception import MNSServerException

import clients
from checking import check, equal, raises

CALLS = {
    "sqs": lambda client: client.list_queues(),
    "sns": lambda client: client.create_topic(Name="news"),
    "sts": lambda client: client.get_caller_identity(),
    "iam": lambda client: client.list_users(),
}


@check
def boto3_tries_again_in_each_of_its_modes():
    for service, call in CALLS.items():
        for mode in ("legacy", "standard", "adaptive"):
            client = boto3.client(service, **dict(clients.aws_options(), config=Config(retries={"mode": mode})))
            equal(call(client)["ResponseMetadata"]["RetryAttempts"], 1, "%s, %s" % (service, mode))


@check
def mns_says_that_it_is_too_often():
    account = clients.mns()
    with raises(MNSServerException) as caught:
        account.list_queue()
    equal(caught[0].type, "QpsLimitExceeded", "error")
    account.list_queue()
