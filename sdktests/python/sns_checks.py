"""What SNS promises, seen through boto3."""

import json

import boto3
from cryptography.exceptions import InvalidSignature

import clients
from checking import TEXTS, check, equal, raises
from sns_receiver import endpoint, verify

SNS = boto3.client("sns", **clients.aws_options())
SQS = clients.sqs()


def topic(**attributes):
    name = clients.queue_name() + (".fifo" if attributes.get("FifoTopic") else "")
    return SNS.create_topic(Name=name, Attributes=attributes)["TopicArn"]


def subscribed(topic_arn, **attributes):
    url = clients.sqs_queue(SQS)
    arn = SQS.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    SNS.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url


def receive(url):
    return SQS.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages", [])


@check
def sns_publish_wraps_and_signs():
    arn = topic()
    url = subscribed(arn)
    for text in TEXTS.values():
        sent = SNS.publish(TopicArn=arn, Message=text, Subject="About")
        message = json.loads(receive(url)[0]["Body"])
        equal((message["Message"], message["Subject"], message["MessageId"]), (text, "About", sent["MessageId"]), "message")
        verify(message)
        with raises(InvalidSignature):
            verify(dict(message, Message="another"))


@check
def sns_publish_raw_keeps_attributes():
    arn = topic()
    url = subscribed(arn, RawMessageDelivery="true")
    attributes = {
        "text": {"DataType": "String", "StringValue": "v"},
        "list": {"DataType": "String.Array", "StringValue": '["a", 1]'},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    SNS.publish(TopicArn=arn, Message="hello", MessageAttributes=attributes)
    message = receive(url)[0]
    equal(message["Body"], "hello", "body")
    equal(message["MessageAttributes"], attributes, "attributes")


@check
def sns_filter_policies_decide():
    arn = topic()
    by_attribute = subscribed(arn, RawMessageDelivery="true", FilterPolicy='{"size": [{"numeric": [">=", 10]}]}')
    by_body = subscribed(arn, RawMessageDelivery="true", FilterPolicyScope="MessageBody", FilterPolicy='{"order": {"state": ["paid"]}}')
    for size, state in ((9, "paid"), (10, "open")):
        SNS.publish(
            TopicArn=arn,
            Message=json.dumps({"order": {"state": state}}),
            MessageAttributes={"size": {"DataType": "Number", "StringValue": str(size)}},
        )
    equal([json.loads(m["Body"]) for m in receive(by_attribute)], [{"order": {"state": "open"}}], "by attribute")
    equal([json.loads(m["Body"]) for m in receive(by_body)], [{"order": {"state": "paid"}}], "by body")


@check
def sns_publish_batch_answers_each():
    arn = topic()
    url = subscribed(arn, RawMessageDelivery="true")
    answer = SNS.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": "a%d" % i, "Message": "m%d" % i} for i in range(10)])
    equal(([entry["Id"] for entry in answer["Successful"]], answer["Failed"]), (["a%d" % i for i in range(10)], []), "answer")
    equal(sorted(m["Body"] for m in receive(url)), ["m%d" % i for i in range(10)], "bodies")
    with raises(SNS.exceptions.BatchEntryIdsNotDistinctException):
        SNS.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": "a", "Message": "m"}] * 2)


@check
def sns_errors_have_their_exceptions():
    with raises(SNS.exceptions.NotFoundException) as caught:
        SNS.get_topic_attributes(TopicArn="arn:aws:sns:us-east-1:000000000000:none")
    equal(caught[0].response["Error"]["Message"], "Topic does not exist", "text")
    with raises(SNS.exceptions.InvalidParameterException):
        SNS.subscribe(TopicArn=topic(), Protocol="pigeon", Endpoint="x")
    with raises(SNS.exceptions.ResourceNotFoundException):
        SNS.tag_resource(ResourceArn="arn:aws:sns:us-east-1:000000000000:none", Tags=[{"Key": "a", "Value": "b"}])


@check
def sns_lists_page_by_themselves():
    arn = topic()
    for i in range(101):
        SNS.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+1555%07d" % i)
    pages = list(SNS.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn))
    equal([len(page["Subscriptions"]) for page in pages], [100, 1], "pages")


@check
def sns_attributes_and_tags_come_back():
    arn = topic(DisplayName="Orders")
    SNS.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": ""}])
    equal(SNS.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "team", "Value": ""}], "tags")
    attributes = SNS.get_topic_attributes(TopicArn=arn)["Attributes"]
    equal((attributes["DisplayName"], attributes["SubscriptionsConfirmed"]), ("Orders", "0"), "attributes")
    equal(json.loads(attributes["Policy"])["Statement"][0]["Resource"], arn, "resource of the policy")


@check
def sns_http_endpoint_confirms_and_verifies():
    for version in ("1", "2"):
        arn = topic(SignatureVersion=version)
        with endpoint() as (url, got):
            SNS.subscribe(TopicArn=arn, Protocol="http", Endpoint=url)
            headers, body = got.get(timeout=60)
            equal(headers["x-amz-sns-message-type"], "SubscriptionConfirmation", "type")
            message = json.loads(body)
            verify(message)
            SNS.confirm_subscription(TopicArn=arn, Token=message["Token"])
            SNS.publish(TopicArn=arn, Message="hello")
            headers, body = got.get(timeout=60)
            equal((headers["x-amz-sns-message-type"], headers["Content-Type"]), ("Notification", "text/plain; charset=UTF-8"), "headers")
            message = json.loads(body)
            equal((message["Message"], message["SignatureVersion"]), ("hello", version), "message")
            verify(message)


@check
def sns_sms_attributes_and_devices():
    equal(SNS.get_sms_attributes()["attributes"].get("MonthlySpendLimit"), "1", "fresh account")
    application = SNS.create_platform_application(Name=clients.queue_name(), Platform="GCM", Attributes={"PlatformCredential": "c"})
    arn = application["PlatformApplicationArn"]
    device = SNS.create_platform_endpoint(PlatformApplicationArn=arn, Token="t", CustomUserData="mine")["EndpointArn"]
    with raises(SNS.exceptions.InvalidParameterException) as caught:
        SNS.create_platform_endpoint(PlatformApplicationArn=arn, Token="t", CustomUserData="yours")
    equal(device in caught[0].response["Error"]["Message"], True, "the error names the endpoint")
    SNS.set_endpoint_attributes(EndpointArn=device, Attributes={"Enabled": "false"})
    with raises(SNS.exceptions.EndpointDisabledException):
        SNS.publish(TargetArn=device, Message="hello")
