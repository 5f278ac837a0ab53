"""The microphone and the loudspeaker of this machine, by miniaudio."""

import asyncio
import threading
from collections.abc import Generator
from types import TracebackType
from typing import Any, Final, Self

import miniaudio
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from cli.talking.wires import Wire
from mesh.audio import BYTES_PER_SAMPLE, HEARING_HZ, SPEECH_HZ, samples
from mesh.errors import UnavailableError

_PERIOD_MS: Final = 20
#: Frames that wait for the wire, a second of them; then the oldest are dropped: late sound is no use.
_WAITING: Final = 50
#: What ALSA offers where there is no sound card.
_NOWHERE: Final = "Discard all samples"


def device_names() -> tuple[str, str]:
    """Names of the microphone and of the loudspeaker in use; empty where there is none."""
    try:
        found = miniaudio.Devices()
        return _first_real(found.get_captures()), _first_real(found.get_playbacks())
    except miniaudio.MiniaudioError:
        return "", ""


class Devices:
    """Microphone and loudspeaker, running for the length of an `async with` block."""

    def __init__(self) -> None:
        """Opens both.

        Raises:
            UnavailableError: one of them is missing or in use.
        """
        microphone, loudspeaker = device_names()
        if not microphone or not loudspeaker:
            missing = "loudspeaker" if microphone else "microphone"
            raise UnavailableError(
                f"There is no {missing} here. Talk with a recording: `viva talk --wav question.wav --out reply.wav`, "
                'in writing: `viva talk --text "Hello"`, or in the browser.'
            )
        try:
            self._capture = miniaudio.CaptureDevice(
                nchannels=1, sample_rate=HEARING_HZ, buffersize_msec=_PERIOD_MS, app_name="viva"
            )
            self._playback = miniaudio.PlaybackDevice(
                nchannels=1, sample_rate=SPEECH_HZ, buffersize_msec=_PERIOD_MS, app_name="viva"
            )
        except miniaudio.MiniaudioError:
            raise UnavailableError(
                f"{microphone} or {loudspeaker} can't be opened; close the program that uses it, or talk with --wav."
            ) from None
        self.loudspeaker = DeviceLoudspeaker()
        self.microphone = DeviceMicrophone()

    async def __aenter__(self) -> Self:
        self._playback.start(_started(self.loudspeaker.pull()))
        self._capture.start(_started(self.microphone.push(asyncio.get_running_loop())))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.close()
        self._playback.close()


class DeviceMicrophone:
    """Sends what the device captures."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)

    async def run(self, wire: Wire) -> None:
        """Sends frames until cancelled."""
        position = 0
        while True:
            pcm = await self._frames.get()
            audio = converse_pb.AppendAudio(first_sample=position, pcm=pcm)
            position += samples(pcm)
            await wire.send(conversation_pb.ConverseRequest(append_audio=audio))

    def push(self, loop: asyncio.AbstractEventLoop) -> Generator[None, bytes, None]:
        """Takes frames from the device's thread."""
        while True:
            pcm = yield
            loop.call_soon_threadsafe(self._keep, bytes(pcm))

    def _keep(self, pcm: bytes) -> None:
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(pcm)


class DeviceLoudspeaker:
    """Plays replies through the device; its position is what the device has taken."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._reply_id = ""
        self._pcm = bytearray()
        self._taken = 0
        self._playing = False

    def play(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """Queues more of a reply."""
        with self._guard:
            if reply_id != self._reply_id:
                self._reply_id, self._pcm, self._taken, self._playing = reply_id, bytearray(), 0, True
            place = first_sample * BYTES_PER_SAMPLE
            self._pcm[place : place + len(pcm)] = pcm

    def pause(self) -> None:
        """Stops at once."""
        with self._guard:
            self._playing = False

    def resume(self, from_sample: int) -> None:
        """Plays on."""
        with self._guard:
            self._taken, self._playing = from_sample * BYTES_PER_SAMPLE, True

    def drop(self) -> None:
        """Stops for good."""
        with self._guard:
            self._reply_id, self._playing = "", False

    def played(self) -> tuple[str, int]:
        """How far the device is."""
        with self._guard:
            return self._reply_id, self._taken // BYTES_PER_SAMPLE

    def pull(self) -> Generator[bytes, int, None]:
        """Gives the device what it asks for, in its thread: silence where nothing is to be played."""
        wanted = yield b""
        while True:
            wanted = yield self._next(wanted * BYTES_PER_SAMPLE)

    def _next(self, wanted: int) -> bytes:
        with self._guard:
            pcm = bytes(self._pcm[self._taken : self._taken + wanted]) if self._playing else b""
            self._taken += len(pcm)
        return pcm.ljust(wanted, b"\0")


def _first_real(found: list[dict[str, Any]]) -> str:
    return next((str(each["name"]) for each in found if not str(each["name"]).startswith(_NOWHERE)), "")


def _started(generator: Generator[Any, Any, None]) -> Generator[Any, Any, None]:
    next(generator)
    return generator
