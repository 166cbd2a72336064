"""Tasks of somebody who uses Flyte 2's SDK, one for each secret manager: what they ask for, and how they read it."""

import base64
import hashlib
import json
import os
from pathlib import Path

from flyte import Secret, TaskEnvironment

SECRETS = Path("/etc/flyte/secrets")


def show(**read):
    """Prints what was read as one line of JSON, bytes in base64."""
    print(json.dumps({name: to_json(value) for name, value in read.items()}))


def to_json(value):
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def environment(name, *secrets):
    return TaskEnvironment(name=name, image="task", secrets=list(secrets))


MANAGED = SECRETS / hashlib.md5(b"archive").hexdigest()


@environment(
    "k8s",
    Secret("password", group="database"),
    Secret("Url", group="database", as_env_var="DATABASE_URL"),
    Secret("Server.crt", group="tls", mount=SECRETS),
    Secret("api-key"),
    Secret("archive", mount=SECRETS),
).task
async def k8s() -> None:
    show(
        variable=os.environ["DATABASE_PASSWORD"],
        own_variable=os.environ["DATABASE_URL"],
        file=(SECRETS / "tls" / "server.crt").read_bytes(),
        managed=os.environ["API_KEY"],
        managed_file=(MANAGED / "archive").read_bytes(),
    )


@environment(
    "aws",
    Secret("Password", group="arn:aws:secretsmanager:eu-west-1:1:secret:Shop", mount=SECRETS),
    Secret("archive", group="shop", mount=SECRETS),
).task
async def aws() -> None:
    show(
        file=(SECRETS / "arn:aws:secretsmanager:eu-west-1:1:secret:shop" / "password").read_bytes(),
        binary=(SECRETS / "shop" / "archive").read_bytes(),
    )


@environment("gcp", Secret("any", group="archive", mount=SECRETS)).task
async def gcp() -> None:
    """Not to be had: Flyte 2's SDK has no versions, which the manager needs."""


@environment("azure", Secret("any", group="https://v.vault.azure.net/secrets/Newest", mount=SECRETS)).task
async def azure() -> None:
    show(newest=(SECRETS / "newest").read_text())


@environment("vault", Secret("password", group="secret/data/shop", mount=SECRETS)).task
async def vault() -> None:
    show(kv2=(SECRETS / "secret/data/shop/password").read_text())


@environment(
    "embedded",
    Secret("password", group="smtp"),
    Secret("api-key"),
    Secret("token", as_env_var="TOKEN"),
    Secret("certificate", mount=SECRETS),
    Secret("archive", group="any", mount=SECRETS),
).task
async def embedded() -> None:
    """After Global, which serves the first one, under its own name only, as in Flyte."""
    show(
        from_global=os.environ["_UNION_SMTP_PASSWORD"],
        variable=os.environ["API_KEY"],
        own_variable=os.environ["TOKEN"],
        file=(SECRETS / "certificate").read_text(),
        binary=(SECRETS / "archive").read_bytes(),
    )
