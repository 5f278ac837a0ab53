"""A client that costs little: one WebSocket session, frames on a 20 ms grid, and the time until each reply sounds."""

import asyncio
import itertools
import math
import time
from array import array
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb
from websockets.asyncio.client import ClientConnection, connect

from mesh.errors import TimedOutError

FRAME_S: Final = 0.02
RATE_HZ: Final = 16_000
FRAME_SAMPLES: Final = round(RATE_HZ * FRAME_S)
SILENCE: Final = bytes(2 * FRAME_SAMPLES)
#: The engine that gives every frame back.
ECHO: Final = engine_pb.EngineSelection(kind=engine_pb.ENGINE_KIND_UNIFIED, speech_to_speech="echo")
#: A cosine: loud from its first sample, so that no frame of it passes for silence.
TONE: Final = array(
    "h", (round(9000 * math.cos(2 * math.pi * 500 * i / RATE_HZ)) for i in range(FRAME_SAMPLES))
).tobytes()
_OPEN_S: Final = 15.0
#: Not a whole number of frames, so that pings meet the grid in every phase.
_PING_EVERY_S: Final = 0.973


@dataclass(slots=True)
class TimedTurn:
    """One turn: when its first silent frame left, and when its first reply sound came."""

    silent_at: float
    answered_at: float | None = None

    @property
    def overhead_ms(self) -> float:
        """From one to the other."""
        assert self.answered_at is not None, "asked only of answered turns"
        return (self.answered_at - self.silent_at) * 1000


@dataclass(slots=True)
class Caller:
    """One session over a socket."""

    socket: ClientConnection
    turns: list[TimedTurn] = field(default_factory=list)
    #: Milliseconds from a ping's departure to its answer's arrival, of those that the session answers.
    pings: list[float] = field(default_factory=list)
    #: The same of the pings of WebSocket, which the edge answers.
    socket_pings: list[float] = field(default_factory=list)
    #: The longest a frame left after its time: the generator's own delay.
    late_s: float = 0.0
    position: int = 0
    #: When the pings that have no answer yet left, by their nonces.
    _asked: dict[int, float] = field(default_factory=dict)
    _nonces: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _ponged: asyncio.Event = field(default_factory=asyncio.Event)
    _openers: set[str] = field(default_factory=set)

    async def send(self, request: conversation_pb.ConverseRequest) -> None:
        """Sends a request."""
        await self.socket.send(request.SerializeToString())

    async def append(self, pcm: bytes) -> None:
        """Sends a frame."""
        audio = converse_pb.AppendAudio(first_sample=self.position, pcm=pcm)
        self.position += len(pcm) // 2
        await self.send(conversation_pb.ConverseRequest(append_audio=audio))

    async def report_played(self, reply_id: str, samples: int) -> None:
        """Says that so much of a reply was played."""
        report = converse_pb.ReportPlayed(reply_id=reply_id, samples=samples)
        await self.send(conversation_pb.ConverseRequest(report_played=report))

    async def take_turns(self, speech: Sequence[bytes], period_s: float, count: int, phase_s: float) -> None:
        """Says the frames of `speech` at the beginning of each of `count` periods, after `phase_s` of silence."""
        frames = round(period_s / FRAME_S)
        spoken = len(speech)
        lead = round(phase_s / FRAME_S)
        async for number in self.grid(lead + count * frames):
            place = (number - lead) % frames if number >= lead else frames
            if place == spoken:
                self.turns.append(TimedTurn(time.perf_counter()))
            await self.append(speech[place] if place < spoken else SILENCE)

    async def grid(self, count: int) -> AsyncIterator[int]:
        """Yields 0 to `count` - 1, each when its frame is due."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for number in range(count):
            due = began_at + number * FRAME_S
            if (early_s := due - loop.time()) > 0:
                await asyncio.sleep(early_s)
            self.late_s = max(self.late_s, loop.time() - due)
            yield number

    async def listen(self, *, cut_short: bool) -> None:
        """Notes when replies begin; cuts off the opening line, and with `cut_short` every reply once it sounds."""
        async for frame in self.socket:
            came_at = time.perf_counter()
            response = conversation_pb.ConverseResponse.FromString(frame)  # type: ignore[arg-type]  # All are binary.
            match response.WhichOneof("event"):
                case "reply_audio" if self._is_answer(response.reply_audio.reply_id):
                    self.turns[-1].answered_at = came_at
                    if cut_short:
                        await self._cancel(response.reply_audio.reply_id)
                case "reply_started" if not response.reply_started.turn_id:
                    self._openers.add(response.reply_started.reply_id)
                    await self._cancel(response.reply_started.reply_id)
                case "pong" if asked_at := self._asked.pop(response.pong.nonce, None):
                    self.pings.append((came_at - asked_at) * 1000)
                    self._ponged.set()
                case _:
                    pass

    async def ping(self) -> None:
        """Asks the session for a sign of life, which `listen` notes."""
        nonce = next(self._nonces)
        self._asked[nonce] = time.perf_counter()
        await self.send(conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=nonce)))

    async def ping_socket(self) -> None:
        """Asks the edge's socket for a sign of life. When it closes without one, what was waited until then counts."""
        asked_at = time.perf_counter()
        answered = await self.socket.ping()
        assert isinstance(answered, asyncio.Future), "so that it tells when it is done"
        answered.add_done_callback(lambda _: self.socket_pings.append((time.perf_counter() - asked_at) * 1000))

    async def keep_pinging(self) -> None:
        """Pings about once a second, whether or not the last was answered, until cancelled.

        The first turn finds everything cold: what was asked before the second is not counted.
        """
        while True:
            await asyncio.sleep(_PING_EVERY_S)
            if len(self.turns) > 1:
                await self.ping()
                await self.ping_socket()

    def waiting_pings(self) -> list[float]:
        """Milliseconds that those which have no answer have waited."""
        return [(time.perf_counter() - asked_at) * 1000 for asked_at in self._asked.values()]

    async def is_awake(self, within_s: float) -> bool:
        """Whether a ping is answered in that time; `listen` has to run beside."""
        self._ponged.clear()
        await self.ping()
        try:
            async with asyncio.timeout(within_s):
                await self._ponged.wait()
        except TimeoutError:
            return False
        return True

    def _is_answer(self, reply_id: str) -> bool:
        """Whether this reply is the first to sound since the last turn's end."""
        return bool(self.turns) and self.turns[-1].answered_at is None and reply_id not in self._openers

    async def _cancel(self, reply_id: str) -> None:
        cancel = converse_pb.CancelReply(reply_id=reply_id)
        await self.send(conversation_pb.ConverseRequest(cancel_reply=cancel))


@asynccontextmanager
async def call(web: str, token: str, engine: engine_pb.EngineSelection | None = None) -> AsyncIterator[Caller]:
    """Opens a session over the edge's WebSocket for the length of the block.

    Raises:
        TimedOutError: the server did not open the session.
    """
    address = f"ws{web.removeprefix('http')}/v1/converse"
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(address, additional_headers=headers, compression=None, proxy=None) as socket:
        caller = Caller(socket)
        await caller.send(conversation_pb.ConverseRequest(start_session=_start(engine)))
        try:
            async with asyncio.timeout(_OPEN_S):
                answer = conversation_pb.ConverseResponse.FromString(await socket.recv(decode=False))
        except TimeoutError:
            raise TimedOutError("The server opened no session; look at its log.") from None
        assert answer.HasField("session_started"), answer.WhichOneof("event")
        yield caller


def _start(engine: engine_pb.EngineSelection | None) -> converse_pb.StartSession:
    def format_of(rate_hz: int) -> audio_pb.AudioFormat:
        return audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=rate_hz)

    return converse_pb.StartSession(
        new_conversation=settings_pb.ConversationSettings(engine=engine),
        input_audio=format_of(RATE_HZ),
        output_audio=format_of(RATE_HZ if engine else 24_000),
        client="viva bench",
    )


def numbered(number: int) -> bytes:
    """A loud frame that carries its number, to know its echo by."""
    return number.to_bytes(4, "little") + TONE[4:]


def number_of(pcm: bytes) -> int:
    """The number a frame carries."""
    return int.from_bytes(pcm[:4], "little")


def marks(pcm: bytes) -> Iterator[int]:
    """The numbers of the frames in `pcm`, which may hold several."""
    for begin in range(0, len(pcm), len(SILENCE)):
        yield number_of(pcm[begin : begin + len(SILENCE)])
