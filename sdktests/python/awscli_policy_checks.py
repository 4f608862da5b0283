"""Users, profiles and roles with the AWS CLI, on a server that enforces policies. POLYMQ_ACCESS_KEY is an account's own."""

import configparser
import os
import shlex
import uuid

from awscli_shell import ENDPOINT, OLD, PROGRAM, aws, create, file, refused
from checking import check, equal


def policy(*statements):
    return file({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return dict({"Effect": "Allow", "Action": action, "Resource": resource}, **more)


def profile(**settings):
    """Adds a profile to the configuration file, and gives the arguments that choose it."""
    name = "p" + uuid.uuid4().hex[:12]
    config = configparser.RawConfigParser()
    config["profile " + name] = settings
    with open(os.environ["AWS_CONFIG_FILE"], "a", encoding="utf-8") as written:
        config.write(written)
    return "--profile", name


def user():
    """A new user: its name, and the arguments that choose the profile with its key."""
    name = "u" + uuid.uuid4().hex[:12]
    aws("create-user", "--user-name", name, service="iam")
    key = aws("create-access-key", "--user-name", name, service="iam")["AccessKey"]
    return name, profile(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])


def contains(text, *parts):
    for part in parts:
        assert part in text, text


@check
def awscli_policy_of_a_user():
    url = create()
    name, as_user = user()
    equal(aws("get-caller-identity", *as_user, service="sts")["Arn"].endswith(":user/" + name), True, "who")
    contains(refused("send-message", "--queue-url", url, "--message-body", "hello", *as_user), "(AccessDenied", "sqs:sendmessage")
    made = aws("create-policy", "--policy-name", name, "--policy-document", policy(allow("sqs:SendMessage")), service="iam")["Policy"]
    aws("attach-user-policy", "--user-name", name, "--policy-arn", made["Arn"], service="iam")
    aws("send-message", "--queue-url", url, "--message-body", "hello", *as_user)
    contains(refused("purge-queue", "--queue-url", url, *as_user), "(AccessDenied", "user/" + name + " is not authorized to perform: sqs:purgequeue", "because no identity-based policy allows")
    contains(refused("list-users", *as_user, service="iam"), "(AccessDenied", "iam:ListUsers")
    aws("detach-user-policy", "--user-name", name, "--policy-arn", made["Arn"], service="iam")
    contains(refused("send-message", "--queue-url", url, "--message-body", "hello", *as_user), "(AccessDenied")


@check
def awscli_profile_assumes_a_role():
    url = create()
    name, as_user = user()
    account = aws("get-caller-identity", service="sts")["Account"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::%s:user/%s" % (account, name)}, "Action": "sts:AssumeRole"})
    role = aws("create-role", "--role-name", name, "--assume-role-policy-document", trust, service="iam")["Role"]
    aws("put-role-policy", "--role-name", name, "--policy-name", "p", "--policy-document", policy(allow("sqs:SendMessage")), service="iam")
    if OLD:  # its assumed roles know no endpoint but AWS's
        query = "{Version: `1`, AccessKeyId: Credentials.AccessKeyId, SecretAccessKey: Credentials.SecretAccessKey, SessionToken: Credentials.SessionToken}"
        assume = [PROGRAM, "--endpoint-url", ENDPOINT, "sts", "assume-role", "--role-arn", role["Arn"], "--role-session-name", "build", "--query", query, *as_user]
        as_role = profile(credential_process=shlex.join(assume))
    else:
        as_role = profile(role_arn=role["Arn"], source_profile=as_user[1], role_session_name="build", endpoint_url=ENDPOINT)
    equal(aws("get-caller-identity", *as_role, service="sts")["Arn"], "arn:aws:sts::%s:assumed-role/%s/build" % (account, name), "who")
    aws("send-message", "--queue-url", url, "--message-body", "hello", *as_role)
    contains(refused("receive-message", "--queue-url", url, *as_role), "(AccessDenied", "assumed-role/" + name + "/build")
    _, stranger = user()
    contains(refused("assume-role", "--role-arn", role["Arn"], "--role-session-name", "build", *stranger, service="sts"), "(AccessDenied", "sts:AssumeRole")
