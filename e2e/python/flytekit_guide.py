"""A task of flytekit that opens its file by its path in a pod."""

from pathlib import Path

from flytekit import Secret, task


@task(secret_requests=[Secret(group="mail", key="certificate", mount_requirement=Secret.MountType.FILE)])
def read() -> str:
    return f"found {len(Path('/etc/flyte/secrets/certificate').read_bytes())} bytes"
