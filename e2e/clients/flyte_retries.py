"""Asks Flyte's client what it makes of answers. One JSON list of answers in, what it makes of each out.

An answer is an error (code, message) or what HTTP gave (status, body)."""

import asyncio
import json
import sys

from connectrpc._protocol import ConnectWireError
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from flyte.remote._client.auth._interceptors.auth import AuthUnaryInterceptor
from flyte.remote._client.auth._interceptors.retry import RetryUnaryInterceptor


class Response:
    """As much of pyqwest's response as is read."""

    def __init__(self, status, body):
        self.status = status
        self._body = body

    def json(self):
        return json.loads(self._body)


class Logins:
    """An authenticator without credentials, or with ones that the service has seen."""

    def __init__(self, headers):
        self.headers = headers
        self.count = 0

    async def get_auth_headers(self):
        return self.headers

    async def refresh_credentials(self, creds_id=None):
        self.count += 1


class Context:
    def request_headers(self):
        return {}


class Credentials:
    creds_id = "1"
    headers = {"authorization": "Bearer t"}


async def calls_and_logins(error, headers):
    calls = 0

    async def call(request, ctx):
        nonlocal calls
        calls += 1
        raise error

    logins = Logins(headers)
    auth = AuthUnaryInterceptor(lambda: logins)
    try:
        await auth.intercept_unary(call, None, Context())
    except ConnectError:
        pass
    calls = 0
    try:
        await RetryUnaryInterceptor(initial_backoff=0).intercept_unary(call, None, Context())
    except ConnectError:
        pass
    return calls, logins.count


def error_of(answer):
    if "status" in answer:
        return ConnectWireError.from_response(Response(answer["status"], answer["body"])).to_exception()
    return ConnectError(Code(answer["code"]), answer["message"])


async def make(answer):
    error = error_of(answer)
    calls, without = await calls_and_logins(error, None)
    _, given = await calls_and_logins(error, Credentials())
    return {"code": error.code.value, "repeats": calls - 1, "logsIn": without > 0, "logsInAgain": given > 0}


async def main():
    return [await make(answer) for answer in json.load(sys.stdin)]


json.dump(asyncio.run(main()), sys.stdout)
