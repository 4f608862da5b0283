"""A pytest fixture for polymq: copy this file beside your tests and import `polymq` in conftest.py.

It uses the server at POLYMQ_ENDPOINT (default http://localhost:4566), started with --test-mode. Each test has an
account of its own, so that tests can run side by side, and leaves nothing behind.

    def test_orders(polymq):
        sqs = boto3.client("sqs", **polymq.boto3)
        ...
        polymq.advance(3600)                    # a visibility timeout of an hour passes
        message = polymq.wait("orders", "paid") # a message whose body contains "paid"; it stays in the queue
"""

import json
import os
import random
import urllib.error
import urllib.parse
import urllib.request

import pytest


class Polymq:
    """The server, seen from one account."""

    def __init__(self, endpoint, account, region="us-east-1"):
        self.endpoint, self.account, self.region = endpoint, account, region

    @property
    def boto3(self):
        """Arguments of boto3.client; an access key of twelve digits is its account."""
        return {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "aws_access_key_id": self.account,
            "aws_secret_access_key": "test",
        }

    def advance(self, seconds):
        """Moves the account's time forward."""
        self._call("POST", "/clock", {"account": self.account, "advance_seconds": seconds})

    def wait(self, queue, match="", timeout=10):
        """Waits for a message that contains a text, and does not receive it. Fails after timeout seconds."""
        query = {"account": self.account, "region": self.region, "match": match, "timeout": timeout}
        name = urllib.parse.quote(queue, safe="")
        return self._call("GET", f"/queues/{name}/messages:wait?{urllib.parse.urlencode(query)}")

    def reset(self):
        """Removes all that the account has."""
        self._call("POST", f"/reset?account={self.account}")

    def _call(self, method, path, body=None):
        request = urllib.request.Request(
            self.endpoint + "/api/v1" + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=110) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(answer) if answer else None


@pytest.fixture
def polymq():
    endpoint = os.environ.get("POLYMQ_ENDPOINT", "http://localhost:4566")
    server = Polymq(endpoint, f"{random.randrange(1, 10**12):012d}")
    yield server
    server.reset()
