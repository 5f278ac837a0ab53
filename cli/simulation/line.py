"""A scripted learner's line to a mesh: sound goes out and events come in; it can stall, be cut, and come back."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from cli.simulation.hearing import Hearing
from cli.simulation.mouth import FRAME, FRAME_S, Mouth
from cli.talking.wires import Wire
from mesh.audio import HEARING_HZ, SPEECH_HZ
from mesh.errors import TimedOutError, VivavoceError
from services.ai_engine.engines.faults import single_error

REPORT_S: Final = 0.1
_OPEN_S: Final = 20.0
_END_S: Final = 5.0
#: What was spoken while there was no wire is sent late; of more than this, of which the server takes 5 s at once, the
#: oldest is lost.
_KEPT_FRAMES: Final = round(4.0 / FRAME_S)

#: Opens a wire for the length of a block; a block left by an error cuts it.
Dial = Callable[[], AbstractAsyncContextManager[Wire]]


class _HungUp(Exception):  # noqa: N818 (a state, not a fault)
    """The wire is cut, without a goodbye."""


class Line:
    """One session. Made by `hold_line`."""

    def __init__(
        self,
        dial: Dial,
        settings: settings_pb.ConversationSettings,
        hearing: Hearing,
        mouth: Mouth,
        now: Callable[[], float],
    ) -> None:
        self._dial = dial
        self._settings = settings
        self._hearing = hearing
        self._mouth = mouth
        self._now = now
        self._wire: Wire | None = None
        self._hangs_up = asyncio.Event()
        self._away_s = 0.0
        self._delivers = asyncio.Event()
        self._delivers.set()
        self._frames: deque[bytes] = deque(maxlen=_KEPT_FRAMES)
        self._requests: deque[conversation_pb.ConverseRequest] = deque()
        self._position = 0
        self._began_at = now()
        self._captured = 0

    @property
    def away(self) -> bool:
        """Whether nothing is delivered at the moment."""
        return self._wire is None or not self._delivers.is_set()

    @property
    def next_frame_at(self) -> float:
        """When the capture of the next frame begins."""
        return self._began_at + self._captured * FRAME_S

    async def send(self, request: conversation_pb.ConverseRequest) -> None:
        """Sends something after the sound so far; later, where the wire is away."""
        self._requests.append(request)
        await self._flush()

    async def stall(self, seconds: float) -> None:
        """Delivers nothing either way for so long."""
        self._delivers.clear()
        await asyncio.sleep(seconds)
        self._delivers.set()

    def cut(self, seconds: float) -> None:
        """Cuts the wire; it is dialled again after so long."""
        self._wire, self._away_s = None, seconds
        self._hangs_up.set()

    async def stay(self) -> None:
        """Keeps a wire until the session has ended.

        Raises:
            VivavoceError: the session can't be opened, or ends with a fault.
        """
        while not self._hearing.ended:
            with suppress(_HungUp):
                async with self._dial() as wire:
                    await self._serve(wire)
                return
            await asyncio.sleep(self._away_s)

    async def speak(self) -> None:
        """Sends frames until cancelled, each when its last sample is captured."""
        self._began_at = self._now()
        for number in itertools.count(1):
            # Counted from the beginning, not from the last frame: no delay adds up.
            await asyncio.sleep(self._began_at + number * FRAME_S - self._now())
            self._frames.append(self._mouth.frame())
            self._captured = number
            await self._flush()

    async def report(self) -> None:
        """Tells what was played until cancelled."""
        told = ("", 0)
        while True:
            await asyncio.sleep(REPORT_S)
            played = self._hearing.loudspeaker.played()
            if played[0] and played != told and not self.away:
                told = played
                report = converse_pb.ReportPlayed(reply_id=played[0], samples=played[1])
                await self.send(conversation_pb.ConverseRequest(report_played=report))

    async def _serve(self, wire: Wire) -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(wire), name="listening")
            hanging_up = tasks.create_task(self._hangs_up.wait(), name="hanging up")
            await asyncio.wait((listening, hanging_up), return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
            hanging_up.cancel()
        if self._hangs_up.is_set():
            self._hangs_up.clear()
            raise _HungUp

    async def _listen(self, wire: Wire) -> None:
        await wire.send(conversation_pb.ConverseRequest(start_session=self._start()))
        async for response in wire:
            await self._delivers.wait()
            self._hearing.take(response)
            if response.HasField("session_started"):
                self._position = response.session_started.next_input_sample
                self._wire = wire
        self._wire = None

    async def _flush(self) -> None:
        """Sends what waits, sound first. Where the wire is cut meanwhile, it is kept."""
        while (self._frames or self._requests) and self._wire is not None and self._delivers.is_set():
            pcm = self._frames.popleft() if self._frames else None
            with suppress(VivavoceError):
                if pcm is None:
                    await self._wire.send(self._requests.popleft())
                    continue
                audio = converse_pb.AppendAudio(first_sample=self._position, pcm=pcm)
                self._position += FRAME
                await self._wire.send(conversation_pb.ConverseRequest(append_audio=audio))

    def _start(self) -> converse_pb.StartSession:
        start = converse_pb.StartSession(
            input_audio=_format(HEARING_HZ), output_audio=_format(SPEECH_HZ), client="viva simulate"
        )
        if self._hearing.resume_token:
            start.resume.resume_token = self._hearing.resume_token
            start.resume.last_sequence = self._hearing.last_sequence
        else:
            start.new_conversation.CopyFrom(self._settings)
        return start


@asynccontextmanager
async def hold_line(
    dial: Dial,
    settings: settings_pb.ConversationSettings,
    hearing: Hearing,
    mouth: Mouth,
    now: Callable[[], float],
) -> AsyncIterator[Line]:
    """Opens a session for the length of the block, and ends it. `now` is the learner's clock.

    Raises:
        TimedOutError: the server does not open it.
        VivavoceError: it refuses, or the session ends with a fault.
    """
    line = Line(dial, settings, hearing, mouth, now)
    with single_error():
        async with asyncio.TaskGroup() as tasks:
            staying = tasks.create_task(line.stay(), name="wire")
            await _until(lambda: hearing.started is not None, _OPEN_S)
            going = [tasks.create_task(each(), name=each.__name__) for each in (line.speak, line.report)]
            yield line
            await line.send(conversation_pb.ConverseRequest(end_session=converse_pb.EndSession()))
            with suppress(TimedOutError):
                await _until(lambda: hearing.ended, _END_S)
            for task in (*going, staying):
                task.cancel()


async def _until(happened: Callable[[], bool], within_s: float) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + within_s
    while not happened():
        if loop.time() > ends_at:
            raise TimedOutError(f"The server was silent for {within_s:.0f} s; look at its log, or try again.")
        await asyncio.sleep(FRAME_S)


def _format(rate_hz: int) -> audio_pb.AudioFormat:
    return audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=rate_hz)
