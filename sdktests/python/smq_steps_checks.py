"""The requests that generated clients of SMQ's control plane send, for every action, and what comes back: smq_steps.json
has them for the programs of all languages, with the parameters where the generated clients have them. They go through the
core that the generated client calls, in each of its ways to sign and to speak, and through the core before it."""

import json
import os
import uuid

from alibabacloud_tea_openapi.client import Client as Core
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from darabonba.runtime import RuntimeOptions

from checking import check, equal

HOST = os.environ.get("POLYMQ_ENDPOINT", "http://127.0.0.1:4566").split("://")[1]
KEY = os.environ.get("POLYMQ_ACCESS_KEY", "test")
SECRET = os.environ.get("POLYMQ_SECRET_KEY", "test")
VERSION = "2022-01-19"


class Coded(Exception):
    """An error with a code of the service."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def as_texts(parameters):
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in parameters.items()}


def generated(action, query, form, algorithm=None, style="RPC", body_type="formData"):
    core = Core(Config(access_key_id=KEY, access_key_secret=SECRET, endpoint=HOST, protocol="http", signature_algorithm=algorithm))
    params = Params(action=action, version=VERSION, protocol="HTTP", pathname="/", method="POST", auth_type="AK", style=style, req_body_type=body_type, body_type="json")
    try:
        return core.call_api(params, OpenApiRequest(query=query, body=form or None), RuntimeOptions())["body"]
    except Exception as error:
        raise Coded(getattr(error, "code", repr(error))) from error


def old(action, query, form, method):
    request = CommonRequest(domain=HOST, version=VERSION, action_name=action)
    request.set_protocol_type("http")
    request.set_method(method)
    for name, value in query.items():
        request.add_query_param(name, value)
    for name, value in form.items():
        (request.add_body_params if method == "POST" else request.add_query_param)(name, value)
    try:
        return json.loads(AcsClient(KEY, SECRET, "cn-hangzhou").do_action_with_exception(request))
    except ServerException as error:
        raise Coded(error.error_code) from error


def at(document, path):
    """Gives what is found in a document behind names and numbers, one below the other."""
    for name in path.split("."):
        if isinstance(document, list):
            document = document[int(name)] if int(name) < len(document) else None
        else:
            document = (document or {}).get(name)
    return document


def walk(call):
    with open(os.path.join(os.environ.get("POLYMQ_SDKTESTS", ".."), "smq_steps.json"), encoding="utf-8") as file:
        steps = json.loads(file.read().replace("$", "orders-" + uuid.uuid4().hex[:12]))
    for number, step in enumerate(steps, 1):
        where = "step %d, %s" % (number, step["action"])
        document, code = None, None
        try:
            document = call(step["action"], as_texts(step.get("query", {})), as_texts(step.get("form", {})))
        except Coded as error:
            code = error.code
        equal(code, step.get("error"), where)
        for path, want in step.get("want", {}).items():
            equal(at(document, path), want, "%s, %s" % (where, path))


@check
def smq_steps_generated_core_acs3():
    walk(generated)


@check
def smq_steps_generated_core_hmac_sha1():
    walk(lambda action, query, form: generated(action, query, form, algorithm="v2"))


@check
def smq_steps_generated_core_roa():
    walk(lambda action, query, form: generated(action, {}, {**query, **form}, style="ROA", body_type="json"))


@check
def smq_steps_old_core_get():
    walk(lambda action, query, form: old(action, query, form, "GET"))


@check
def smq_steps_old_core_post():
    walk(lambda action, query, form: old(action, query, form, "POST"))
