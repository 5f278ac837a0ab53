"""Hands the learner's messages on in order; joins frames of sound while the mesh is behind, never waits for more."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from mesh.errors import VivavoceError

#: Sound joined into one message at most: what a message costs the mesh hardly depends on its size.
JOINED_MS: Final = 60
_BYTES_A_SAMPLE: Final = 2
_WAITING: Final = 64


class Outlet(Protocol):
    """The sending half of a stream."""

    def offer(self, message: service_pb.ConverseRequest) -> bool:
        """Takes `message` where there is room for it now."""
        ...

    async def send(self, message: service_pb.ConverseRequest) -> None:
        """Takes `message` when there is room."""
        ...


@asynccontextmanager
async def open_uplink(stream: Outlet, sample_rate_hz: int) -> AsyncIterator["Uplink"]:
    """An uplink into `stream` for the length of the block; what still waits at its end is dropped."""
    uplink = Uplink(stream, sample_rate_hz)
    sender = asyncio.create_task(uplink.run(), name="uplink")
    try:
        yield uplink
    finally:
        sender.cancel()
        await asyncio.wait([sender])


class Uplink:
    """The way from a socket's reader to the stream.

    As long as the stream takes messages at once, so does `put`. While it does not, messages wait here, and adjacent
    sound is joined. When 64 wait, `put` waits too, the socket is not read, and the client is held back.
    """

    def __init__(self, stream: Outlet, sample_rate_hz: int) -> None:
        self._stream = stream
        self._joined_bytes = sample_rate_hz * JOINED_MS // 1000 * _BYTES_A_SAMPLE
        self._waiting: deque[service_pb.ConverseRequest] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()

    async def put(self, message: service_pb.ConverseRequest) -> None:
        """Hands `message` on after all before it."""
        if self._idle.is_set() and self._stream.offer(message):
            return
        if self._waiting and joined(self._waiting[-1], message, self._joined_bytes):
            return
        while len(self._waiting) >= _WAITING:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(message)
        self._idle.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Sends what waits, until the stream ends or fails: why is told to whoever reads the stream."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                # Taken out first: a message on its way must not grow.
                message = self._waiting.popleft()
                self._room.set()
                try:
                    await self._stream.send(message)
                except VivavoceError:
                    return
            self._idle.set()

    async def emptied(self) -> None:
        """Returns when nothing waits any more and nothing is on its way into the stream."""
        await self._idle.wait()


def joined(first: service_pb.ConverseRequest, second: service_pb.ConverseRequest, at_most_bytes: int) -> bool:
    """Appends the sound of `second` to `first` where it follows without a gap and fits; False where it does not.

    Packets are left alone: they cost little on their way.
    """
    if first.WhichOneof("event") != "append_audio" or second.WhichOneof("event") != "append_audio":
        return False
    before, after = first.append_audio, second.append_audio
    if before.opus_packets or after.opus_packets:
        return False
    size = len(before.pcm)
    # An odd byte count is the service's to refuse, so it must reach it as it came.
    if size % _BYTES_A_SAMPLE or before.first_sample + size // _BYTES_A_SAMPLE != after.first_sample:
        return False
    if size + len(after.pcm) > at_most_bytes:
        return False
    before.pcm += after.pcm
    return True
