"""Workflows of flytekit in every form in which one calls tasks."""

from typing import List

from flytekit import (
    ContainerTask,
    ImageSpec,
    LaunchPlan,
    Secret,
    conditional,
    dynamic,
    map_task,
    task,
    workflow,
)
from flytekit.models.security import SecurityContext

ENV_VAR, FILE = Secret.MountType.ENV_VAR, Secret.MountType.FILE


def secret(key, **options):
    return [Secret(group="team", key=key, **options)]


@task(secret_requests=secret("plain", mount_requirement=ENV_VAR), container_image=ImageSpec(packages=["numpy"]))
def plain(x: int) -> int:
    return x


@task(secret_requests=secret("mapped", group_version="2", mount_requirement=FILE, env_var="MAPPED"))
def mapped(x: int) -> int:
    return x


@task(secret_requests=secret("then"))
def then(x: int) -> int:
    return x


@task(secret_requests=secret("otherwise"))
def otherwise(x: int) -> int:
    return x


@task(secret_requests=secret("hinted"))
def hinted(x: int) -> int:
    return x


@task(secret_requests=secret("named"))
def named(x: int) -> int:
    return x


@task(secret_requests=secret("cleans"))
def cleans(x: int):
    print(x)


@task
def without(x: int) -> int:
    return x


container = ContainerTask(
    name="container", image="busybox", command=["true"], secret_requests=secret("container"), inputs={"x": int}
)
many = map_task(mapped)


@dynamic(secret_requests=secret("dynamic"), node_dependency_hints=[hinted])
def grows(x: int) -> int:
    def twice(y: int) -> int:
        return named(x=y)

    return twice(x)


@workflow
def inner(x: int) -> int:
    return conditional("which").if_(x > 1).then(then(x=x)).else_().then(otherwise(x=x))


@workflow(on_failure=cleans)
def outer(x: int) -> int:
    many(x=[1, 2])
    container(x=x)
    return inner(x=grows(x=x))


plan = LaunchPlan.get_or_create(
    inner, "plan", security_context=SecurityContext(secrets=secret("of-the-plan")), default_inputs={"x": 1}
)


@task(secret_requests=[Secret(group="other", key="plain", mount_requirement=FILE, env_var="MAPPED")])
def conflicting():
    """With `mapped`."""
