"""A task of Flyte 2 with a secret of any bytes in a file: flyte-secrets run license.py main"""

import hashlib
import os
from pathlib import Path

import flyte

env = flyte.TaskEnvironment(name="license", secrets=[flyte.Secret("license", mount="/etc/flyte/secrets")])


@env.task
def main() -> str:
    # In a cluster /etc/flyte/secrets; on this machine a directory that is gone when the task has ended.
    path = Path(os.environ["FLYTE_SECRETS_DEFAULT_DIR"]) / "license"
    return f"A license of {path.stat().st_size} bytes, {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
