"""Waits for what providers give, and not for ever: by a budget of time that all who are tried for one answer share."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeVar

from mesh.clock import Clock
from mesh.errors import ProviderError

T = TypeVar("T")

_END: Final = object()
_since_s: Final[ContextVar[float | None]] = ContextVar("since_s", default=None)


@dataclass(frozen=True, slots=True)
class Patience:
    """The one policy by which all roles retry: each provider is tried once, in order, in the time there is."""

    #: Until somebody else is asked, where there is somebody else.
    first_s: float = 1.2
    #: Until the caller has an answer or an error, however many are tried. Local models are given longer.
    within_s: float = 2.6
    #: One that has begun and gives nothing for so long has failed, where there is somebody else.
    stall_s: float = 1.4
    #: What is left of the time for who comes last.
    last_s: float = 0.6
    #: What a local model may take: it has nothing to wait for but the processor.
    local_s: float = 20.0


class Budget:
    """The time in which the caller has something; whatever comes renews it."""

    def __init__(self, within_s: float, clock: Clock, since_s: float) -> None:
        self._within_s = within_s
        self._clock = clock
        self.since_s = since_s

    @property
    def left_s(self) -> float:
        """Seconds until the caller is told an error; below 0 they are over."""
        return self.since_s + self._within_s - self._clock.now()

    def renew(self) -> None:
        """The caller has something; the time counts anew."""
        self.since_s = self._clock.now()


@contextmanager
def waited_for(since_s: float) -> Iterator[None]:
    """Has the caller waited since then for what is asked of chains in the block, and in tasks it begins.

    So who stands in for somebody has only the time that is left. Not for a block that yields: a generator shares its
    context with whoever iterates.
    """
    token = _since_s.set(since_s)
    try:
        yield
    finally:
        _since_s.reset(token)


def waiting_since(clock: Clock) -> float:
    """Since when the caller has waited: as told by `waited_for`, or now."""
    since_s = _since_s.get()
    return clock.now() if since_s is None else since_s


async def patiently(iterator: AsyncIterator[T], part: str, wait_s: Callable[[], float]) -> AsyncGenerator[T, None]:
    """Passes on what `iterator` gives and closes it at the end, however that comes about.

    Raises ProviderError where nothing comes for as long as `wait_s` says, which is asked each time.
    """
    try:
        while True:
            limit_s = wait_s()
            try:
                async with asyncio.timeout(limit_s):
                    given = await anext(iterator, _END)
            except TimeoutError:
                raise ProviderError(
                    f"The {part} gave nothing for {limit_s:.3g} s; try again, or choose another provider.",
                    metadata={"cause": "TIMED_OUT"},
                ) from None
            if given is _END:
                return
            yield given  # type: ignore[misc]  # Not _END: what the iterator gave.
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
