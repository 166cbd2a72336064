"""Reads Flyte's messages as Flyte's package has them and sends them by Connect. One JSON question a line, one answer a line."""

import base64
import importlib
import json
import sys

from connectrpc.client import ConnectClientSync
from connectrpc.codec import proto_binary_codec, proto_json_codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo
from google.protobuf import descriptor_pool, json_format, message_factory

for module in ["auth.auth_service", "cluster.service", "secret.secret", "core.security"]:
    importlib.import_module(f"flyteidl2.{module}_pb2")

POOL = descriptor_pool.Default()
CODECS = {"proto": proto_binary_codec, "json": proto_json_codec}


def message_of(type_name):
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(type_name))


def descriptor(question):
    """A file's descriptor."""
    return base64.b64encode(POOL.FindFileByName(question["file"]).serialized_pb).decode()


def read(question):
    """What the messages say, from bytes and from JSON, in both forms again. Unknown fields are errors."""
    message = message_of(question["type"])
    answers = []
    for one in question["messages"]:
        binary = message.FromString(base64.b64decode(one["proto"]))
        size = binary.ByteSize()
        binary.DiscardUnknownFields()
        same = binary.ByteSize() == size and binary == json_format.Parse(one["json"], message())
        data = base64.b64encode(binary.SerializeToString(deterministic=True)).decode()
        answers.append({"same": same, "proto": data, "json": json_format.MessageToJson(binary)})
    return answers


def call(question):
    """One call by Connect: the answer as JSON, or the error's code and message."""
    service, name = question["rpc"].split("/")
    method = POOL.FindServiceByName(service).FindMethodByName(name)
    by_get = question.get("get", False)
    info = MethodInfo(
        name=name,
        service_name=service,
        input=message_of(method.input_type.full_name),
        output=message_of(method.output_type.full_name),
        idempotency_level=IdempotencyLevel.NO_SIDE_EFFECTS if by_get else IdempotencyLevel.UNKNOWN,
    )
    client = ConnectClientSync(question["url"], codec=CODECS[question["codec"]]())
    request = json_format.ParseDict(question["message"], info.input())
    try:
        answer = client.execute_unary(request=request, method=info, headers=question.get("headers"), use_get=by_get)
    except ConnectError as error:
        return {"code": error.code.value, "message": error.message}
    return json_format.MessageToDict(answer)


ANSWERS = {"descriptor": descriptor, "read": read, "call": call}
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(ANSWERS[asked["ask"]](asked)), flush=True)
