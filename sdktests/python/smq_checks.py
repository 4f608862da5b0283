"""What SMQ promises, seen through the clients that Alibaba generates: mns-open of the control plane, SMQProxy of the
data plane in JSON. The library that signs for the latter refers to a name that it never defines; it is defined here."""

import builtins
import os
import uuid

import alibabacloud_gateway_mns.client as gateway
from alibabacloud_mns_open20220119 import models as control_models
from alibabacloud_mns_open20220119.client import Client as Control
from alibabacloud_tea_openapi.utils_models import Config

from checking import check, equal, raises

builtins.undefined = gateway.Client

from alibabacloud_smqproxy20260409 import models as data_models  # noqa: E402
from alibabacloud_smqproxy20260409.client import Client as Data  # noqa: E402

HOST = os.environ.get("POLYMQ_ENDPOINT", "http://127.0.0.1:4566").split("://")[1]


def config(**more):
    return Config(access_key_id=os.environ.get("POLYMQ_ACCESS_KEY", "test"), access_key_secret=os.environ.get("POLYMQ_SECRET_KEY", "test"), endpoint=HOST, protocol="http", **more)


class Recording:
    """A client that remembers which of its actions were called."""

    def __init__(self, client):
        self.client, self.called = client, set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.client, name)


CONTROL = Recording(Control(config()))
DATA = Recording(Data(config(region_id="cn-hangzhou")))


def name(prefix="orders"):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:12])


def queue(**attributes):
    queue_name = name()
    CONTROL.create_queue(control_models.CreateQueueRequest(queue_name=queue_name, **attributes))
    return queue_name


def attributes(queue_name):
    return CONTROL.get_queue_attributes(control_models.GetQueueAttributesRequest(queue_name=queue_name)).body.data


def equal_code(error, code):
    equal(getattr(error, "code", None), code, "code of %r" % (error,))


@check
def smq_queue_attributes():
    dead = queue()
    created = CONTROL.create_queue(control_models.CreateQueueRequest(
        queue_name=name(), visibility_timeout=45, queue_type="normal", enable_logging=True,
        dlq_policy=control_models.CreateQueueRequestDlqPolicy(enabled=True, dead_letter_target_queue=dead, max_receive_count=3),
        tag=[control_models.CreateQueueRequestTag(key="env", value="de v*")]))
    equal((created.status_code, created.body.code, created.body.success, created.body.data.success), (200, 200, True, True), "created")
    listed = CONTROL.list_queue(control_models.ListQueueRequest(page_num=1, page_size=50)).body.data
    [row] = [r for r in listed.page_data if r.visibility_timeout == 45 and r.dlq_policy.dead_letter_target_queue == dead]
    equal((row.logging_enabled, row.queue_type, row.dlq_policy.max_receive_count), (True, "normal", "3"), "row of the list")
    equal([(t.tag_key, t.tag_value) for t in row.tags], [("env", "de v*")], "tags")
    CONTROL.set_queue_attributes(control_models.SetQueueAttributesRequest(queue_name=row.queue_name, visibility_timeout=46))
    equal(attributes(row.queue_name).visibility_timeout, 46, "visibility timeout after a change")
    CONTROL.delete_queue(control_models.DeleteQueueRequest(queue_name=row.queue_name))
    with raises(Exception) as caught:
        attributes(row.queue_name)
    equal_code(caught[0], "QueueNotExist")


@check
def smq_errors_have_codes():
    with raises(Exception) as caught:
        CONTROL.create_queue(control_models.CreateQueueRequest(queue_name="no_such!name"))
    equal_code(caught[0], "InvalidQueueName")
    with raises(Exception) as caught:
        queue(visibility_timeout=43201)
    equal_code(caught[0], "InvalidArgument")


@check
def smq_old_signature():
    client = Control(config(signature_algorithm="v2"))
    queue_name = name()
    client.create_queue(control_models.CreateQueueRequest(queue_name=queue_name, delay_seconds=7))
    equal(attributes(queue_name).delay_seconds, 7, "delay")


@check
def smq_topics_and_subscriptions():
    topic, target, dead = name("news"), queue(), queue()
    CONTROL.create_topic(control_models.CreateTopicRequest(topic_name=topic, max_message_size=2048, enable_logging=True))
    shown = CONTROL.get_topic_attributes(control_models.GetTopicAttributesRequest(topic_name=topic)).body.data
    equal((shown.topic_name, shown.max_message_size, shown.logging_enabled, shown.topic_type), (topic, 2048, True, "normal"), "topic")
    endpoint = "acs:mns:cn-hangzhou:1234567890123456:queues/" + target
    CONTROL.subscribe(control_models.SubscribeRequest(
        topic_name=topic, subscription_name="all", endpoint=endpoint, push_type="queue", message_tag="red",
        notify_content_format="SIMPLIFIED", notify_strategy="EXPONENTIAL_DECAY_RETRY",
        dlq_policy=control_models.SubscribeRequestDlqPolicy(enabled=True, dead_letter_target_queue=dead)))
    sub = CONTROL.get_subscription_attributes(
        control_models.GetSubscriptionAttributesRequest(topic_name=topic, subscription_name="all")).body.data
    equal((sub.endpoint, sub.filter_tag, sub.notify_strategy, sub.dlq_policy.dead_letter_target_queue),
          (endpoint, "red", "EXPONENTIAL_DECAY_RETRY", dead), "subscription")
    DATA.publish_message(topic, data_models.PublishMessageRequest(message_body="hello", message_tag="red"))
    DATA.publish_message(topic, data_models.PublishMessageRequest(message_body="other"))
    got = DATA.batch_receive_message(target, data_models.BatchReceiveMessageRequest(num_of_messages=16)).body.messages
    equal([m.message_body for m in got], ["hello"], "messages of the tag")
    CONTROL.unsubscribe(control_models.UnsubscribeRequest(topic_name=topic, subscription_name="all"))
    listed = CONTROL.list_subscription_by_topic(control_models.ListSubscriptionByTopicRequest(topic_name=topic)).body.data
    equal(listed.total, 0, "subscriptions")
    CONTROL.delete_topic(control_models.DeleteTopicRequest(topic_name=topic))


@check
def smq_topic_changes_and_lists():
    topics = sorted(name("listed") for _ in range(11))
    for topic in topics:
        CONTROL.create_topic(control_models.CreateTopicRequest(topic_name=topic, tag=[control_models.CreateTopicRequestTag(key="of", value=topics[0])]))
    tag = [control_models.ListTopicRequestTag(key="of", value=topics[0])]
    page = CONTROL.list_topic(control_models.ListTopicRequest(topic_name="listed", tag=tag, page_num=2, page_size=10)).body.data
    equal(([t.topic_name for t in page.page_data], page.total, page.page_num, page.page_size), (topics[10:], 11, 2, 10), "second page")
    CONTROL.set_topic_attributes(control_models.SetTopicAttributesRequest(topic_name=topics[0], max_message_size=4096, enable_logging=True))
    shown = CONTROL.get_topic_attributes(control_models.GetTopicAttributesRequest(topic_name=topics[0])).body.data
    equal((shown.max_message_size, shown.logging_enabled, [(t.tag_key, t.tag_value) for t in shown.tags]), (4096, True, [("of", topics[0])]), "topic after a change")
    equal(shown.topic_url.endswith("/topics/" + topics[0]), True, "URL " + shown.topic_url)


@check
def smq_subscription_changes_and_lists():
    topic, dead = name("news"), queue()
    CONTROL.create_topic(control_models.CreateTopicRequest(topic_name=topic))
    for kind, endpoint in (("http", "http://example.com/a?b=c"), ("queue", "acs:mns:cn-hangzhou:1234567890123456:queues/" + dead)):
        CONTROL.subscribe(control_models.SubscribeRequest(topic_name=topic, subscription_name="by-" + kind, endpoint=endpoint, push_type=kind))
    CONTROL.set_subscription_attributes(control_models.SetSubscriptionAttributesRequest(
        topic_name=topic, subscription_name="by-http", notify_strategy="EXPONENTIAL_DECAY_RETRY", sts_role_arn="acs:ram::1234567890123456:role/r",
        dlq_policy=control_models.SetSubscriptionAttributesRequestDlqPolicy(enabled=True, dead_letter_target_queue=dead),
        tenant_rate_limit_policy=control_models.SetSubscriptionAttributesRequestTenantRateLimitPolicy(enabled=True, max_receives_per_second=5)))
    sub = CONTROL.get_subscription_attributes(
        control_models.GetSubscriptionAttributesRequest(topic_name=topic, subscription_name="by-http")).body.data
    equal((sub.notify_strategy, sub.notify_content_format, sub.dlq_policy.dead_letter_target_queue, sub.tenant_rate_limit_policy.max_receives_per_second),
          ("EXPONENTIAL_DECAY_RETRY", "XML", dead, 5), "subscription after a change")
    page = CONTROL.list_subscription_by_topic(control_models.ListSubscriptionByTopicRequest(topic_name=topic, endpoint_type="http")).body.data
    equal([(s.subscription_name, s.endpoint) for s in page.page_data], [("by-http", "http://example.com/a?b=c")], "subscriptions by HTTP")
    page = CONTROL.list_subscription_by_topic(control_models.ListSubscriptionByTopicRequest(topic_name=topic, subscription_name="by-", page_size=10)).body.data
    equal(([s.subscription_name for s in page.page_data], page.total, page.pages), (["by-http", "by-queue"], 2, 1), "subscriptions")


@check
def smq_queues_in_pages():
    names = sorted(queue(tag=[control_models.CreateQueueRequestTag(key="paged", value="yes")], queue_type="fifo") for _ in range(12))
    listed = []
    for number in (1, 2, 3):
        page = CONTROL.list_queue(control_models.ListQueueRequest(
            page_num=number, page_size=10, queue_name="orders", queue_type="fifo", tag=[control_models.ListQueueRequestTag(key="paged", value="yes")])).body.data
        equal((page.total, page.pages, page.page_num, page.size), (12, 2, number, len(page.page_data)), "page")
        listed += [row.queue_name for row in page.page_data]
    equal(listed, names, "queues")


def receive(queue_name):
    """Gives the code of a receive on an empty queue: whether the endpoint lets its caller in."""
    with raises(Exception) as caught:
        DATA.batch_receive_message(queue_name, data_models.BatchReceiveMessageRequest(num_of_messages=1, waitseconds=0))
    return caught[0].code


@check
def smq_endpoint_access_control():
    queue_name, public = queue(), "public"
    allow = lambda *networks: CONTROL.authorize_endpoint_acl(
        control_models.AuthorizeEndpointAclRequest(endpoint_type=public, acl_strategy="allow", cidr_list=list(networks)))
    shown = lambda: CONTROL.get_endpoint_attribute(control_models.GetEndpointAttributeRequest(endpoint_type=public)).body.data
    allow("10.0.0.0/8", "192.168.0.0/16")
    try:
        equal([(c.cidr, c.acl_strategy, c.create_time > 1e12) for c in shown().cidr_list], [("10.0.0.0/8", "allow", True), ("192.168.0.0/16", "allow", True)], "networks")
        equal(receive(queue_name), "AccessDenied", "code for an address of another network")
        allow("127.0.0.0/8")
        equal(receive(queue_name), "MessageNotExist", "code for an address of the network")
    finally:
        CONTROL.revoke_endpoint_acl(control_models.RevokeEndpointAclRequest(
            endpoint_type=public, acl_strategy="allow", cidr_list=["10.0.0.0/8", "192.168.0.0/16", "127.0.0.0/8"]))
    equal((shown().cidr_list, receive(queue_name)), ([], "MessageNotExist"), "without networks")
    CONTROL.disable_endpoint(control_models.DisableEndpointRequest(endpoint_type=public))
    try:
        equal((shown().endpoint_enabled, receive(queue_name)), (False, "AccessDenied"), "disabled")
    finally:
        CONTROL.enable_endpoint(control_models.EnableEndpointRequest(endpoint_type=public))
    equal((shown().endpoint_enabled, receive(queue_name)), (True, "MessageNotExist"), "enabled")


@check
def smq_event_rules():
    rule = name("rule")
    request = control_models.CreateEventRuleRequest(
        product_name="oss", rule_name=rule, event_types=["ObjectCreated:PutObject"],
        match_rules=[[control_models.EventMatchRule(match_state=True, prefix="photos/")]],
        endpoint=control_models.CreateEventRuleRequestEndpoint(endpoint_type="queue", endpoint_value="uploads"))
    equal(CONTROL.create_event_rule(request).body.data, rule, "name of the rule")
    shown = CONTROL.get_event_rule(control_models.GetEventRuleRequest(product_name="oss", rule_name=rule)).body.data
    equal((shown.event_types, shown.match_rules[0][0].prefix, shown.endpoint.endpoint_value), (["ObjectCreated:PutObject"], "photos/", "uploads"), "rule")
    listed = CONTROL.list_event_rules(control_models.ListEventRulesRequest(
        product_name="oss", rule_name=rule, subscription=control_models.ListEventRulesRequestSubscription(endpoint_type="queue", endpoint_value="uploads"))).body.data
    equal(([r.rule_name for r in listed.page_data], listed.total), ([rule], 1), "list")
    CONTROL.delete_event_rule(control_models.DeleteEventRuleRequest(product_name="oss", rule_name=rule))
    with raises(Exception) as caught:
        CONTROL.get_event_rule(control_models.GetEventRuleRequest(product_name="oss", rule_name=rule))
    equal_code(caught[0], "RESOURCE_NOT_FOUND")


@check
def smq_account_attributes():
    CONTROL.set_account_attributes(control_models.SetAccountAttributesRequest(log_enabled=True, project_name="p", log_store_name="s"))
    shown = CONTROL.get_account_attributes(control_models.GetAccountAttributesRequest()).body.data
    equal((shown.log_enabled, shown.project_name, shown.log_store_name), (True, "p", "s"), "attributes")


@check
def smq_endpoint_attribute():
    shown = CONTROL.get_endpoint_attribute(control_models.GetEndpointAttributeRequest(endpoint_type="public")).body.data
    equal((shown.endpoint_enabled, shown.cidr_list), (True, []), "endpoint")


@check
def json_send_receive_delete():
    queue_name = queue()
    value = data_models.UserPropertiesValue(data_type="STRING", string_value="red")
    sent = DATA.send_message(queue_name, data_models.SendMessageRequest(
        message_body="hello <&> \u00e9", priority=3, user_properties={"colour": value}))
    [got] = DATA.batch_receive_message(queue_name, data_models.BatchReceiveMessageRequest(num_of_messages=1)).body.messages
    equal((got.message_body, got.message_id, got.message_body_md5, got.priority, got.dequeue_count),
          ("hello <&> \u00e9", sent.body.message_id, sent.body.message_body_md5, 3, 1), "message")
    equal((got.user_properties["colour"].data_type, got.user_properties["colour"].string_value), ("STRING", "red"), "property")
    equal(got.enqueue_time <= got.first_dequeue_time < got.next_visible_time, True, "order of the times")
    changed = DATA.change_message_visibility(queue_name, data_models.ChangeMessageVisibilityRequest(
        receipt_handle=got.receipt_handle, visibility_timeout=60)).body
    with raises(Exception):
        DATA.batch_delete_message(queue_name, data_models.BatchDeleteMessageRequest(receipt_handles=[got.receipt_handle]))
    deleted = DATA.batch_delete_message(queue_name, data_models.BatchDeleteMessageRequest(receipt_handles=[changed.receipt_handle]))
    equal(deleted.status_code, 204, "status of the delete")


@check
def json_empty_receive_is_an_error():
    with raises(Exception) as caught:
        DATA.batch_receive_message(queue(), data_models.BatchReceiveMessageRequest(num_of_messages=1, waitseconds=0))
    equal_code(caught[0], "MessageNotExist")


@check
def json_batches():
    queue_name = queue()
    bodies = ["body %02d" % n for n in range(16)]
    sent = DATA.batch_send_message(queue_name, data_models.BatchSendMessageRequest(
        messages=[data_models.BatchSendMessageRequestMessages(message_body=body) for body in bodies]))
    equal(len(sent.body.messages), 16, "sent")
    peeked = DATA.batch_peek_message(queue_name, data_models.BatchPeekMessageRequest(num_of_messages=16, peekonly=True)).body.messages
    equal(sorted(m.message_body for m in peeked), bodies, "peeked")
    got = DATA.batch_receive_message(queue_name, data_models.BatchReceiveMessageRequest(num_of_messages=16)).body.messages
    equal(sorted(m.message_body for m in got), bodies, "received")


@check
def json_fifo_queue():
    queue_name = queue(queue_type="fifo")
    with raises(Exception) as caught:
        DATA.send_message(queue_name, data_models.SendMessageRequest(message_body="a1"))
    equal_code(caught[0], "FifoMissingMessageGroupId")
    for body in ("a1", "a2", "b1"):
        DATA.send_message(queue_name, data_models.SendMessageRequest(message_body=body, message_group_id=body[0]))
    got = DATA.batch_receive_message(queue_name, data_models.BatchReceiveMessageRequest(num_of_messages=16)).body.messages
    equal(sorted((m.message_body, m.message_group_id) for m in got), [("a1", "a"), ("b1", "b")], "the first of each group")


@check
def smq_every_action_was_called():
    actions = {m[: -len("_with_options")] for m in dir(Control) if m.endswith("_with_options")}
    equal(sorted(actions - CONTROL.called), [], "actions that no check calls")
    equal(len(actions), 26, "actions")


@check
def json_every_action_was_called():
    actions = {m[: -len("_with_options")] for m in dir(Data) if m.endswith("_with_options")}
    equal(sorted(actions - DATA.called), [], "actions that no check calls")
    equal(len(actions), 7, "actions")
