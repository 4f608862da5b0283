"""What Alibaba's SDK is told of a request that is signed wrongly, on a server that verifies signatures."""

from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message

import clients
from checking import check, equal, raises


def equal_refused(code, access_key, secret_key, token=""):
    queue = Account(clients.ENDPOINT, access_key, secret_key, token).get_queue(clients.mns_queue(clients.mns()).queue_name)
    for call in (queue.get_attributes, lambda: queue.send_message(Message("hello")), queue.receive_message):
        with raises(MNSServerException) as caught:
            call()
        equal((caught[0].type, bool(caught[0].request_id)), (code, True), "code, and that there is a request id")


@check
def mns_wrong_secret():
    equal_refused("SignatureDoesNotMatch", clients.ACCESS_KEY, "wrong")


@check
def mns_unknown_key():
    equal_refused("InvalidAccessKeyId", "LTAINONE", clients.SECRET_KEY)


@check
def mns_token_of_no_session():
    equal_refused("InvalidAccessKeyId", clients.ACCESS_KEY, clients.SECRET_KEY, "token")
