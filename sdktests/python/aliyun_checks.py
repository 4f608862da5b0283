"""What Alibaba's services around SMQ promise, seen through their clients, new and old: temporary keys of STS and for the
receipts of text messages, which MNS then takes; who may use the endpoint; answers in XML."""

import importlib
import json
import os
import uuid
from xml.etree import ElementTree

from alibabacloud_dybaseapi20170525 import models as receipt_models
from alibabacloud_dybaseapi20170525.client import Client as Receipts
from alibabacloud_mns_open20220119 import models as control_models
from alibabacloud_mns_open20220119.client import Client as Control
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_sts20150401.client import Client as STS
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdksts.request.v20150401 import AssumeRoleRequest, GetCallerIdentityRequest
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message, QueueMeta

from checking import check, equal, raises

ENDPOINT = os.environ.get("POLYMQ_ENDPOINT", "http://127.0.0.1:4566")
HOST = ENDPOINT.split("://")[1]
KEY = os.environ.get("POLYMQ_ACCESS_KEY", "test")
SECRET = os.environ.get("POLYMQ_SECRET_KEY", "test")


def config(key=KEY, secret=SECRET, token=None, **more):
    return Config(access_key_id=key, access_key_secret=secret, security_token=token, endpoint=HOST, protocol="http", **more)


def old_client(credential=None):
    if credential:
        return AcsClient(region_id="cn-hangzhou", credential=credential)
    return AcsClient(KEY, SECRET, "cn-hangzhou")


def old_request(action, version="2022-01-19", method="POST", **parameters):
    request = CommonRequest(domain=HOST, version=version, action_name=action)
    request.set_protocol_type("http")
    request.set_method(method)
    for parameter, value in parameters.items():
        request.add_query_param(parameter, value)
    return request


def name(prefix="orders"):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:12])


def account():
    return STS(config()).get_caller_identity().body.account_id


def role():
    return "acs:ram::%s:role/worker" % account()


def round_trip(key, secret, token):
    """A message through the MNS SDK with these credentials."""
    queue = Account(ENDPOINT, key, secret, token).get_queue(name())
    queue.create(QueueMeta())
    queue.send_message(Message("hello"))
    message = queue.receive_message()
    equal(message.message_body, b"hello", "body")
    queue.delete_message(message.receipt_handle)


@check
def sts_caller_identity():
    body = STS(config()).get_caller_identity().body
    kinds = {"Account": "root", "RAMUser": "user/admin"}  # the latter where requests are verified
    equal((body.arn, body.principal_id), ("acs:ram::%s:%s" % (body.account_id, kinds[body.identity_type]), body.user_id), "caller")
    old = json.loads(old_client().do_action_with_exception(for_us(GetCallerIdentityRequest.GetCallerIdentityRequest())))
    equal((old["AccountId"], old["Arn"]), (body.account_id, body.arn), "caller, as the old client sees it")


def for_us(request):
    request.set_endpoint(HOST)
    request.set_protocol_type("http")
    return request


@check
def sts_assumed_role_uses_all_of_smq():
    answer = STS(config()).assume_role(sts_models.AssumeRoleRequest(
        role_arn=role(), role_session_name="session-1", duration_seconds=900, policy='{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:*","Resource":"*"}]}')).body
    equal(answer.assumed_role_user.arn, role() + "/session-1", "ARN")
    credentials = answer.credentials
    key, secret, token = credentials.access_key_id, credentials.access_key_secret, credentials.security_token
    equal(key.startswith("STS."), True, "kind of the key")
    who = STS(config(key, secret, token)).get_caller_identity().body
    equal((who.identity_type, who.arn, who.principal_id), ("AssumedRoleUser", "acs:ram::%s:assumed-role/worker/session-1" % account(), answer.assumed_role_user.assumed_role_id), "caller")
    round_trip(key, secret, token)
    for algorithm in (None, "v2"):
        queue_name = name()
        Control(config(key, secret, token, signature_algorithm=algorithm)).create_queue(control_models.CreateQueueRequest(queue_name=queue_name))
        Control(config()).delete_queue(control_models.DeleteQueueRequest(queue_name=queue_name))


@check
def sts_old_client():
    request = for_us(AssumeRoleRequest.AssumeRoleRequest())
    request.set_RoleArn(role())
    request.set_RoleSessionName("session-2")
    credentials = json.loads(old_client().do_action_with_exception(request))["Credentials"]
    round_trip(credentials["AccessKeyId"], credentials["AccessKeySecret"], credentials["SecurityToken"])
    temporary = StsTokenCredential(credentials["AccessKeyId"], credentials["AccessKeySecret"], credentials["SecurityToken"])
    who = json.loads(old_client(temporary).do_action_with_exception(for_us(GetCallerIdentityRequest.GetCallerIdentityRequest())))
    equal(who["IdentityType"], "AssumedRoleUser", "kind of the caller")


@check
def sts_errors_have_codes():
    for parameters, code in (
        (dict(role_arn="acs:ram::1:user/a", role_session_name="ab"), "InvalidParameter.RoleArn"),
        (dict(role_arn=role(), role_session_name="a"), "InvalidParameter.RoleSessionName"),
        (dict(role_arn=role(), role_session_name="ab", duration_seconds=899), "InvalidParameter.DurationSeconds"),
        (dict(role_session_name="ab"), "MissingRoleArn"),
    ):
        with raises(Exception) as caught:
            STS(config()).assume_role(sts_models.AssumeRoleRequest(**parameters))
        equal(caught[0].code, code, "code")


@check
def receipts_token_receives():
    queue_name = name("Alicom-Queue")
    inbox = Account(ENDPOINT, KEY, SECRET).get_queue(queue_name)
    inbox.create(QueueMeta())
    answer = Receipts(config()).query_token_for_mns_queue(receipt_models.QueryTokenForMnsQueueRequest(message_type="SmsReport", queue_name=queue_name)).body
    equal((answer.code, answer.message), ("OK", "OK"), "result")
    old = json.loads(old_client().do_action_with_exception(old_request("QueryTokenForMnsQueue", "2017-05-25", MessageType="SmsUp", QueueName=queue_name)))
    for token in (answer.message_token_dto.to_map(), old["MessageTokenDTO"]):
        inbox.send_message(Message("receipt"))
        queue = Account(ENDPOINT, token["AccessKeyId"], token["AccessKeySecret"], token["SecurityToken"]).get_queue(queue_name)
        [message] = queue.batch_receive_message(16)
        equal(message.message_body, b"receipt", "body")
        queue.batch_delete_message([message.receipt_handle])


@check
def smq_old_client():
    queue_name = name()
    for method in ("GET", "POST"):
        answer = json.loads(old_client().do_action_with_exception(old_request("CreateQueue", method=method, QueueName=queue_name, DelaySeconds=7)))
        equal((answer["Code"], answer["Success"]), (200, True), "answer to " + method)
    with raises(ServerException) as caught:
        old_client().do_action_with_exception(old_request("GetQueueAttributes", QueueName="no-such-queue"))
    equal((caught[0].error_code, caught[0].http_status), ("QueueNotExist", 404), "error")


def older(action, **parameters):
    """Sends a request of the older generated client of mns-open."""
    module = importlib.import_module("aliyunsdkmns_open.request.v20220119.%sRequest" % action)
    request = for_us(getattr(module, action + "Request")())
    for parameter, value in parameters.items():
        getattr(request, "set_" + parameter)(value)
    answer = json.loads(old_client().do_action_with_exception(request))
    equal((answer["Code"], answer["Success"]), (200, True), action)
    return answer["Data"]


@check
def smq_older_generated_client():
    queue_name = name()
    topic = dict(TopicName=queue_name)
    subscription = dict(TopicName=queue_name, SubscriptionName="all")
    older("CreateQueue", QueueName=queue_name, VisibilityTimeout=45, DelaySeconds=1, EnableLogging=True)
    older("SetQueueAttributes", QueueName=queue_name, MaximumMessageSize=2048, MessageRetentionPeriod=3600, PollingWaitSeconds=2)
    data = older("GetQueueAttributes", QueueName=queue_name)
    equal([data[key] for key in ("VisibilityTimeout", "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "PollingWaitSeconds", "LoggingEnabled")], [45, 1, 2048, 3600, 2, True], "queue")
    equal(older("ListQueue", QueueName=queue_name, PageNum=1, PageSize=10)["Total"], 1, "queues")
    older("CreateTopic", MaxMessageSize=2048, EnableLogging=True, **topic)
    older("SetTopicAttributes", MaxMessageSize=4096, **topic)
    data = older("GetTopicAttributes", **topic)
    equal((data["MaxMessageSize"], data["LoggingEnabled"]), (4096, True), "topic")
    equal(older("ListTopic", **topic)["Total"], 1, "topics")
    older("Subscribe", PushType="queue", Endpoint="acs:mns:cn-hangzhou:1234567890123456:queues/" + queue_name, MessageTag="red", **subscription)
    older("SetSubscriptionAttributes", NotifyStrategy="EXPONENTIAL_DECAY_RETRY", **subscription)
    data = older("GetSubscriptionAttributes", **subscription)
    equal((data["FilterTag"], data["NotifyStrategy"], data["NotifyContentFormat"]), ("red", "EXPONENTIAL_DECAY_RETRY", "XML"), "subscription")
    equal(older("ListSubscriptionByTopic", **topic)["Total"], 1, "subscriptions")
    older("Unsubscribe", **subscription)
    older("DeleteTopic", **topic)
    older("DeleteQueue", QueueName=queue_name)
    with raises(ServerException) as caught:
        older("GetQueueAttributes", QueueName=queue_name)
    equal((caught[0].error_code, caught[0].http_status), ("QueueNotExist", 404), "error")


@check
def sts_old_client_knows_a_wrong_secret():
    if SECRET == "test":  # nothing is verified
        return
    account()
    with raises(ServerException) as caught:
        AcsClient(KEY, SECRET + "x", "cn-hangzhou").do_action_with_exception(for_us(GetCallerIdentityRequest.GetCallerIdentityRequest()))
    equal(caught[0].error_code, "InvalidAccessKeySecret", "error")  # it finds its own string to sign in the server's answer


@check
def smq_answers_in_xml():
    queue_name = name()
    request = old_request("CreateQueue", QueueName=queue_name)
    request.set_accept_format("XML")
    root = ElementTree.fromstring(old_client().do_action(request))  # the newer function asks for JSON whatever was set
    equal((root.tag, root.findtext("Code"), root.findtext("Data/Success")), ("CreateQueueResponse", "200", "true"), "answer")
    request = old_request("ListQueue", QueueName=queue_name)
    request.set_accept_format("XML")
    root = ElementTree.fromstring(old_client().do_action(request))  # the newer function asks for JSON whatever was set
    equal([row.findtext("QueueName") for row in root.findall("Data/PageData")], [queue_name], "rows")


@check
def smq_endpoint_is_closed_to_the_data_plane():
    control = Control(config())
    queue = Account(ENDPOINT, KEY, SECRET).get_queue(name())
    queue.create(QueueMeta())
    public = dict(endpoint_type="public")
    control.disable_endpoint(control_models.DisableEndpointRequest(**public))
    try:
        with raises(MNSServerException) as caught:
            queue.send_message(Message("hello"))
        equal(caught[0].type, "AccessDenied", "error while the endpoint is disabled")
    finally:
        control.enable_endpoint(control_models.EnableEndpointRequest(**public))
    queue.send_message(Message("hello"))
    control.authorize_endpoint_acl(control_models.AuthorizeEndpointAclRequest(acl_strategy="allow", cidr_list=["192.0.2.0/24"], **public))
    try:
        with raises(MNSServerException) as caught:
            queue.receive_message()
        equal(caught[0].type, "AccessDenied", "error of another network")
    finally:
        control.revoke_endpoint_acl(control_models.RevokeEndpointAclRequest(acl_strategy="allow", cidr_list=["192.0.2.0/24"], **public))
    equal(queue.receive_message().message_body, b"hello", "body")


@check
def smq_rate_of_receives_is_limited():
    queue = Account(ENDPOINT, KEY, SECRET).get_queue(name())
    limit = control_models.CreateQueueRequestTenantRateLimitPolicy(enabled=True, max_receives_per_second=1)
    Control(config()).create_queue(control_models.CreateQueueRequest(queue_name=queue.queue_name, tenant_rate_limit_policy=limit))
    for _ in range(1000):  # far more than go in a second
        with raises(MNSServerException) as caught:
            queue.receive_message()
        if caught[0].type == "QpsLimitExceeded":
            return
        equal(caught[0].type, "MessageNotExist", "error of an empty queue")
    raise AssertionError("receives are not limited")
