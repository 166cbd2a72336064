"""A map task of flytekit, of which each call has the secret: flyte-secrets run shards.py main --shards '[1, 2, 3]'"""

import os

from flytekit import Secret, map_task, task, workflow

ENV_VAR = Secret.MountType.ENV_VAR


@task(secret_requests=[Secret(group="bucket", key="token", env_var="BUCKET_TOKEN", mount_requirement=ENV_VAR)])
def fetch(shard: int) -> str:
    return f"shard {shard} with a token of {len(os.environ['BUCKET_TOKEN'])}"


@workflow
def main(shards: list[int]) -> list[str]:
    return map_task(fetch)(shard=shards)
