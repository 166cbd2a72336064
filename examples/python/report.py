"""A workflow of flytekit with a secret in a variable and one in a file: flyte-secrets run report.py main --day monday"""

import os

from flytekit import Secret, current_context, task, workflow

ENV_VAR, FILE = Secret.MountType.ENV_VAR, Secret.MountType.FILE


@task(secret_requests=[Secret(group="warehouse", key="password", env_var="PGPASSWORD", mount_requirement=ENV_VAR)])
def query(day: str) -> str:
    return f"{day}, with a password of {len(os.environ['PGPASSWORD'])} characters"


@task(secret_requests=[Secret(group="mail", key="certificate", mount_requirement=FILE)])
def send(text: str) -> str:
    certificate = current_context().secrets.get(key="certificate")
    return f"Sent: {text} and a certificate of {len(certificate)}"


@workflow
def main(day: str = "today") -> str:
    return send(text=query(day=day))
