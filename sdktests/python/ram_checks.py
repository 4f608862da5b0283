"""Users, policies and roles of RAM, made with its clients of today and of before, on a server that enforces policies:
what the MNS SDK, SMQ's control plane and STS then allow. POLYMQ_ACCESS_KEY is an account's own."""

import json
import os
import urllib.request
import uuid

from alibabacloud_mns_open20220119 import models as control_models
from alibabacloud_mns_open20220119.client import Client as Control
from alibabacloud_ram20150501 import models as ram_models
from alibabacloud_ram20150501.client import Client as RAM
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_sts20150401.client import Client as STS
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkram.request.v20150501 import (
    AttachPolicyToUserRequest, CreateAccessKeyRequest, CreatePolicyRequest, CreateUserRequest, DetachPolicyFromUserRequest, ListPoliciesForUserRequest,
)
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message, QueueMeta

from checking import check, equal, raises

ENDPOINT = os.environ["POLYMQ_ENDPOINT"]
HOST = ENDPOINT.split("://")[1]
KEY = (os.environ["POLYMQ_ACCESS_KEY"], os.environ["POLYMQ_SECRET_KEY"], None)


def config(key=KEY, **more):
    return Config(access_key_id=key[0], access_key_secret=key[1], security_token=key[2], endpoint=HOST, protocol="http", **more)


def old(request, key=KEY, **parameters):
    """What RAM's old client is answered."""
    request.set_endpoint(HOST)
    request.set_protocol_type("http")
    for parameter, value in parameters.items():
        getattr(request, "set_" + parameter)(value)
    return json.loads(AcsClient(key[0], key[1], "cn-hangzhou").do_action_with_exception(request))


def name(prefix="u"):
    return prefix + uuid.uuid4().hex[:12]


def policy(*statements):
    return json.dumps({"Version": "1", "Statement": list(statements)})


def allow(action, resource="*"):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def queue(key=KEY, queue_name=None):
    return Account(ENDPOINT, key[0], key[1], key[2] or "").get_queue(queue_name or name("orders-"))


def user(*statements):
    """A new user with these statements: its name and its key."""
    ram, user_name = RAM(config()), name()
    ram.create_user(ram_models.CreateUserRequest(user_name=user_name))
    if statements:
        ram.create_policy(ram_models.CreatePolicyRequest(policy_name=user_name, policy_document=policy(*statements)))
        ram.attach_policy_to_user(ram_models.AttachPolicyToUserRequest(policy_type="Custom", policy_name=user_name, user_name=user_name))
    made = ram.create_access_key(ram_models.CreateAccessKeyRequest(user_name=user_name)).body.access_key
    return user_name, (made.access_key_id, made.access_key_secret, None)


def denied(call, kind, code, *texts):
    with raises(kind) as caught:
        call()
    error = caught[0]
    equal(getattr(error, "code", None) or getattr(error, "type", None) or error.error_code, code, "code")
    for text in texts:
        assert text in str(error), error


@check
def ram_user_may_what_its_policy_allows():
    mine = queue()
    mine.create(QueueMeta())
    user_name, key = user(allow("mns:SendMessage", "acs:mns:*:*:/queues/orders-*/messages"))
    equal(STS(config(key)).get_caller_identity().body.arn.endswith(":user/" + user_name), True, "who")
    theirs = queue(key, mine.queue_name)
    theirs.send_message(Message("hello"))
    denied(theirs.receive_message, MNSServerException, "AccessDenied", "mns:ReceiveMessage")
    denied(theirs.delete, MNSServerException, "AccessDenied", "mns:DeleteQueue")
    equal(mine.receive_message().message_body, b"hello", "body")


@check
def ram_policies_hold_for_the_control_plane():
    _, key = user(allow("mns:CreateQueue"), {"Effect": "Deny", "Action": "mns:*", "Resource": "acs:mns:*:*:/queues/secret-*"})
    for algorithm in (None, "v2"):
        control = Control(config(key, signature_algorithm=algorithm))
        control.create_queue(control_models.CreateQueueRequest(queue_name=name("orders-")))
        denied(lambda: control.create_queue(control_models.CreateQueueRequest(queue_name=name("secret-"))), Exception, "NoPermission")
        denied(lambda: control.list_queue(control_models.ListQueueRequest()), Exception, "NoPermission", "mns:ListQueue")
    denied(lambda: RAM(config(key)).list_users(ram_models.ListUsersRequest()), Exception, "NoPermission", "ram:ListUsers")


@check
def ram_old_client():
    user_name = name()
    old(CreateUserRequest.CreateUserRequest(), UserName=user_name)
    old(CreatePolicyRequest.CreatePolicyRequest(), PolicyName=user_name, PolicyDocument=policy(allow("mns:*", "acs:mns:*:*:/queues/" + user_name + "*")))
    attached = dict(PolicyType="Custom", PolicyName=user_name, UserName=user_name)
    old(AttachPolicyToUserRequest.AttachPolicyToUserRequest(), **attached)
    made = old(CreateAccessKeyRequest.CreateAccessKeyRequest(), UserName=user_name)["AccessKey"]
    key = (made["AccessKeyId"], made["AccessKeySecret"], None)
    [listed] = old(ListPoliciesForUserRequest.ListPoliciesForUserRequest(), UserName=user_name)["Policies"]["Policy"]
    equal((listed["PolicyName"], listed["PolicyType"]), (user_name, "Custom"), "policy")
    theirs = queue(key, user_name)
    theirs.create(QueueMeta())
    theirs.send_message(Message("hello"))
    equal(theirs.receive_message().message_body, b"hello", "body")
    denied(lambda: old(CreateUserRequest.CreateUserRequest(), key, UserName=name()), ServerException, "NoPermission", "ram:CreateUser")
    old(DetachPolicyFromUserRequest.DetachPolicyFromUserRequest(), **attached)
    denied(lambda: theirs.send_message(Message("hello")), MNSServerException, "AccessDenied", "mns:SendMessage")


def role(*statements):
    """A new role of the account with these statements: its ARN."""
    ram, role_name = RAM(config()), name("r")
    account = STS(config()).get_caller_identity().body.account_id
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": ["acs:ram::%s:root" % account]}})
    arn = ram.create_role(ram_models.CreateRoleRequest(role_name=role_name, assume_role_policy_document=trust)).body.role.arn
    ram.create_policy(ram_models.CreatePolicyRequest(policy_name=role_name, policy_document=policy(*statements)))
    ram.attach_policy_to_role(ram_models.AttachPolicyToRoleRequest(policy_type="Custom", policy_name=role_name, role_name=role_name))
    return arn


def assume(key, arn, session_policy=None):
    made = STS(config(key)).assume_role(sts_models.AssumeRoleRequest(role_arn=arn, role_session_name="build", duration_seconds=900, policy=session_policy)).body.credentials
    return made.access_key_id, made.access_key_secret, made.security_token


@check
def ram_role_is_bound_by_its_session():
    mine = queue()
    mine.create(QueueMeta())
    arn = role(allow("mns:*", "acs:mns:*:*:/queues/" + mine.queue_name + "*"))
    _, stranger = user()
    denied(lambda: assume(stranger, arn), Exception, "NoPermission", "sts:AssumeRole")
    _, key = user(allow("sts:AssumeRole", arn))
    whole = queue(assume(key, arn), mine.queue_name)
    whole.send_message(Message("hello"))
    whole.get_attributes()
    denied(lambda: queue(assume(key, arn)).create(QueueMeta()), MNSServerException, "AccessDenied", "mns:CreateQueue")
    bounded = queue(assume(key, arn, policy(allow("mns:SendMessage"))), mine.queue_name)
    bounded.send_message(Message("hello"))
    denied(bounded.receive_message, MNSServerException, "AccessDenied", "mns:ReceiveMessage")


@check
def ram_session_ends():
    arn = role(allow("mns:*"))
    keys = [assume(KEY, arn) for _ in range(2)]
    Control(config(keys[0])).list_queue(control_models.ListQueueRequest())
    foreign = keys[0][:2] + keys[1][2:]
    denied(lambda: Control(config(foreign)).list_queue(control_models.ListQueueRequest()), Exception, "InvalidSecurityToken.MismatchWithAccessKey")
    denied(lambda: queue(foreign).receive_message(), MNSServerException, "InvalidAccessKeyId")
    clock = urllib.request.Request(ENDPOINT + "/api/v1/clock", data=b'{"advance_seconds": 900}', headers={"Authorization": "Bearer %s:%s" % KEY[:2], "Content-Type": "application/json"})
    urllib.request.urlopen(clock, timeout=30).close()
    for client in (lambda: STS(config(keys[0])).get_caller_identity(), lambda: Control(config(keys[0])).list_queue(control_models.ListQueueRequest())):
        denied(client, Exception, "InvalidSecurityToken.Expired")
    denied(lambda: queue(keys[0]).receive_message(), MNSServerException, "AccessDenied", "expired")
