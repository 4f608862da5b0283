"""Runs SDKs of Python against a polymq server, as an application would use them.

    program.py check GROUP...   runs the checks of the groups, such as sqs; prints a line for each and
                                ends with 1 if any failed
    program.py talk SDK         sends and receives what it is told on standard input: a JSON request per line,
                                {"op": "send", "queue": …, "text": …} or {"op": "receive", "queue": …}, and a
                                JSON answer per line: {"text": …} or {"error": …}

POLYMQ_ENDPOINT is the server's URL; POLYMQ_ACCESS_KEY the access key, whose account the queues belong to.
"""

import importlib
import sys

import checking


def main(mode, *arguments):
    if mode == "talk":
        return importlib.import_module("talking").talk(*arguments)
    if mode == "check":
        for group in arguments:
            importlib.import_module(group + "_checks")  # registers its checks
        return checking.run()
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or [""]))
