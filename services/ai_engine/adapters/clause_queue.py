"""Shares one connection among the clauses of a reply, which the vendor speaks in the order they were sent."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mesh.mailbox import Closed, Mailbox
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import ANSWER_S
from services.ai_engine.domain.roles import SpeechChunk

M = TypeVar("M")

#: Pieces of one clause that may wait. Full: the connection is not read, and by flow control the vendor waits.
_PIECES: Final = 64


@dataclass(frozen=True, slots=True)
class Spoken:
    """One clause on its way: what was heard of it waits in `pieces`."""

    text: str
    pieces: Mailbox[SpeechChunk] = field(default_factory=lambda: Mailbox(_PIECES))
    #: Set when the clauses before it are spoken.
    is_next: asyncio.Event = field(default_factory=asyncio.Event)


class ClauseQueue:
    """The clauses of one reply (Speaking); `send` has the vendor begin one.

    `ahead` sends a clause while the one before it is still spoken: for vendors that keep them in order.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]], faults: Faults, *, ahead: bool = True) -> None:
        self._send = send
        self._faults = faults
        self._ahead = ahead
        self._waiting: deque[Spoken] = deque()
        self._failure: Exception | None = None

    async def say(self, clause: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks the next clause. Raises ProviderError."""
        spoken = Spoken(clause)
        self._waiting.append(spoken)
        self._call_next()
        if self._failure is not None:
            self.fail(self._failure)
        if not self._ahead:
            await spoken.is_next.wait()
        with self._faults.told():
            await self._send(clause)
        await spoken.is_next.wait()
        while (piece := await self._piece(spoken)) is not None:
            yield piece

    async def heard(self, piece: SpeechChunk) -> None:
        """Takes what the vendor gave of the clause that is being spoken; what belongs to none is dropped."""
        if self._waiting:
            await self._waiting[0].pieces.put(piece)

    def finish(self) -> None:
        """The vendor has given all of the clause that was being spoken."""
        if self._waiting:
            self._waiting.popleft().pieces.close()
            self._call_next()

    def fail(self, error: Exception) -> None:
        """Nothing more is to come, of these clauses and of later ones."""
        self._failure = error
        while self._waiting:
            self._waiting[0].pieces.close(self._faults.of(error))
            self._waiting.popleft().is_next.set()

    def _call_next(self) -> None:
        if self._waiting:
            self._waiting[0].is_next.set()

    async def _piece(self, spoken: Spoken) -> SpeechChunk | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await spoken.pieces.get()
        except TimeoutError:
            raise self._faults.timed_out() from None
        except Closed:
            if spoken.pieces.error is not None:
                raise spoken.pieces.error from None
            return None


@asynccontextmanager
async def routed(
    messages: AsyncIterator[M], route: Callable[[M], Awaitable[None]], queue: ClauseQueue, faults: Faults
) -> AsyncIterator[None]:
    """Reads a connection for the length of the block; `route` takes each message to the queue."""
    task = asyncio.create_task(_route(messages, route, queue, faults), name="reading a voice")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def _route(
    messages: AsyncIterator[M], route: Callable[[M], Awaitable[None]], queue: ClauseQueue, faults: Faults
) -> None:
    try:
        async for message in messages:
            await route(message)
    except Exception as error:  # Whatever a connection raises ends the reply it serves, typed.
        queue.fail(error)
    else:
        queue.fail(faults.cut_off())
