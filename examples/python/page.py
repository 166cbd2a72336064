"""An app of Flyte 2, served on this machine with its secret: flyte-secrets exec --from page.py:page -- python page.py"""

import os
import sys
from wsgiref.simple_server import make_server

from flyte.app import AppEnvironment

page = AppEnvironment(
    name="page", image="page", args=["python", "page.py"], secrets="openai-key"
)


def answer(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"A key of {len(os.environ['OPENAI_KEY'])} characters\n".encode()]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0, answer) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
