"""A conversation as a JSON file: what was chosen, then everything that happened, with the contract's names."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from vivavoce.history.v1 import history_pb2 as history_pb

END: Final = b"\n]}\n"


def beginning(summary: history_pb.ConversationSummary) -> bytes:
    """The file up to its first event."""
    return f'{{"conversation": {_json(summary)},\n"events": ['.encode()


def events(payloads: Sequence[bytes], *, first: bool) -> bytes:
    """The next events of the file, as they arrived once; `first` where none came before."""
    lines = ",".join(f"\n{_json(history_pb.HistoryEvent.FromString(payload))}" for payload in payloads)
    return f"{'' if first or not lines else ','}{lines}".encode()


def _json(message: Message) -> str:
    return MessageToJson(message, preserving_proto_field_name=True, indent=None, ensure_ascii=False)
