"""The AWS CLI and a server that has an authority of its own, whose certificate is at POLYMQ_CA: it trusts what it is told."""

import os

from awscli_shell import aws, queue_name, refused
from checking import check, equal

CALLS = [
    ("sqs", "create-queue", "--queue-name", queue_name()),
    ("sts", "get-caller-identity"),
]


def shown(*options):
    for service, action, *arguments in CALLS:
        if aws(action, *arguments, *options, service=service) is None:
            raise AssertionError("aws %s %s shows nothing" % (service, action))


@check
def awscli_trusts_the_bundle_of_its_option():
    shown("--ca-bundle", os.environ["POLYMQ_CA"])


@check
def awscli_trusts_the_bundle_of_its_profile():
    """The profile's own counts only where the environment names none: not even an empty AWS_CA_BUNDLE."""
    with open(os.environ["AWS_CONFIG_FILE"], "w", encoding="utf-8") as config:
        config.write("[profile local]\nca_bundle = %s\n" % os.environ["POLYMQ_CA"])
        config.writelines("%s = %s\n" % (name.lower(), os.environ[name]) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    machine = {name: os.environ.pop(name) for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE") if name in os.environ}
    try:
        shown("--profile", "local")
    finally:
        os.environ.update(machine)


@check
def awscli_asks_for_no_proof_where_told_so():
    shown("--no-verify-ssl")


@check
def awscli_does_not_trust_it_else():
    for service, action, *arguments in CALLS:
        error = refused(action, *arguments, service=service)
        equal("SSL validation failed" in error and "CERTIFICATE_VERIFY_FAILED" in error, True, error)
