"""Runs the AWS CLI as a shell does: the first version, and the second."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import uuid

FILES = tempfile.TemporaryDirectory()  # until the program ends
ENDPOINT = os.environ.get("POLYMQ_ENDPOINT", "http://127.0.0.1:4566")
os.environ.update(
    AWS_ACCESS_KEY_ID=os.environ.get("POLYMQ_ACCESS_KEY", "test"),
    AWS_SECRET_ACCESS_KEY=os.environ.get("POLYMQ_SECRET_KEY", "test"),
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.path.join(FILES.name, "config"),
    AWS_MAX_ATTEMPTS="1",
    AWS_PAGER="",
    HOME=FILES.name,  # where it caches the keys of roles
)

import awscli  # noqa: E402
from awscli.clidriver import create_clidriver  # noqa: E402

VERSION = tuple(map(int, awscli.__version__.split(".")[:2]))
SECOND = VERSION >= (2, 0)  # it takes binary values in base64
OLD = SECOND and VERSION < (2, 13)  # as distributions have it: it speaks the query protocol, and knows no move tasks
PROGRAM = os.path.join(os.path.dirname(sys.executable), "aws")  # of the same installation


def command(action, *arguments, service="sqs"):
    return ["--endpoint-url", ENDPOINT, service, action, *arguments]


def run(action, *arguments, service="sqs"):
    """Runs an action in this process, which saves half a second of starting; exit code, output and errors."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        code = create_clidriver().main(command(action, *arguments, service=service))
    for stream in streams:
        stream.flush()
    return [code] + [stream.buffer.getvalue().decode() for stream in streams]


def start(action, *arguments):
    """Starts an action as a process of its own."""
    return subprocess.Popen([PROGRAM, *command(action, *arguments)], stdout=subprocess.PIPE, encoding="utf-8")


def aws(action, *arguments, service="sqs"):
    """Runs an action and gives what it prints, decoded; None if that is nothing."""
    code, output, errors = run(action, *arguments, service=service)
    if code != 0:
        raise AssertionError("aws %s %s: %s" % (service, action, errors))
    return json.loads(output) if output else None


def refused(action, *arguments, service="sqs"):
    """Runs an action that must fail, and gives what it prints of the error."""
    code, output, errors = run(action, *arguments, service=service)
    if code == 0:
        raise AssertionError("aws %s %s succeeded: %s" % (service, action, output))
    return errors.strip()


def file(content):
    """Writes a file and gives the argument that names it."""
    text = content if isinstance(content, str) else json.dumps(content)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=FILES.name, delete=False) as written:
        written.write(text)
    return "file://" + written.name


def queue_name(prefix="orders"):
    return "%s-%s" % (prefix, uuid.uuid4().hex[:12])


def create(*arguments):
    return aws("create-queue", "--queue-name", queue_name(), *arguments)["QueueUrl"]
