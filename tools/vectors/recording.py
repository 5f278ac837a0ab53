"""A session as it was recorded in both directions, and the files it is kept in."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.proto import serialize_length_prefixed
from vivavoce.conversation.v1.conversation_service_pb2 import ConverseRequest as Request
from vivavoce.conversation.v1.conversation_service_pb2 import ConverseResponse as Response

from cli.talking.wires import Wire
from tools.vectors.masking import Mask

Said = Request | Response

FOLDER: Final = Path(__file__).resolve().parents[2] / "protos" / "testdata" / "sessions"
#: What comes dozens of times a second: of each stretch between other messages so many are kept.
_OFTEN: Final = frozenset({"append_audio", "report_played", "reply_audio"})
_KEPT: Final = 2


class Recording:
    """What both sides said in one session, over as many wires as it took."""

    def __init__(self) -> None:
        #: In the order in which they were sent and received.
        self._said: list[Said] = []

    @asynccontextmanager
    async def dial(self, opened: Callable[[], AbstractAsyncContextManager[Wire]]) -> AsyncIterator[Wire]:
        """A wire that is recorded."""
        async with opened() as wire:
            yield _Tapped(wire, self)

    def write(self, name: str) -> None:
        """Writes both directions, as JSON and as length-delimited binary, masked and without most of its sound."""
        mask = Mask()
        kept = list(_thinned(self._said))
        for message in kept:
            mask.hide(message)
        FOLDER.mkdir(parents=True, exist_ok=True)
        _write(FOLDER / f"{name}.requests", [each for each in kept if isinstance(each, Request)])
        _write(FOLDER / f"{name}.responses", [each for each in kept if isinstance(each, Response)])

    def note(self, message: Said) -> None:
        """Keeps a message as it is now."""
        self._said.append(deepcopy(message))


class _Tapped:
    def __init__(self, wire: Wire, recording: Recording) -> None:
        self._wire = wire
        self._recording = recording

    async def send(self, message: Request) -> None:
        self._recording.note(message)
        await self._wire.send(message)

    async def __aiter__(self) -> AsyncIterator[Response]:
        async for response in self._wire:
            self._recording.note(response)
            yield response


def _thinned(messages: Sequence[Said]) -> Iterator[Said]:
    since: Counter[str] = Counter()
    for message in messages:
        kind = str(message.WhichOneof("event"))
        if kind not in _OFTEN:
            since.clear()
        elif since[kind] == _KEPT:
            continue
        else:
            since[kind] += 1
        yield message


def _write(path: Path, messages: Sequence[Message]) -> None:
    lines = (json.dumps(MessageToDict(message), ensure_ascii=False) for message in messages)
    path.with_name(f"{path.name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    binary = BytesIO()
    for message in messages:
        serialize_length_prefixed(message, binary)
    path.with_name(f"{path.name}.binpb").write_bytes(binary.getvalue())
