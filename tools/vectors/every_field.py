"""The vectors in which every field of the contract occurs; they tell when one no longer means what it did."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from vivavoce.ai_engine.v1 import ai_engine_service_pb2
from vivavoce.conversation.v1 import conversation_service_pb2
from vivavoce.history.v1 import history_service_pb2
from vivavoce.media.v1 import media_service_pb2
from vivavoce.user.v1 import user_service_pb2

from tools.vectors.filling import filled

FOLDER: Final = Path(__file__).resolve().parents[2] / "protos" / "testdata" / "every_field"
_SERVICES: Final = (
    user_service_pb2.DESCRIPTOR,
    conversation_service_pb2.DESCRIPTOR,
    ai_engine_service_pb2.DESCRIPTOR,
    history_service_pb2.DESCRIPTOR,
    media_service_pb2.DESCRIPTOR,
)
_PACKAGE: Final = "vivavoce."

#: A message as it stands in a file: its type, its bytes in base64, and its JSON.
Vector = dict[str, Any]


def fresh() -> dict[str, str]:
    """What each file should hold, by its name."""
    vectors: dict[str, list[Vector]] = {}
    for message in messages():
        vectors.setdefault(f"{message.file.package}.json", []).extend(map(vector, filled(message)))
    return {name: as_text(held) for name, held in vectors.items()}


def messages() -> Iterator[Descriptor]:
    """Every message of the contract, in the order of their names."""
    files: dict[str, FileDescriptor] = {}
    pending = list(_SERVICES)
    while pending:
        file = pending.pop()
        if file.package.startswith(_PACKAGE) and file.name not in files:
            files[file.name] = file
            pending.extend(file.dependencies)
    found = [message for file in files.values() for message in file.message_types_by_name.values()]
    yield from sorted(found, key=lambda message: message.full_name)


def vector(message: Message) -> Vector:
    """A message as a file holds it."""
    binary = base64.b64encode(message.SerializeToString(deterministic=True)).decode()
    return {"type": message.DESCRIPTOR.full_name, "binary": binary, "json": MessageToDict(message)}


def as_text(vectors: list[Vector]) -> str:
    """A file: one vector a line, so that changes can be read."""
    return "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in vectors) + "\n]\n"


def committed() -> Iterator[Vector]:
    """What the files hold."""
    for path in sorted(FOLDER.glob("*.json")):
        yield from json.loads(path.read_text())


def changes_of_meaning() -> Iterator[str]:
    """What the committed vectors say and the contract no longer does. New fields and messages change no meaning."""
    known = {message.full_name: GetMessageClass(message) for message in messages()}
    for each in committed():
        kind = known.get(each["type"])
        if kind is None:
            yield f"{each['type']} is gone"
        elif complaint := _complaint(kind, each):
            yield f"{each['type']}: {complaint}"


def _complaint(kind: type[Message], each: Vector) -> str:
    binary = base64.b64decode(each["binary"])
    try:
        read, parsed = kind.FromString(binary), ParseDict(each["json"], kind())
    except (DecodeError, ParseError) as error:
        return str(error)
    if (now := MessageToDict(read)) != each["json"]:
        return f"its bytes now mean {json.dumps(now, ensure_ascii=False)}"
    # Unknown fields are kept, and come out again.
    if parsed.SerializeToString(deterministic=True) != binary or read.SerializeToString(deterministic=True) != binary:
        return "it is written as other bytes now"
    return ""
