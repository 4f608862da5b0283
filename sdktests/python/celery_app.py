"""A Celery application on SQS. celery_checks.py runs workers of it, and says by variables how it is set up."""

import json
import os
import signal
import time
from urllib.parse import urlsplit

from celery import Celery

SERVER = urlsplit(os.environ["POLYMQ_ENDPOINT"])
ACCESS_KEY = os.environ["POLYMQ_ACCESS_KEY"]
SCRATCH = os.environ["CELERY_SCRATCH"]  # a folder for results and for what the tasks note

app = Celery(
    "orders",
    broker="sqs://%s:test@%s" % (ACCESS_KEY, SERVER.netloc),
    backend="file://" + SCRATCH,
)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options=dict(
        region="us-east-1",
        visibility_timeout=int(os.environ.get("CELERY_VISIBILITY_TIMEOUT", "60")),
        wait_time_seconds=4,
        polling_interval=0.1,
        **json.loads(os.environ.get("CELERY_TRANSPORT", "{}"), object_hook=lambda object: {
            int(key) if key.isdigit() else key: value for key, value in object.items()
        }),
    ),
    task_default_queue=os.environ["CELERY_QUEUE"],
    worker_prefetch_multiplier=1,
)


def note(task, text):
    """Notes that a task runs; how often its runs have noted something by now."""
    with open(os.path.join(SCRATCH, "notes-" + task.request.id), "a+") as notes:
        notes.write("%s\n" % text)
        notes.seek(0)
        return len(notes.readlines())


def notes(result):
    """What the runs of a task have noted."""
    with open(os.path.join(SCRATCH, "notes-" + result.id)) as lines:
        return lines.read().split("\n")[:-1]


@app.task
def echo(value):
    return value


@app.task
def total(values):
    return sum(values)


@app.task
def fails():
    raise ValueError("as it should")


@app.task(bind=True)
def started(self):
    """Notes the worker's name and gives the moment."""
    note(self, self.request.hostname)
    return time.time()


@app.task(bind=True, autoretry_for=(ConnectionError,), retry_kwargs={"countdown": 1, "max_retries": 5})
def succeeds_at_the_third_run(self):
    if note(self, "run") < 3:
        raise ConnectionError("not yet")
    return self.request.retries


@app.task(acks_late=True)
def writes(group, number):
    """Notes its beginning and its end in the group's own file, with time enough between for others to come between."""
    path = os.path.join(SCRATCH, "group-" + group)
    for when in ("begins", "ends"):
        with open(path, "a") as lines:
            lines.write("%d %s\n" % (number, when))
        time.sleep(0.02)


@app.task(bind=True, acks_late=True)
def kills_its_first_worker(self):
    if note(self, os.getppid()) == 1:
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(1)
    return "done"


@app.task(bind=True, acks_late=True, acks_on_failure_or_timeout=False)
def fails_twice(self):
    """The transport's back-off policy, no retry of Celery's, brings it back."""
    if note(self, time.time()) < 3:
        raise ConnectionError("not yet")
    return "done"


@app.task(bind=True, acks_late=True, acks_on_failure_or_timeout=False)
def always_fails(self):
    note(self, "run")
    raise ConnectionError("for ever")
