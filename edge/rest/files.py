"""What the files are called, and are, that RPCs answer with in pieces."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from vivavoce.history.v1 import history_service_pb2 as history_pb


@dataclass(frozen=True, slots=True)
class File:
    """A file as a browser saves it."""

    name: str
    media_type: str


_UNKNOWN: Final = File("download.bin", "application/octet-stream")
_ACCOUNT: Final = File("vivavoce.zip", "application/zip")
_RECORDING: Final = File("recording.wav", "audio/wav")
_CONVERSATIONS: Final[Mapping[str, File]] = {
    "json": File("conversation.json", "application/json"),
    "vtt": File("conversation.vtt", "text/vtt; charset=utf-8"),
    "csv": File("conversation.csv", "text/csv; charset=utf-8"),
    "anki": File("conversation.apkg", "application/vnd.anki"),
}


def _conversation(request: Message) -> File:
    assert isinstance(request, history_pb.ExportConversationRequest)
    return _CONVERSATIONS.get(request.format, _UNKNOWN)


_BY_RPC: Final[Mapping[str, Callable[[Message], File]]] = {
    "/vivavoce.user.v1.UserService/DownloadExport": lambda _: _ACCOUNT,
    "/vivavoce.media.v1.MediaService/DownloadRecording": lambda _: _RECORDING,
    "/vivavoce.history.v1.HistoryService/ExportConversation": _conversation,
}


def file_of(rpc_path: str, request: Message) -> File:
    """The file that an RPC answers `request` with."""
    describe = _BY_RPC.get(rpc_path)
    return _UNKNOWN if describe is None else describe(request)


def media_types_of(rpc_path: str) -> list[str]:
    """Every media type an RPC may answer with."""
    match rpc_path.rpartition("/")[2]:
        case "DownloadExport":
            files = [_ACCOUNT]
        case "DownloadRecording":
            files = [_RECORDING]
        case "ExportConversation":
            files = list(_CONVERSATIONS.values())
        case _:
            files = [_UNKNOWN]
    return [file.media_type.partition(";")[0] for file in files]
