"""Presigned URLs, on a server that verifies signatures."""

import datetime
import re

import boto3

import clients
from checking import check, equal
from presigning import fetch, presigned

OWN = (clients.ACCESS_KEY, clients.SECRET_KEY)
BODY = "by link +1 & Ω"
SEND = {"Action": "SendMessage", "MessageBody": BODY}


def bodies(queue):
    return [message["Body"] for message in clients.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])]


def does(key):
    queue = clients.sqs_queue(clients.sqs())
    status, answer = fetch(presigned(queue, key, SEND))
    equal(status, 200, answer)
    equal(bodies(queue), [BODY], "bodies")


def refused(url, status, code):
    got, answer = fetch(url)
    equal((got, "<Code>%s</Code>" % code in answer), (status, True), url + ": " + answer)


@check
def a_presigned_url_does_what_it_was_made_for():
    does(OWN)


@check
def a_presigned_url_is_good_as_it_is():
    queue = clients.sqs_queue(clients.sqs())
    good = presigned(queue, OWN, SEND)
    refused(good.replace("SendMessage", "PurgeQueue"), 403, "SignatureDoesNotMatch")
    refused(good.replace("by%20link", "another"), 403, "SignatureDoesNotMatch")
    refused(good.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), 403, "SignatureDoesNotMatch")
    refused(good + "&DelaySeconds=1", 403, "SignatureDoesNotMatch")
    refused(re.sub("&X-Amz-Signature=[0-9a-f]+", "", good), 400, "IncompleteSignature")
    equal(bodies(queue), [], "bodies")


@check
def a_presigned_url_ends():
    queue = clients.sqs_queue(clients.sqs())
    refused(presigned(queue, OWN, SEND, age=datetime.timedelta(hours=1)), 403, "SignatureDoesNotMatch")
    equal(bodies(queue), [], "bodies")


@check
def a_presigned_url_of_a_session():
    sts = boto3.client("sts", **clients.aws_options())
    key, another = (sts.get_session_token()["Credentials"] for _ in range(2))
    own = (key["AccessKeyId"], key["SecretAccessKey"])
    does(own + (key["SessionToken"],))
    queue = clients.sqs_queue(clients.sqs())
    refused(presigned(queue, own + (another["SessionToken"],), SEND), 403, "InvalidClientTokenId")
    good = presigned(queue, own + (key["SessionToken"],), SEND)
    refused(re.sub("&X-Amz-Security-Token=[^&]+", "", good), 403, "SignatureDoesNotMatch")
    equal(bodies(queue), [], "bodies")


@check
def a_presigned_call_of_sts():
    options = clients.aws_options()
    key = boto3.client("sts", **options).get_session_token()["Credentials"]
    options.update(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], aws_session_token=key["SessionToken"])
    good = boto3.client("sts", **options).generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    status, answer = fetch(good)
    equal((status, "<Account>" in answer), (200, True), answer)
    refused(good.replace("Action=GetCallerIdentity", "Action=GetSessionToken"), 403, "SignatureDoesNotMatch")
