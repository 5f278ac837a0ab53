"""Holds a session's connection to a speech-to-speech provider: opens it, reopens it, and renews it before its cap."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from mesh.clock import Clock
from mesh.errors import ProviderError, VivavoceError
from services.ai_engine.adapters.chain import Health, cause_of
from services.ai_engine.domain.voice import Complaint, SpeechToSpeech, VoiceEvent, VoiceLink, VoiceSetup

_log: Final = logging.getLogger(__name__)

#: A connection is renewed so long before the vendor would end it, or after this share of a shorter life.
_MARGIN_S: Final = 120.0
_SHARE: Final = 0.8


class VoiceLine:
    """The connection of one session. Each has a number: what was asked of an earlier one is void."""

    def __init__(
        self,
        *,
        voice: SpeechToSpeech,
        setup: VoiceSetup,
        take: Callable[[VoiceEvent], Awaitable[None]],
        lost: Callable[[], None],
        health: Health,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._voice = voice
        self._setup = setup
        self._take = take
        self._lost = lost
        self._health = health
        self._clock = clock
        self._tasks = tasks
        self._link: VoiceLink | None = None
        self._holding: asyncio.Task[None] | None = None
        self._holders: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Future[VoiceLink] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._closed = False
        self._age_s = max(voice.longest_s - _MARGIN_S, voice.longest_s * _SHARE)
        self.number = 0
        #: Set while nothing is under way that a renewal would cut.
        self.idle = asyncio.Event()
        self.idle.set()

    @property
    def is_resting(self) -> bool:
        """Whether the vendor failed so often that it is left alone."""
        return self._link is None and self._health.resting

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._link is not None

    def warm(self) -> None:
        """Begins to connect where nothing is connected, so that nobody waits for it later."""
        if not self._health.resting:
            self._open()

    async def link(self) -> VoiceLink:
        """The connection, opened where there is none. Raises ProviderError where it can't be had in time."""
        if self._link is not None:
            return self._link
        self._open()
        if self._opening is None:
            raise ProviderError("The session has ended.", metadata={"cause": "CLOSED"})
        return await asyncio.shield(self._opening)

    def drop(self) -> None:
        """Gives up a connection that does not answer; the next is opened when it is wanted."""
        if self._holding is not None and self._link is not None:
            self._link = None
            self._holding.cancel()
            self._lost()

    def complain(self, complaint: Complaint) -> None:
        """The vendor could not do one thing. The talk goes on: before the next answer its memory is mended anyway."""
        _log.info("a voice line complains", extra={"provider": self._voice.name, "cause": complaint.code})

    def close(self) -> None:
        """Ends the connection, whatever is under way."""
        self._closed = True
        for task in (self._renewing, *self._holders):
            if task is not None:
                task.cancel()

    def _open(self) -> None:
        if self._link is None and self._opening is None and not self._closed:
            self._opening = self._begin()

    def _begin(self) -> "asyncio.Future[VoiceLink]":
        ready: asyncio.Future[VoiceLink] = asyncio.get_running_loop().create_future()
        # Whoever waits hears of a failure; where nobody does, it is not an unheard cry.
        ready.add_done_callback(lambda done: done.cancelled() or done.exception())
        holder = self._tasks.create_task(self._hold(ready), name="voice line")
        self._holders.add(holder)
        holder.add_done_callback(self._holders.discard)
        return ready

    async def _hold(self, ready: "asyncio.Future[VoiceLink]") -> None:
        """Holds one connection as long as it lasts."""
        link: VoiceLink | None = None
        try:
            async with self._voice.connect(self._setup) as link:
                if self._link is not None:
                    await self._quiet()
                self._adopt(link, ready)
                async for event in link.events():
                    if link is self._link:
                        await self._take(event)
        except Exception as error:  # Whatever a provider does, the session goes on.
            _log.warning("a voice line broke", extra={"provider": self._voice.name, "cause": cause_of(error)})
            if not ready.done():
                self._opening = None
                ready.set_exception(_typed(error))
        finally:
            if not ready.done():
                self._opening = None
                ready.set_exception(ProviderError("The session has ended."))
            if link is not None and link is self._link:
                self._link = None
                self._lost()

    def _adopt(self, link: VoiceLink, ready: "asyncio.Future[VoiceLink]") -> None:
        before, self._holding = self._holding, asyncio.current_task()
        if self._link is not None:
            # What is under way on the old one, in spite of the quiet moment, is asked of the new one or told as lost.
            self._lost()
        self._link, self._opening = link, None
        self.number += 1
        ready.set_result(link)
        if before is not None:
            before.cancel()
        if self._renewing is None:
            self._renewing = self._tasks.create_task(self._renew(), name="voice line renewal")

    async def _renew(self) -> None:
        """Opens another connection before the cap strikes; the old one serves until a quiet moment."""
        while True:
            number = self.number
            await self._clock.sleep(self._age_s)
            if number != self.number or self._link is None:
                continue  # Broken and reopened meanwhile: this one is younger.
            if self._opening is None:
                self._opening = self._begin()
            await asyncio.wait((self._opening,))

    async def _quiet(self) -> None:
        """Waits for the moment when nothing is under way, as long as the old connection may last."""
        try:
            async with asyncio.timeout((self._voice.longest_s - self._age_s) / 2):
                await self.idle.wait()
        except TimeoutError:
            _log.info("a voice line is renewed in the middle of something", extra={"provider": self._voice.name})


def _typed(error: Exception) -> VivavoceError:
    if isinstance(error, VivavoceError):
        return error
    return ProviderError("The speech-to-speech provider broke; choose another.", metadata={"cause": cause_of(error)})
