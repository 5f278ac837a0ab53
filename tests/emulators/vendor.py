"""What all emulated vendors have in common: what they do next, and what they saw."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

from services.ai_engine.domain.roles import SpeechChunk
from tests.faults.proxy import FaultProxy

Behaviour = Literal[
    "answer",
    #: Refuses: HTTP 401, 429, 500.
    "refuse_key", "rate_limited", "broken",
    #: Never answers: the handshake or the request, what it is asked, the goodbye.
    "slow_open", "stall", "deaf",
    #: In the middle of an answer: cuts the connection, closes it with an error or politely, sends what is no message,
    #: half a UTF-8 rune.
    "cut", "end_early", "hang_up", "garbage", "half_rune",
    #: Ends the session for lasting too long, or refuses to go on, in the vendor's own words.
    "session_cap",
    #: Hears and says nothing.
    "silence",
]  # fmt: skip

STATUS: Final[dict[Behaviour, int]] = {"refuse_key": 401, "rate_limited": 429, "broken": 500}
V = TypeVar("V", bound="Vendor")


@dataclass(slots=True)
class Visit:
    """One connection or request a vendor saw."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    #: Messages of the client as they came, and the sound in them.
    texts: list[str] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)
    #: Set when the connection is gone, also while an answer is held back.
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, target: str, headers: dict[str, str]) -> "Visit":
        """The visit with this request line and these headers."""
        parts = urlsplit(target)
        return cls(parts.path, parse_qs(parts.query, keep_blank_values=True), headers)


@dataclass(slots=True)
class Vendor(ABC):
    """What a vendor does next, and what it saw."""

    behaviour: Behaviour = "answer"
    key: str = "key-1"
    scheme: str = "http"
    #: Where it is, once it runs.
    url: str = ""
    #: Rate of the sound it takes.
    rate_hz: int = 16_000
    visits: list[Visit] = field(default_factory=list)
    #: Set when somebody came, and when it was asked and does not answer.
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    #: What a voice was asked for, one after another; pieces of speech beyond so many wait until `go` is set.
    voices: list[str] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    hold_after: int = 1_000_000
    #: Pieces after which it misbehaves.
    well_for: int = 1
    go: asyncio.Event = field(default_factory=asyncio.Event)
    #: Bytes of its answers after which the connection is cut; None leaves it whole.
    cut_after: int | None = None
    wire: FaultProxy | None = None
    serving: set[asyncio.Task[object]] = field(default_factory=set)

    @property
    def last(self) -> Visit:
        """The newest visit."""
        return self.visits[-1]

    @abstractmethod
    async def listen(self) -> int:
        """Listens on a free port of the loopback interface; gives the port."""

    @abstractmethod
    async def leave(self) -> None:
        """Is gone, with every connection; leaving twice is harmless."""

    async def start(self) -> int:
        """The port clients come to."""
        port = await self.listen()
        if self.cut_after is None:
            return port
        self.wire = FaultProxy(f"127.0.0.1:{port}", cut_after=self.cut_after)
        await self.wire.start()
        return self.wire.port

    async def stop(self) -> None:
        """Is gone, and what stands before it."""
        if self.wire is not None:
            await self.wire.stop()
        await self.leave()

    async def pieces(self, chunks: AsyncIterator[SpeechChunk]) -> AsyncIterator[SpeechChunk | None]:
        """The pieces of an answer, None where it is time to misbehave; waits where it is told to."""
        if self.behaviour == "silence":
            return
        count = 0
        async for chunk in chunks:
            if count == self.well_for:
                yield None
            if count == self.hold_after:
                await self.go.wait()
            count += 1
            yield chunk

    @contextmanager
    def stoppable(self, transport: asyncio.BaseTransport) -> Iterator[None]:
        """Lets `stop` end what this task serves."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            raise
        finally:
            self.serving.discard(task)


@asynccontextmanager
async def running(vendor: V) -> AsyncIterator[V]:
    """Runs it for the length of the block."""
    vendor.url = f"{vendor.scheme}://127.0.0.1:{await vendor.start()}"
    try:
        yield vendor
    finally:
        await vendor.stop()
