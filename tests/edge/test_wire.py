"""What the page's own protobuf encoder writes, Python reads, and the other way round; its table is the contract's."""

import base64
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb

from tests.edge.javascript import run

SCALARS = {
    FieldDescriptor.TYPE_INT64: "int",
    FieldDescriptor.TYPE_INT32: "int",
    FieldDescriptor.TYPE_ENUM: "int",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
}
PACKAGES = ("vivavoce.conversation.v1", "vivavoce.type.v1")

REQUESTS: list[dict[str, Any]] = [
    {
        "startSession": {
            "newConversation": {"scenarioId": "café-☕"},
            "inputAudio": {"encoding": 1, "sampleRateHz": 44100},
            "outputAudio": {"encoding": 1, "sampleRateHz": 24000},
            "client": "page",
        }
    },
    {"appendAudio": {"firstSample": 2**40 + 3, "pcm": "AAECAwQF/w=="}},
    {"submitText": {"text": "Grüße 👋" * 50}},
    {"reportPlayed": {"replyId": "rep_1", "samples": 300}},
    {"commitTurn": {}},
    {"holdTurn": {"held": True}},
    {"cancelReply": {}},
    {"repeatReply": {"replyId": "rep_1", "speakingRate": 0.75}},
    {"refreshAccess": {"accessToken": "t" * 300}},
    {"endSession": {"endConversation": True}},
]

RESPONSES: list[dict[str, Any]] = [
    {"sequence": 1, "sessionStarted": {"sessionId": "ses_1", "engineLabels": ["a", "b"], "nextInputSample": 2**33}},
    {"sequence": 2, "transcriptRevised": {"turnId": "trn_1", "revision": 2, "text": "Bonjour à tous"}},
    {"sequence": 300, "replyAudio": {"replyId": "rep_1", "firstSample": 4864, "pcm": "AAH/fwCA"}},
    {"sequence": 4, "replyFinished": {"replyId": "rep_1", "outcome": 2, "heardText": "Hi", "heardSamples": 5}},
    {"sequence": 5, "feedbackGiven": {"turnId": "t", "correction": {"kind": 1, "said": "I has", "better": "I have"}}},
    {"sequence": 6, "scenarioProgressed": {"progress": {"reachedGoalIds": ["greet", "order"], "finished": True}}},
    {"sequence": 7, "replyMeasured": {"ledger": {"totalMs": 612.5, "stages": [{"name": "model", "durationMs": 0.5}]}}},
    {"sequence": 8, "errorRaised": {"failure": {"reason": 10, "message": "Odd.", "field": "pcm", "retryable": True}}},
    {"sequence": 9, "sessionEnded": {"turnCount": 3}},
]


def test_the_table_of_fields_is_the_contract_s(tmp_path: Path) -> None:
    table = run(tmp_path, 'import { MESSAGES } from "./wire.mjs"; console.log(JSON.stringify(MESSAGES));')
    assert isinstance(table, dict)
    for name, fields in table.items():
        message = _message(name)
        by_json_name = {field.json_name: field for field in message.fields}
        for field_name, (number, type_) in fields.items():
            field = by_json_name[field_name]
            kind = SCALARS.get(field.type) or (field.message_type.name if field.message_type else "")
            assert (number, type_) == (field.number, ("*" if field.is_repeated else "") + kind), f"{name}.{field_name}"


def test_python_reads_what_the_page_writes(tmp_path: Path) -> None:
    script = """
        import { encode } from "./wire.mjs";
        for (const request of given) {
          if (request.appendAudio) request.appendAudio.pcm = Buffer.from(request.appendAudio.pcm, "base64");
        }
        console.log(JSON.stringify(given.map((request) => Buffer.from(encode(request)).toString("base64"))));
    """
    written = run(tmp_path, script, REQUESTS)
    assert isinstance(written, list)
    for text, request in zip(written, REQUESTS, strict=True):
        expected = ParseDict(request, conversation_pb.ConverseRequest())
        assert conversation_pb.ConverseRequest.FromString(base64.b64decode(text)) == expected


def test_the_page_reads_what_python_writes(tmp_path: Path) -> None:
    script = """
        import { decode } from "./wire.mjs";
        const read = given.map((text) => decode(new Uint8Array(Buffer.from(text, "base64"))));
        const plain = (_, value) => value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
        console.log(JSON.stringify(read, plain));
    """
    encoded = [ParseDict(response, conversation_pb.ConverseResponse()).SerializeToString() for response in RESPONSES]
    read = run(tmp_path, script, [base64.b64encode(each).decode() for each in encoded])
    assert isinstance(read, list)
    for event, response in zip(read, RESPONSES, strict=True):
        (name,) = response.keys() - {"sequence"}
        assert (event["sequence"], event["event"]) == (response["sequence"], name)
        assert _covers(event["value"], response[name]), event


def test_fields_of_a_newer_contract_are_skipped(tmp_path: Path) -> None:
    script = """
        import { decode } from "./wire.mjs";
        console.log(JSON.stringify(decode(Uint8Array.from(given))));
    """
    newer = bytes.fromhex("a21f03616263" + "a81f8001" + "b51f00000000" + "b91f0000000000000000")
    known = conversation_pb.ConverseResponse(sequence=7).SerializeToString()
    assert run(tmp_path, script, list(newer + known)) == {"sequence": 7, "event": ""}


def test_a_message_cut_short_is_refused(tmp_path: Path) -> None:
    script = """
        import { decode } from "./wire.mjs";
        let refused = false;
        try { decode(Uint8Array.from(given)); } catch (error) { refused = error instanceof RangeError; }
        console.log(refused);
    """
    assert run(tmp_path, script, [0x4A, 0x20, 0x01]) is True


def _message(name: str) -> Descriptor:
    pool = descriptor_pool.Default()
    for package in PACKAGES:
        try:
            return pool.FindMessageTypeByName(f"{package}.{name}")
        except KeyError:
            continue
    raise AssertionError(f"the contract has no message {name}")


def _covers(read: object, sent: object) -> bool:
    """Whether everything sent was read; what was not sent is there as a default."""
    if isinstance(sent, dict) and isinstance(read, dict):
        return all(_covers(read[key], value) for key, value in sent.items())
    if isinstance(sent, list) and isinstance(read, list):
        return len(read) == len(sent) and all(map(_covers, read, sent))
    return bool(read == sent)
