"""Tasks of Flyte 2 in two environments, of which one calls the other: flyte-secrets run pipeline.py main --rows 3"""

import os

import flyte

database = flyte.TaskEnvironment(
    name="database", secrets=[flyte.Secret("password", group="warehouse", as_env_var="PGPASSWORD")]
)
env = flyte.TaskEnvironment(name="pipeline", secrets="openai-key", depends_on=[database])


@database.task
async def count(rows: int) -> int:
    assert os.environ["PGPASSWORD"]
    return rows


@env.task
async def main(rows: int = 1) -> str:
    return f"{await count(rows)} rows, and a key of {len(os.environ['OPENAI_KEY'])} characters"
