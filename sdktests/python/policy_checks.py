"""Policies, on a server that enforces them. POLYMQ_ACCESS_KEY is an account's own, POLYMQ_OTHER_ACCESS_KEY another's."""

import json
import os
import uuid

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import clients
from checking import check, equal, raises
from presigning import fetch, presigned


OTHER_ACCOUNT = os.environ["POLYMQ_OTHER_ACCOUNT"]
OTHER = {"AccessKeyId": os.environ["POLYMQ_OTHER_ACCESS_KEY"], "SecretAccessKey": os.environ["POLYMQ_OTHER_SECRET_KEY"]}


def account():
    return boto3.client("sts", **clients.aws_options()).get_caller_identity()["Account"]


def options(key):
    return dict(clients.aws_options(), aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], aws_session_token=key.get("SessionToken"))


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return dict({"Effect": "Allow", "Action": action, "Resource": resource}, **more)


def user(*statements):
    """The key of a new user with these statements."""
    iam = boto3.client("iam", **clients.aws_options())
    name = "u" + uuid.uuid4().hex[:12]
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return dict(iam.create_access_key(UserName=name)["AccessKey"], UserName=name)


def denied(call, *texts):
    with raises(ClientError) as caught:
        call()
    error = caught[0].response
    equal(error["ResponseMetadata"]["HTTPStatusCode"], 403)
    for text in texts:
        assert text in error["Error"]["Code"] + " " + error["Error"]["Message"], error


@check
def a_user_may_what_its_policy_allows():
    url = clients.sqs_queue(clients.sqs())
    key = user(allow("sqs:SendMessage", "arn:aws:sqs:*:*:orders-*"))
    sqs = boto3.client("sqs", **options(key))
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "hello"}])
    denied(lambda: sqs.receive_message(QueueUrl=url), "AccessDenied", "user/" + key["UserName"], "sqs:receivemessage", "because no identity-based policy allows")
    denied(sqs.list_queues, "AccessDenied", "sqs:listqueues")


@check
def deny_wins():
    url = clients.sqs_queue(clients.sqs())
    sqs = boto3.client("sqs", **options(user(allow("*"), {"Effect": "Deny", "Action": "sqs:Purge*", "Resource": "*"})))
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    denied(lambda: sqs.purge_queue(QueueUrl=url), "AccessDenied", "with an explicit deny in an identity-based policy")


@check
def managed_policies_and_boundaries_count():
    key = user()
    iam = boto3.client("iam", **clients.aws_options())
    sqs = boto3.client("sqs", **options(key))
    denied(sqs.list_queues, "AccessDenied")
    iam.attach_user_policy(UserName=key["UserName"], PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
    sqs.list_queues()
    iam.put_user_permissions_boundary(UserName=key["UserName"], PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess")
    denied(sqs.list_queues, "AccessDenied", "because no permissions boundary allows")


@check
def an_assumed_role_is_bound_by_its_session():
    iam = boto3.client("iam", **clients.aws_options())
    name = "r" + uuid.uuid4().hex[:12]
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account()}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("sqs:*")))
    url = clients.sqs_queue(clients.sqs())
    stranger = boto3.client("sts", **options(user()))
    denied(lambda: stranger.assume_role(RoleArn=role["Arn"], RoleSessionName="checks"), "AccessDenied", "sts:AssumeRole")
    assumer = boto3.client("sts", **options(user(allow("sts:AssumeRole", role["Arn"]))))
    whole = boto3.client("sqs", **options(assumer.assume_role(RoleArn=role["Arn"], RoleSessionName="checks")["Credentials"]))
    whole.purge_queue(QueueUrl=url)
    bounded = assumer.assume_role(RoleArn=role["Arn"], RoleSessionName="checks", Policy=policy(allow("sqs:SendMessage")))["Credentials"]
    sqs = boto3.client("sqs", **options(bounded))
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    denied(lambda: sqs.receive_message(QueueUrl=url), "AccessDenied", "assumed-role/" + name + "/checks", "because no session policy allows")


@check
def add_permission_lets_another_account_in():
    url = clients.sqs_queue(clients.sqs())
    other = boto3.client("sqs", **options(OTHER))
    denied(lambda: other.send_message(QueueUrl=url, MessageBody="hello"), "AccessDenied")
    clients.sqs().add_permission(QueueUrl=url, Label="them", AWSAccountIds=[OTHER_ACCOUNT], Actions=["SendMessage"])
    other.send_message(QueueUrl=url, MessageBody="hello")
    denied(lambda: other.receive_message(QueueUrl=url), "AccessDenied")
    clients.sqs().remove_permission(QueueUrl=url, Label="them")
    denied(lambda: other.send_message(QueueUrl=url, MessageBody="hello"), "AccessDenied")


@check
def a_presigned_url_may_what_its_signer_may():
    url = clients.sqs_queue(clients.sqs())
    key = user(allow("sqs:SendMessage"))

    def get(**parameters):
        return fetch(presigned(url, (key["AccessKeyId"], key["SecretAccessKey"]), parameters))

    status, answer = get(Action="SendMessage", MessageBody="by link")
    equal(status, 200, answer)
    status, answer = get(Action="PurgeQueue")
    equal((status, "<Code>AccessDenied</Code>" in answer), (403, True), "answer")
    equal(clients.sqs().receive_message(QueueUrl=url)["Messages"][0]["Body"], "by link")


@check
def a_session_needs_the_token_that_it_came_with():
    keys = [boto3.client("sts", **clients.aws_options()).get_session_token()["Credentials"] for _ in range(2)]
    boto3.client("sqs", **options(keys[0])).list_queues()
    denied(boto3.client("sqs", **options(dict(keys[0], SessionToken=keys[1]["SessionToken"]))).list_queues, "InvalidClientTokenId")


@check
def a_queue_of_everybody_needs_no_signature():
    url = clients.sqs_queue(clients.sqs())
    anybody = boto3.client("sqs", **dict(clients.aws_options(), config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1})))
    denied(lambda: anybody.send_message(QueueUrl=url, MessageBody="hello"), "MissingAuthenticationToken")
    clients.sqs().set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allow("sqs:SendMessage", Principal="*"))})
    anybody.send_message(QueueUrl=url, MessageBody="hello")
    denied(lambda: anybody.receive_message(QueueUrl=url), "MissingAuthenticationToken")


@check
def topics_too():
    topic = boto3.client("sns", **clients.aws_options()).create_topic(Name=clients.queue_name("news"))["TopicArn"]
    sns = boto3.client("sns", **options(user(allow("sns:Publish", topic))))
    sns.publish(TopicArn=topic, Message="hello")
    denied(lambda: sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+12025550123"), "AuthorizationError", "SNS:Subscribe")
