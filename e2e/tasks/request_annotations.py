"""The annotations of a pod by means that this project has no part in: Google's text format and Python's base32."""

import base64
import importlib
import json
import sys

from google.protobuf import text_format

STANDARD, FLYTE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyz123456"


def to_annotation(message, **spelling):
    text = text_format.MessageToString(message, **spelling)
    return base64.b32encode(text.encode()).decode().rstrip("=").translate(str.maketrans(STANDARD, FLYTE))


def to_spellings(message):
    """Every way in which this library writes a message."""
    ways = ({"as_utf8": True}, {"as_utf8": False}, {"as_one_line": True}, {"use_index_order": True, "as_utf8": False})
    return [to_annotation(message, **way) for way in ways]


def from_annotation(annotation, message):
    encoded = annotation.translate(str.maketrans(FLYTE, STANDARD))
    text = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    return to_fields(text_format.Parse(text, message))


def to_fields(message):
    return {
        "group": message.group,
        "groupVersion": message.group_version,
        "key": message.key,
        "mountRequirement": message.mount_requirement,
        "envVar": message.env_var,
    }


def serve(message_class, template_of, write):
    """Answers questions, one JSON document a line, until there are no more; `ask` says which answer is wanted."""
    answers = {
        "write": write,
        "read": lambda annotations: [from_annotation(annotation, message_class()) for annotation in annotations],
        "template": lambda task: describe(template_of(find(task))),
    }
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(answers[question.pop("ask")](**question)), flush=True)


def find(task):
    module, name = task.split(".")
    return getattr(importlib.import_module(module), name)


def describe(template):
    secrets = template.security_context.secrets
    return {"args": list(template.container.args), "annotations": [to_annotation(secret) for secret in secrets]}
