"""What Flyte 2's SDK makes of tasks and secrets, and what it reads. Run as a program, it answers questions."""

import pathlib

import flyte
from flyte._internal.runtime.task_serde import translate_task_to_wire
from flyte.models import SerializationContext
from flyteidl2.core.security_pb2 import Secret as Message

from request_annotations import serve, to_fields, to_spellings

# As Flyte's own deployments fill them in.
CONTEXT = SerializationContext(
    org="flyte",
    project="p",
    domain="development",
    version="v",
    root_dir=pathlib.Path("."),
    input_path="{{.input}}",
    output_path="{{.outputPrefix}}",
)


def template_of(task):
    return translate_task_to_wire(task, CONTEXT).task_template


def write(secrets):
    """The secrets by Flyte's rules; None for one that breaks them."""
    return [one(**secret) for secret in secrets]


def one(key, group, mount, asEnvVar):
    try:
        secret = flyte.Secret(key, group, mount and pathlib.Path(mount), asEnvVar)
    except ValueError:
        return None
    environment = flyte.TaskEnvironment(name="e", image="i", secrets=[secret])

    @environment.task
    async def asking() -> None:
        pass

    (message,) = template_of(asking).security_context.secrets
    return {"fields": to_fields(message), "annotations": to_spellings(message), "hash": secret.stable_hash()}


if __name__ == "__main__":
    serve(Message, template_of, write)
