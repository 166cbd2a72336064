"""A task of Flyte 2 with a secret of a group, in the variable that Flyte derives: flyte-secrets run group.py main"""

import os

import flyte

env = flyte.TaskEnvironment(name="group", secrets=[flyte.Secret("password", group="warehouse")])


@env.task
def main() -> str:
    return f"A password of {len(os.environ['WAREHOUSE_PASSWORD'])} characters"
