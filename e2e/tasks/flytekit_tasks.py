"""Tasks of somebody who uses flytekit, one for each secret manager: what they ask for, and how they read it."""

import base64
import json
import os

from flytekit import Secret, current_context, task

ENV_VAR, FILE = Secret.MountType.ENV_VAR, Secret.MountType.FILE


def show(**read):
    """Prints what was read as one line of JSON, bytes in base64."""
    print(json.dumps({name: to_json(value) for name, value in read.items()}))


def to_json(value):
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def content(path):
    with open(path, "rb") as file:
        return file.read()


@task(
    container_image="task",
    secret_requests=[
        Secret(group="database", key="password", mount_requirement=ENV_VAR),
        Secret(group="database", key="Url", mount_requirement=ENV_VAR, env_var="DATABASE_URL"),
        Secret(group="tls", key="Server.crt", mount_requirement=FILE, env_var="CERTIFICATE"),
        Secret(group="tls", key="archive", group_version="v2"),
        Secret(group="no-such-group", key="optional", mount_requirement=ENV_VAR),
    ],
)
def k8s():
    secrets = current_context().secrets
    show(
        variable=secrets.get("database", "password"),
        attribute=secrets.database.password,
        own_variable=os.environ["DATABASE_URL"],
        file=secrets.get("tls", "Server.crt"),
        own_path=content(os.environ["CERTIFICATE"]),
        binary=secrets.get("tls", "archive", encode_mode="rb"),
        absent=os.environ.get("_UNION_NO-SUCH-GROUP_OPTIONAL"),
    )


@task(
    container_image="task",
    secret_requests=[
        Secret(group="arn:aws:secretsmanager:eu-west-1:1:secret:Shop", key="Password", mount_requirement=FILE),
        Secret(group="shop", key="archive"),
    ],
)
def aws():
    secrets = current_context().secrets
    show(
        file=secrets.get("arn:aws:secretsmanager:eu-west-1:1:secret:Shop", "Password"),
        binary=secrets.get("shop", "archive", encode_mode="rb"),
    )


@task(
    container_image="task",
    secret_requests=[
        Secret(group="projects/p/secrets/Shop", key="any", group_version="3", mount_requirement=FILE),
        Secret(group="archive", group_version="latest"),
    ],
)
def gcp():
    secrets = current_context().secrets
    show(
        file=secrets.get("projects/p/secrets/Shop", group_version="3"),
        binary=secrets.get("archive", group_version="latest", encode_mode="rb"),
    )


@task(
    container_image="task",
    secret_requests=[
        Secret(group="https://v.vault.azure.net/secrets/Shop", group_version="1f", mount_requirement=FILE),
        Secret(group="https://v.vault.azure.net/secrets/Newest", key="any"),
    ],
)
def azure():
    secrets = current_context().secrets
    show(version=secrets.get("Shop", group_version="1f"), newest=secrets.get("Newest"))


@task(
    container_image="task",
    secret_requests=[
        Secret(group="secret/data/shop", key="password", mount_requirement=FILE),
        Secret(group="kv/shop", key="password", group_version="kv1"),
        Secret(group="database/creds/shop", key="credentials", group_version="db"),
    ],
)
def vault():
    secrets = current_context().secrets
    show(
        kv2=secrets.get("secret/data/shop", "password"),
        kv1=secrets.get("kv/shop", "password"),
        dynamic=secrets.get("database/creds/shop", "credentials"),
    )


@task(
    container_image="task",
    secret_requests=[
        Secret(group="smtp", key="password", mount_requirement=ENV_VAR),
        Secret(group="smtp", key="user"),
        Secret(group="any", key="api-key", mount_requirement=ENV_VAR),
        Secret(group="any", key="token", env_var="TOKEN"),
        Secret(group="any", key="certificate", mount_requirement=FILE, env_var="CERTIFICATE"),
        Secret(group="any", key="archive", mount_requirement=FILE),
    ],
)
def embedded():
    """After Global, which serves the first two."""
    secrets = current_context().secrets
    show(
        from_global=secrets.get("smtp", "password"),
        from_global_file=secrets.smtp.user,
        variable=secrets.get(key="api-key"),
        own_variable=os.environ["TOKEN"],
        file=secrets.get(key="certificate"),
        own_path=content(os.environ["CERTIFICATE"]),
        binary=secrets.get(key="archive", encode_mode="rb"),
    )


@task(
    container_image="task",
    secret_requests=[Secret(group="my-db-credentials", key="password", mount_requirement=ENV_VAR)],
)
def user_guide():
    """As Flyte's user guide names variables: with the prefix FLYTE_SECRETS_ and naming posix."""
    show(
        variable=current_context().secrets.get("my-db-credentials", "password"),
        guides_variable=os.environ["FLYTE_SECRETS_MY_DB_CREDENTIALS_PASSWORD"],
    )
