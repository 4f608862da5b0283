"""What Celery promises, on SQS by kombu: workers are processes, as they are in production."""

import atexit
import base64
import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from botocore.exceptions import ClientError

import clients
from checking import TEXTS, check, equal, raises

SCRATCH = tempfile.mkdtemp(prefix="polymq-celery-")
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

# This process sends to a queue that its broker's user has not made: kombu makes it.
QUEUE = clients.queue_name()
os.environ.update(CELERY_SCRATCH=SCRATCH, CELERY_QUEUE=QUEUE, POLYMQ_ENDPOINT=clients.ENDPOINT, POLYMQ_ACCESS_KEY=clients.ACCESS_KEY)

import celery_app as tasks  # noqa: E402, for it reads the variables
from celery import chord, group  # noqa: E402
from kombu import Exchange, Queue  # noqa: E402
from kombu.transport.SQS.exceptions import UndefinedQueueException  # noqa: E402

# Longest wait for a result, on a busy machine. Workers may take most of it to start.
PATIENCE = 120


def worker(name, concurrency=2, **setup):
    """Starts a worker, in a process group of its own, that ends with this program."""
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_app", "worker",
         "--concurrency=%d" % concurrency, "--hostname=" + name, "--loglevel=INFO"],
        env=dict(os.environ, **setup), stdout=sys.stderr, start_new_session=True,
    )
    atexit.register(end, process)
    return process


def end(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def result(of):
    return of.get(timeout=PATIENCE, interval=0.05)


def attributes(queue):
    client = clients.sqs()
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    return client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


WORKERS = [worker("first"), worker("second")]


@check
def celery_tasks_give_their_results():
    results = {name: tasks.echo.delay(text) for name, text in TEXTS.items()}
    for name, text in TEXTS.items():
        equal(result(results[name]), text, name)
    with raises(ValueError):
        result(tasks.fails.delay())


@check
def celery_makes_its_queue_with_its_visibility_timeout():
    equal(attributes(QUEUE)["VisibilityTimeout"], "60", "visibility timeout")


@check
def celery_workers_share_the_tasks():
    both, hosts = {"celery@first", "celery@second"}, set()
    deadline = time.monotonic() + PATIENCE
    while hosts != both and time.monotonic() < deadline:  # one of the two may still be starting
        results = [tasks.started.delay() for _ in range(50)]
        for each in results:
            result(each)
        runs = [tasks.notes(each) for each in results]
        equal({len(each) for each in runs}, {1}, "runs of each task")
        hosts.update(each[0] for each in runs)
    equal(hosts, both, "workers that ran them")


@check
def celery_eta_and_countdown():
    began = time.time()
    eta = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    results = [tasks.started.apply_async(countdown=2), tasks.started.apply_async(eta=eta), tasks.started.apply_async(DelaySeconds=2)]
    for each, by in zip(results, ["countdown", "eta", "SQS's delay"]):
        equal(result(each) >= began + 1.9, True, "not before its time, by " + by)


@check
def celery_retries():
    retried = tasks.succeeds_at_the_third_run.delay()
    equal(result(retried), 2, "retries")
    equal(tasks.notes(retried), ["run"] * 3, "runs")


@check
def celery_chord():
    equal(result(chord(group(tasks.echo.s(n) for n in range(20)), tasks.total.s()).delay()), 190, "total")


@check
def celery_worker_that_dies_leaves_its_task_to_another():
    queue = clients.queue_name("fragile")
    setup = dict(CELERY_QUEUE=queue, CELERY_VISIBILITY_TIMEOUT="3")
    workers = [worker("mortal-%d" % n, **setup) for n in range(2)]
    with tasks.app.connection_for_write(transport_options=dict(tasks.app.conf.broker_transport_options, visibility_timeout=3)) as connection:
        survived = tasks.kills_its_first_worker.apply_async(queue=queue, connection=connection)
    equal(result(survived), "done", "result")
    equal(len(set(tasks.notes(survived))), 2, "workers that ran it")
    for process in workers:
        end(process)


@check
def celery_predefined_queues_and_back_off():
    url = clients.sqs_queue(clients.sqs(), VisibilityTimeout="60")
    name = url.rsplit("/", 1)[1]
    options = dict(predefined_queues={name: dict(
        url=url, access_key_id=clients.ACCESS_KEY, secret_access_key="test",
        backoff_policy={1: 1, 2: 2}, backoff_tasks=[tasks.fails_twice.name],
    )})
    process = worker("predefined", CELERY_QUEUE=name, CELERY_TRANSPORT=json.dumps(options))
    with tasks.app.connection_for_write(transport_options=dict(tasks.app.conf.broker_transport_options, **options)) as connection:
        hello = tasks.echo.apply_async(("hello",), queue=name, connection=connection)
        retried = tasks.fails_twice.apply_async(queue=name, connection=connection)
    equal(result(hello), "hello", "result")
    runs, deadline = [], time.time() + PATIENCE
    while len(runs) < 3 and time.time() < deadline:
        time.sleep(0.05)
        with contextlib.suppress(FileNotFoundError):
            runs = [float(moment) for moment in tasks.notes(retried)]
    equal([later - earlier >= policy - 0.1 for earlier, later, policy in zip(runs, runs[1:], [1, 2])], [True] * 2, "waits of %s" % runs)
    end(process)


@check
def celery_fifo_keeps_the_order_of_a_group():
    queue = clients.queue_name() + ".fifo"
    workers = [worker("ordered-%d" % n, concurrency=1, CELERY_QUEUE=queue) for n in range(2)]
    sent = [
        tasks.writes.apply_async((group, number), queue=queue, MessageGroupId=group)
        for group in ("a", "b", "c") for number in range(5)
    ]
    for each in sent:
        result(each)
    for group in ("a", "b", "c"):
        with open(os.path.join(SCRATCH, "group-" + group)) as lines:
            equal(lines.read(), "".join("%d begins\n%d ends\n" % (n, n) for n in range(5)), "group " + group)
    for process in workers:
        end(process)


@check
def kombu_fanout_reaches_each_queue():
    options = dict(tasks.app.conf.broker_transport_options, supports_fanout=True)
    exchange = Exchange(clients.queue_name("news"), type="fanout")
    queues = [Queue(clients.queue_name("news"), exchange) for _ in range(2)]
    got = []
    with tasks.app.connection_for_write(transport_options=options) as connection:
        def take(body, message):
            got.append(body)
            message.ack()

        with connection.Consumer(queues, callbacks=[take]), connection.Producer() as producer:
            producer.publish("hello", exchange=exchange)
            deadline = time.time() + PATIENCE
            while len(got) < 2 and time.time() < deadline:
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=5)
    equal(got, ["hello"] * 2, "messages")


@check
def kombu_carries_and_fetches_attributes():
    options = dict(
        tasks.app.conf.broker_transport_options,
        fetch_message_attributes={"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]},  # of which it makes ALL
    )
    given = {
        "colour": {"DataType": "String", "StringValue": "rød"},
        "size": {"DataType": "Number", "StringValue": "12.50"},
        "image": {"DataType": "Binary", "BinaryValue": b"\x00\x01\xff"},
    }
    with tasks.app.connection_for_write(transport_options=options) as connection:
        queue = connection.SimpleQueue(clients.queue_name("attributes"))
        queue.put("hello", message_attributes=given)
        message = queue.get(timeout=PATIENCE)
        received = message.delivery_info["sqs_message"]
        equal([message.payload, received["MessageAttributes"]], ["hello", given], "body and attributes")
        equal([received["Attributes"]["ApproximateReceiveCount"], received["Attributes"]["SenderId"]], ["1", clients.ACCESS_KEY], "system attributes")
        message.ack()
        queue.close()


@check
def kombu_missing_predefined_queue_is_an_error():
    name = clients.queue_name()
    options = dict(tasks.app.conf.broker_transport_options, predefined_queues={name: dict(
        url=clients.ENDPOINT + "/" + clients.ACCESS_KEY + "/" + name, access_key_id=clients.ACCESS_KEY, secret_access_key="test",
    )})
    with raises(ClientError) as caught:
        with tasks.app.connection_for_write(transport_options=options) as connection:
            tasks.echo.apply_async(("hello",), queue=name, connection=connection, retry=False)
    equal(caught[0].response["Error"]["Code"], "AWS.SimpleQueueService.NonExistentQueue", "code")
    with raises(UndefinedQueueException):
        with tasks.app.connection_for_write(transport_options=options) as connection:
            tasks.echo.apply_async(("hello",), queue=clients.queue_name(), connection=connection, retry=False)


@check
def celery_rejected_task_becomes_a_dead_letter():
    client = clients.sqs()
    dead = clients.sqs_queue(client)
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = clients.sqs_queue(client, VisibilityTimeout="4", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2}))
    name = url.rsplit("/", 1)[1]
    process = worker("rejecting", CELERY_QUEUE=name)
    rejected = tasks.always_fails.apply_async(queue=name)
    [letter] = receive_soon(client, dead)
    body = json.loads(base64.b64decode(letter["Body"]))
    equal(body["headers"]["id"], rejected.id, "id of the task in the dead letter")
    equal(len(tasks.notes(rejected)), 2, "runs")
    end(process)


def receive_soon(client, url):
    deadline = time.time() + PATIENCE
    while time.time() < deadline:
        messages = client.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])
        if messages:
            return messages
    return []


@check
def celery_deletes_what_is_done():
    for process in WORKERS:
        process.terminate()  # a warm shutdown
    for process in WORKERS:
        equal(process.wait(PATIENCE), 0, "exit code of a worker")
    left = attributes(QUEUE)
    equal([left["ApproximateNumberOfMessages" + of] for of in ("", "NotVisible", "Delayed")], ["0"] * 3, "messages")
