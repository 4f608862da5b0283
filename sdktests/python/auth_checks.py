"""Signatures, on a server that verifies them."""

import boto3
from botocore.exceptions import ClientError

import clients
from checking import check, equal, raises
from presigning import fetch, presigned


def own(secret=None):
    return clients.ACCESS_KEY, secret or clients.SECRET_KEY


def session(**options):
    """Clients with the keys of an assumed role."""
    sts = boto3.client("sts", **clients.aws_options())
    keys = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/worker", RoleSessionName="checks", **options)["Credentials"]
    return dict(
        clients.aws_options(),
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@check
def signed_requests_are_good():
    sqs = clients.sqs()
    url = clients.sqs_queue(sqs)
    sqs.send_message(QueueUrl=url, MessageBody="naïve Ω 100% a+b &c=d")
    equal(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], "naïve Ω 100% a+b &c=d")


@check
def a_wrong_secret_is_refused():
    sqs = boto3.client("sqs", **dict(clients.aws_options(), aws_secret_access_key="wrong"))
    with raises(ClientError) as caught:
        sqs.list_queues()
    equal(caught[0].response["Error"]["Code"], "SignatureDoesNotMatch")
    equal(caught[0].response["ResponseMetadata"]["HTTPStatusCode"], 403)


@check
def an_unknown_key_is_refused():
    sqs = boto3.client("sqs", **dict(clients.aws_options(), aws_access_key_id="AKIDNONE"))
    with raises(ClientError) as caught:
        sqs.list_queues()
    equal(caught[0].response["Error"]["Code"], "InvalidClientTokenId")


@check
def a_presigned_url_does_one_thing():
    sqs = clients.sqs()
    name = clients.queue_name()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    link = presigned(clients.ENDPOINT + "/", own(), {"Version": "2012-11-05", "Action": "SendMessage", "QueueUrl": url, "MessageBody": "by link +1"})
    equal(fetch(link)[0], 200, "status")
    equal(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], "by link +1")
    status, answer = fetch(link.replace("Action=SendMessage", "Action=DeleteQueue"))
    equal((status, "SignatureDoesNotMatch" in answer), (403, True), "another action")
    status, answer = fetch(link.split("&X-Amz-Signature")[0])
    equal((status, "IncompleteSignature" in answer), (400, True), "without its signature")
    equal(fetch(presigned(clients.ENDPOINT + "/", own("wrong"), {"Action": "ListQueues"}))[0], 403, "with a wrong secret")


@check
def presigned_sts_says_who():
    sts = boto3.client("sts", **clients.aws_options())
    status, answer = fetch(sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET"))
    equal((status, "<Account>000000000000</Account>" in answer), (200, True), answer)


@check
def an_assumed_role_can_use_queues():
    options = session(DurationSeconds=900)
    equal(boto3.client("sts", **options).get_caller_identity()["Arn"], "arn:aws:sts::000000000000:assumed-role/worker/checks")
    sqs = boto3.client("sqs", **options)
    url = clients.sqs_queue(sqs)
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    equal(clients.sqs().receive_message(QueueUrl=url)["Messages"][0]["Body"], "hello")


@check
def a_session_needs_its_token():
    for token in (None, "another"):
        sqs = boto3.client("sqs", **dict(session(), aws_session_token=token))
        with raises(ClientError) as caught:
            sqs.list_queues()
        equal(caught[0].response["Error"]["Code"], "InvalidClientTokenId")
