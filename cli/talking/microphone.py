"""A microphone that plays recordings: frames leave on an absolute 20 ms grid, silence where nobody speaks."""

import asyncio
import itertools
from contextlib import suppress
from typing import Final

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from cli.talking.wires import Wire
from mesh.audio import BYTES_PER_SAMPLE
from mesh.errors import VivavoceError

FRAME_S: Final = 0.02


class RecordedMicrophone:
    """Sends sound as a real microphone would: a frame leaves when its last sample would have been captured."""

    def __init__(self, wire: Wire, rate_hz: int) -> None:
        self._wire = wire
        self._frame_bytes = round(rate_hz * FRAME_S) * BYTES_PER_SAMPLE
        self._rate_hz = rate_hz
        self._pending = bytearray()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._began_at = 0.0
        self._sent_samples = 0

    async def run(self) -> None:
        """Sends frames until cancelled."""
        loop = asyncio.get_running_loop()
        self._began_at = loop.time()
        for number in itertools.count(1):
            # Counted from the beginning, not from the last frame: no delay adds up.
            await asyncio.sleep(self._began_at + number * FRAME_S - loop.time())
            await self._send_frame()

    async def say(self, pcm: bytes) -> int:
        """Speaks into the microphone; returns at the end of `pcm` the position of its first sample in the stream."""
        first = self._sent_samples + len(self._pending) // BYTES_PER_SAMPLE
        self._pending += pcm
        self._emptied.clear()
        await self._emptied.wait()
        return first

    def captured_at(self, sample: int) -> float:
        """When the sample before position `sample` was captured, on the loop's clock."""
        return self._began_at + sample / self._rate_hz

    async def _send_frame(self) -> None:
        frame = bytes(self._pending[: self._frame_bytes])
        del self._pending[: self._frame_bytes]
        audio = converse_pb.AppendAudio(first_sample=self._sent_samples, pcm=frame.ljust(self._frame_bytes, b"\0"))
        self._sent_samples += self._frame_bytes // BYTES_PER_SAMPLE
        # Where the wire is cut, whoever listens is told why.
        with suppress(VivavoceError):
            await self._wire.send(conversation_pb.ConverseRequest(append_audio=audio))
        if not self._pending:
            self._emptied.set()
