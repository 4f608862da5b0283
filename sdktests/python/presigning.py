"""Presigned URLs, as boto3's own signer makes them."""

import datetime
import unittest.mock
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def presigned(url, key, parameters, expires=60, age=datetime.timedelta()):
    """A URL for one action of SQS's query protocol, signed that long ago with an id, a secret and perhaps a token."""
    request = AWSRequest("GET", url + "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote))
    signer = SigV4QueryAuth(Credentials(*key), "sqs", "us-east-1", expires=expires)
    if not age:
        signer.add_auth(request)
        return request.url
    then = datetime.datetime.now(datetime.timezone.utc) - age
    with unittest.mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: then):
        signer.add_auth(request)
    return request.url


def fetch(url):
    """Gives the status and the text of a GET, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
