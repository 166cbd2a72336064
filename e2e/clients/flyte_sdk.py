"""Drives flyte.remote.Secret and prints what it saw as one JSON document. Arguments: configuration file, value."""

import json
import sys

import flyte
import flyte.remote
from connectrpc.errors import ConnectError

config, value = sys.argv[1:3]


def failing(call):
    try:
        call()
    except ConnectError as error:
        return {"code": error.code.value, "message": error.message}
    return None


flyte.init_from_config(config, project="p", domain="development")
Secret = flyte.remote.Secret
seen = {}
Secret.create("text", value)
Secret.create("bytes", bytes(range(256)))
one = Secret.get("text")
seen["one"] = {"name": one.name, "type": one.type, "json": one.to_dict()}
seen["duplicate"] = failing(lambda: Secret.create("text", value))
seen["missing"] = failing(lambda: Secret.get("nothing"))
seen["missing_delete"] = failing(lambda: Secret.delete("nothing"))
Secret.delete("bytes")
for n in range(250):
    Secret.create(f"paged-{n:03}", value)
seen["listed"] = [secret.name for secret in Secret.listall(limit=20)]
json.dump(seen, sys.stdout)
