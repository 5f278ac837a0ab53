"""Knows which login sessions were ended before their access tokens expire, and ends the streams that stand on them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Protocol, Self

from mesh.clock import Clock
from mesh.errors import UnauthenticatedError, VivavoceError
from mesh.identity import LEEWAY_S, Caller
from mesh.telemetry import count_revocation_check

#: Asked this often. A stream ends at most this and one answer after its login session, which is promised within 5 s.
EVERY_S: Final = 2.0
#: The user service may start after those who ask it; how long that is no news.
_STARTING_S: Final = 30.0
#: No access token holds longer than an hour; what was ended before is refused as expired.
_REMEMBERED_S: Final = 3600.0 + LEEWAY_S
#: Known at most; beyond this the oldest are forgotten, whose access tokens expire first.
_BOUND: Final = 200_000

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """What was ended, and from when on to ask the next time."""

    session_ids: Sequence[str]
    next_start: datetime


#: Asks what was ended from a time on; None is the last hour.
EndedSince = Callable[[datetime | None], Awaitable[News]]


class Stream(Protocol):
    """A stream that is open."""

    @property
    def who(self) -> Caller:
        """Who holds it open; it may change."""
        ...

    async def end(self, error: VivavoceError) -> None:
        """Ends it with `error`."""
        ...


class Revocations:
    """What was ended, for the length of an `async with` block, in which one task asks every two seconds.

    Where the user service is away, what is known stays known, access tokens hold until they expire, and the task goes
    on asking.
    """

    def __init__(self, ended_since: EndedSince, clock: Clock) -> None:
        self._ended_since = ended_since
        self._clock = clock
        self._start: datetime | None = None
        #: When each was learnt of, oldest first.
        self._ended: dict[str, float] = {}
        self._streams: set[Stream] = set()
        self._asking: asyncio.Task[None] | None = None
        self._away = False
        self._expected_from = clock.now() + _STARTING_S

    async def __aenter__(self) -> Self:
        """Begins to ask."""
        self._asking = asyncio.create_task(self._run(), name="revocations")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Asks no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})

    def check(self, who: Caller) -> None:
        """Lets `who` pass.

        Raises:
            UnauthenticatedError: their login session or personal access token was ended.
        """
        if who.login_session_id in self._ended:
            raise _ended()

    def watch(self, stream: Stream, *, until: "asyncio.Task[object]") -> None:
        """Ends the stream when its holder may stay no longer; forgets it when the task `until` is done."""
        self._streams.add(stream)
        until.add_done_callback(lambda _: self._streams.discard(stream))

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(EVERY_S)
            try:
                await self._ask()
                await self._sweep()
            except Exception:
                # The root of this task: without it nobody would be put out any more.
                _log.exception("revocations could not be looked at")

    async def _ask(self) -> None:
        try:
            news = await self._ended_since(self._start)
        except VivavoceError as error:
            count_revocation_check("failed")
            if not self._away and self._clock.now() >= self._expected_from:
                _log.warning("revocations can't be asked for", extra={"reason": error.reason})
                self._away = True
            return
        count_revocation_check("answered")
        self._away = False
        self._expected_from = self._clock.now()
        self._start = news.next_start
        self._learn(news.session_ids)

    def _learn(self, session_ids: Sequence[str]) -> None:
        now = self._clock.now()
        for session_id in session_ids:
            self._ended.setdefault(session_id, now)
        while self._ended and (len(self._ended) > _BOUND or now - next(iter(self._ended.values())) >= _REMEMBERED_S):
            del self._ended[next(iter(self._ended))]

    async def _sweep(self) -> None:
        now_s = self._clock.wall().timestamp()
        for stream in list(self._streams):
            if stream.who.login_session_id in self._ended:
                await self._end(stream, _ended())
            elif stream.who.expired(now_s):
                await self._end(stream, UnauthenticatedError("The access token has expired; bring a fresh one."))

    async def _end(self, stream: Stream, error: UnauthenticatedError) -> None:
        # Once: its clean-up may take longer than until the next look.
        self._streams.discard(stream)
        await stream.end(error)


def _ended() -> UnauthenticatedError:
    return UnauthenticatedError("The login session was ended, or the personal access token revoked; log in again.")
