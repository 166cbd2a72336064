"""A task of Flyte 2 that opens its file where Flyte's guide says that it is."""

from pathlib import Path

import flyte

env = flyte.TaskEnvironment(name="guide", secrets=[flyte.Secret("certificate", mount="/etc/flyte/secrets")])


@env.task
def read() -> str:
    return f"found {len(Path('/etc/flyte/secrets/certificate').read_bytes())} bytes"
