"""What SDKs say of AWS's services that polymq does not speak: its own words, and at the first try."""

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from checking import check, equal, raises
from clients import aws_options

# A request of each service, over all protocols that AWS has.
REQUESTS = [
    ("s3", "list_buckets", {}),
    ("s3", "get_object", {"Bucket": "bucket", "Key": "a key"}),
    ("s3", "put_object", {"Bucket": "bucket", "Key": "key", "Body": b"a body"}),
    ("s3", "delete_objects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "key"}]}}),
    ("dynamodb", "list_tables", {}),
    ("dynamodb", "put_item", {"TableName": "orders", "Item": {"id": {"S": "1"}}}),
    ("kinesis", "list_streams", {}),
    ("firehose", "list_delivery_streams", {}),
    ("lambda", "list_functions", {}),
    ("lambda", "invoke", {"FunctionName": "function", "Payload": b"{}"}),
    ("events", "put_events", {"Entries": [{"Source": "source", "DetailType": "type", "Detail": "{}"}]}),
    ("scheduler", "list_schedules", {}),
    ("cloudwatch", "list_metrics", {}),
    ("logs", "describe_log_groups", {}),
    ("stepfunctions", "list_state_machines", {}),
    ("secretsmanager", "list_secrets", {}),
    ("ssm", "describe_parameters", {}),
    ("kms", "list_keys", {}),
    ("ses", "list_identities", {}),
    ("sesv2", "list_email_identities", {}),
    ("ec2", "describe_instances", {}),
    ("rds", "describe_db_instances", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("cloudformation", "list_stacks", {}),
    ("route53", "list_hosted_zones", {}),
    ("cloudfront", "list_distributions", {}),
    ("apigateway", "get_rest_apis", {}),
    ("mq", "list_brokers", {}),
]


@check
def other_services_are_refused_in_their_own_words():
    options = dict(aws_options(), config=Config(retries={"max_attempts": 3, "mode": "standard"}))
    for service, operation, parameters in REQUESTS:
        what = service + " " + operation
        try:
            with raises(ClientError) as caught:
                getattr(boto3.client(service, **options), operation)(**parameters)
        except Exception as error:
            raise AssertionError("%s: %s" % (what, error)) from error
        answer = caught[0].response
        message = answer["Error"].get("Message", "")
        if "polymq does not speak" not in message or "sqs" not in message:
            raise AssertionError("%s: got %r" % (what, answer))
        equal(answer["ResponseMetadata"]["RetryAttempts"], 0, what + ": tries after the first")
        if not 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] <= 501:
            raise AssertionError("%s: got %r" % (what, answer))
