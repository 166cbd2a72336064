"""Environments of Flyte 2 that deploy each other, an app, and an image that would have to be built."""

import flyte
from flyte.app import AppEnvironment

print("importing", __name__)

IMAGE = flyte.Image.from_debian_base(registry="registry.example").with_pip_packages("numpy")

leaf = flyte.TaskEnvironment(name="leaf", image=IMAGE, secrets=[flyte.Secret("leaf-key", group="team")])
middle = flyte.TaskEnvironment(name="middle", secrets="middle-key", depends_on=[leaf])
apart = flyte.TaskEnvironment(name="apart", secrets=flyte.Secret("apart-key", as_env_var="MIDDLE_KEY"))
page = AppEnvironment(name="page", image="page", secrets=[flyte.Secret("page-key", mount="/etc/flyte/secrets")])


@leaf.task
async def deepest() -> int:
    return 1


@middle.task
async def main(x: int = 1) -> int:
    return x + await deepest()


@middle.task
def beside() -> int:
    return 2


@apart.task
def alone() -> int:
    return 3


overridden = alone.override(secrets=["other-key"])
