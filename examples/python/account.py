"""A task of Flyte 2 with a secret in a file at its literal path: flyte-secrets run account.py main"""

import json
from pathlib import Path

import flyte

env = flyte.TaskEnvironment(name="account", secrets=[flyte.Secret("service-account", mount="/etc/flyte/secrets")])


@env.task
def main() -> str:
    account = json.loads(Path("/etc/flyte/secrets/service-account").read_text())
    return f"An account with {' and '.join(sorted(account))}"
