"""Drives flyte.remote.Secret and prints what it saw as one JSON document. Arguments: configuration file, value."""

import json
import sys

import flyte
import flyte.remote
from connectrpc.errors import ConnectError

config, value = sys.argv[1:3]
Secret = flyte.remote.Secret
SCOPES = {"global": ("", ""), "domain": ("", "development"), "project": ("p", "development")}


def enter(scope):
    project, domain = SCOPES[scope]
    flyte.init_from_config(config, project=project, domain=domain)


def failing(call):
    try:
        call()
    except ConnectError as error:
        return {"code": error.code.value, "message": error.message}
    except ValueError as error:
        return {"message": str(error)}
    return None


def names():
    return sorted("/".join([s.pb2.id.project, s.pb2.id.domain, s.name]) for s in Secret.listall())


def facts(secret):
    return {"type": secret.type, "id": secret.to_dict()["id"]}


seen = {"got": {}, "listed": {}, "missing": {}}
for scope in SCOPES:
    enter(scope)
    Secret.create("text", f"{value} of the {scope} scope")
    Secret.create("bytes", bytes(range(256)))
    seen["got"][scope] = facts(Secret.get("text"))
for scope in SCOPES:
    enter(scope)
    seen["listed"][scope] = names()
    seen["missing"][scope] = [failing(lambda: Secret.get("nothing")), failing(lambda: Secret.delete("nothing"))]

enter("global")
auths = json.dumps({"auths": {"registry.example": {"auth": value}}})
Secret.create("pull", auths, type="image_pull")
seen["pull"] = facts(Secret.get("pull"))
Secret.create("pooled", value, cluster_pool="gpu")
seen["pooled"] = facts(Secret.get("pooled", cluster_pool="gpu"))
seen["pool_names"] = sorted(secret.name for secret in Secret.listall(cluster_pool="gpu"))
Secret.delete("pooled", cluster_pool="gpu")
seen["pooled_gone"] = failing(lambda: Secret.get("pooled"))

enter("project")
seen["duplicate"] = failing(lambda: Secret.create("text", value))
seen["pull_in_project"] = failing(lambda: Secret.create("pull", auths, type="image_pull"))
seen["pool_in_project"] = failing(lambda: Secret.get("pooled", cluster_pool="gpu"))
Secret.delete("text")
seen["deleted"] = failing(lambda: Secret.get("text"))
Secret.delete("bytes")
for n in range(250):
    Secret.create(f"paged-{n:03}", value)
seen["paged"] = [secret.name for secret in Secret.listall(limit=20)]
json.dump(seen, sys.stdout)
