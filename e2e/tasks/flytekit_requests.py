"""What flytekit makes of tasks and requests, and what it reads. Run as a program, it answers questions."""

from collections import OrderedDict

import flytekit
from flyteidl.core.security_pb2 import Secret as Message
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.tools.translator import get_serializable

from request_annotations import serve, to_spellings

SETTINGS = SerializationSettings(image_config=ImageConfig(), project="p", domain="development", version="v")


def template_of(task):
    return get_serializable(OrderedDict(), SETTINGS, task).template.to_flyte_idl()


def asking():
    pass


def to_secret(group, groupVersion, key, mountRequirement, envVar):
    mount_requirement = flytekit.Secret.MountType(mountRequirement)
    return flytekit.Secret(group, key or None, groupVersion or None, mount_requirement, envVar or None)


def write(requests):
    task = flytekit.task(asking, secret_requests=[to_secret(**request) for request in requests], container_image="i")
    return [to_spellings(secret) for secret in template_of(task).security_context.secrets]


if __name__ == "__main__":
    serve(Message, template_of, write)
