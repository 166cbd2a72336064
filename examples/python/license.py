"""A task of Flyte 2 with a secret of any bytes in a file: flyte-secrets run license.py main"""

import hashlib
import os
from pathlib import Path

import flyte

env = flyte.TaskEnvironment(name="license", secrets=[flyte.Secret("license", mount="/etc/flyte/secrets")])


@env.task
def main() -> str:
    # /etc/flyte/secrets in a cluster, and where this machine lets files be mounted there.
    path = Path(os.environ["FLYTE_SECRETS_DEFAULT_DIR"]) / "license"
    return f"A license of {path.stat().st_size} bytes, {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
