"""The bytes that docs/websocket.md shows are the real ones."""

import json
import re
from pathlib import Path

from google.protobuf import json_format
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb

from tests.edge.conftest import sound, start

PAGE = (Path(__file__).parents[2] / "docs" / "websocket.md").read_text()


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [text for named, text in found if named == language]


def documented_bytes(block: str) -> bytes:
    lines = (re.match(r"\s*((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:\s|$)", line) for line in block.splitlines())
    return bytes.fromhex("".join(line[1] for line in lines if line))


def test_the_first_message_is_as_documented_in_bytes_and_in_text() -> None:
    (shown,) = [block for block in blocks("") if "ConverseRequest.start_session" in block]
    assert documented_bytes(shown) == start().SerializeToString()
    assert json.loads(blocks("json")[0]) == json_format.MessageToDict(start())


def test_the_head_of_a_sound_message_is_as_documented() -> None:
    pcm, opus = [block for block in blocks("") if "ConverseRequest.append_audio" in block]
    assert sound(640, bytes(640)).SerializeToString().startswith(documented_bytes(pcm))
    packet = conversation_pb.ConverseRequest()
    packet.append_audio.first_sample = 1920
    packet.append_audio.opus_packets.append(bytes(62))
    assert packet.SerializeToString().startswith(documented_bytes(opus))


def test_the_head_of_a_reply_s_sound_is_as_documented() -> None:
    (shown,) = [block for block in blocks("") if "ConverseResponse.reply_audio" in block]
    message = conversation_pb.ConverseResponse(sequence=42)
    message.reply_audio.first_sample = 4864
    encoded = message.SerializeToString()
    assert encoded[:3] == bytes.fromhex("082a4a")
    assert encoded[4:] == bytes.fromhex("108026")
    assert "10 80 26" in shown
