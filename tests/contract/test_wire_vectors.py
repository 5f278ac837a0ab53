"""The wire vectors mean what they say, hold every field of the contract, and fail where one changes its meaning."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.proto import parse_length_prefixed, serialize_length_prefixed
from google.rpc import error_details_pb2, status_pb2
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2

from tools.vectors import every_field

DATA = Path(__file__).parents[2] / "protos" / "testdata"
DIRECTIONS: dict[str, type[Message]] = {
    "requests": conversation_pb.ConverseRequest,
    "responses": conversation_pb.ConverseResponse,
}


def recorded() -> list[Path]:
    return sorted((DATA / "sessions").glob("*.json"))


def delimited(path: Path, kind: type[Message]) -> Iterator[Message]:
    stream = BytesIO(path.read_bytes())
    while (message := parse_length_prefixed(kind, stream)) is not None:
        yield message


def test_every_vector_means_what_it_says() -> None:
    assert list(every_field.changes_of_meaning()) == []


def test_every_field_and_every_value_of_an_enum_occurs_in_a_vector() -> None:
    committed = {path.name: path.read_text() for path in every_field.FOLDER.glob("*.json")}
    assert committed == every_field.fresh(), "stale: run `make generate`"
    told: dict[str, dict[str, list[Any]]] = {}
    for each in every_field.committed():
        for name, value in each["json"].items():
            told.setdefault(each["type"], {}).setdefault(name, []).extend(value if isinstance(value, list) else [value])
    missing = [
        field.full_name
        for message in every_field.messages()
        for field in message.fields
        if not _values(field) <= set(map(str, told[message.full_name].get(field.json_name, [])))
        or field.json_name not in told[message.full_name]
    ]
    assert missing == []


def _values(field: FieldDescriptor) -> set[str]:
    """The values of an enum that have to occur."""
    return set() if field.enum_type is None else {value.name for value in field.enum_type.values[1:]}


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_a_recorded_session_is_read_and_written_alike(path: Path) -> None:
    kind = DIRECTIONS[path.stem.partition(".")[2]]
    binary = path.with_suffix(".binpb")
    messages = list(delimited(binary, kind))
    assert [MessageToDict(message) for message in messages] == json.loads(path.read_text())
    parsed = [ParseDict(each, kind()) for each in json.loads(path.read_text())]
    assert parsed == messages
    written = BytesIO()
    for message in parsed:
        serialize_length_prefixed(message, written)
    assert written.getvalue() == binary.read_bytes()


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_everything_that_can_be_said_is_said_in_a_recorded_session(direction: str) -> None:
    said = {
        message.WhichOneof("event")
        for path in (DATA / "sessions").glob(f"*.{direction}.binpb")
        for message in delimited(path, DIRECTIONS[direction])
    }
    assert said == {field.name for field in DIRECTIONS[direction].DESCRIPTOR.oneofs_by_name["event"].fields}


def test_recorded_sessions_hold_no_secret_and_no_sound() -> None:
    for path in recorded():
        for name, value in _strings(json.loads(path.read_text())):
            if name.endswith("Token"):
                assert value.rpartition("_")[2].isdigit(), (path.name, name)
            if name == "pcm":
                assert len(base64.b64decode(value)) == 8, path.name


def test_a_failure_carries_its_reason_and_its_field() -> None:
    for each in json.loads((DATA / "failures.json").read_text()):
        status = status_pb2.Status.FromString(base64.b64decode(each["status"]))
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        assert status.details[0].Unpack(info)
        assert (info.domain, info.reason, status.message) == ("vivavoce", each["reason"], each["message"])
        if len(status.details) > 1:
            assert status.details[1].Unpack(request)
        assert each["field"] == (request.field_violations[0].field if request.field_violations else "")


@pytest.mark.parametrize("change", ["number", "name", "type", "gone"])
def test_a_field_that_changes_its_meaning_is_found(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = _changed(change)
    monkeypatch.setattr(every_field, "messages", lambda: iter([kind.DESCRIPTOR]))
    vectors = [each for each in every_field.committed() if each["type"] == kind.DESCRIPTOR.full_name]
    monkeypatch.setattr(every_field, "committed", lambda: iter(vectors))
    assert list(every_field.changes_of_meaning()) != []


def _changed(change: str) -> type[Message]:
    """TurnCommitted in a contract in which its sequence became something else."""
    file = FileDescriptorProto(name="changed.proto", package="vivavoce.conversation.v1", syntax="proto3")
    converse_pb2.TurnCommitted.DESCRIPTOR.CopyToProto(message := file.message_type.add())
    for each in message.field:
        each.ClearField("options")
    sequence = next(field for field in message.field if field.name == "sequence")
    match change:
        case "number":
            sequence.number = 9
        case "name":
            sequence.name = sequence.json_name = "position"
        case "type":
            sequence.type = FieldDescriptorProto.TYPE_STRING
        case _:
            message.field.remove(sequence)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("vivavoce.conversation.v1.TurnCommitted"))


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 (JSON)
    match value:
        case dict():
            for key, each in value.items():
                yield from _strings(each, key)
        case list():
            for each in value:
                yield from _strings(each, name)
        case str():
            yield name, value
        case _:
            pass
