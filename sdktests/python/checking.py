"""Named checks: a function per promise of the manual, and a line per check."""

import contextlib
import traceback

CHECKS = []

# What a queue must give back as it was sent: texts that a careless encoder changes.
TEXTS = {
    "plain": "hello",
    "unicode": "naïve Ω 日本語 \U0001f680",
    "xml": "<a b='1' c=\"2\">&amp; ]]> &#13;</a>",
    "line ends": "one\r\ntwo\rthree\n\tfour",
    "blanks": "  two before, two after  ",
    "json": '{"a": "\\u00e9", "b": [1, null]}',
    "base64": "aGVsbG8gd29ybGQ=",
    "percent": "100% a+b %2B &c=d",
    "long": "0123456789abcdef" * 2048,
}


def check(function):
    CHECKS.append(function)
    return function


def run():
    failed = 0
    for function in CHECKS:
        try:
            function()
            print("ok", function.__name__, flush=True)
        except Exception as error:
            failed += 1
            frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith("_checks.py")]
            why = " ".join(("%s: %s" % (type(error).__name__, error)).split())
            print("FAIL %s: %s (line %d)" % (function.__name__, why, frames[-1].lineno), flush=True)
    return 1 if failed else 0


def equal(got, want, what="value"):
    if got != want:
        raise AssertionError("%s: got %.300r, want %.300r" % (what, got, want))


@contextlib.contextmanager
def raises(kind):
    """Expects an error of this kind; the yielded list then holds it."""
    caught = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    else:
        raise AssertionError("no %s was raised" % kind.__name__)
