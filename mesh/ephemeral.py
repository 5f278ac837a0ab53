"""Keeps what may be lost, leases and the like, in this process or in a Valkey that several share."""

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, OverloadedError
from mesh.settings import setting

#: Entries kept in this process at most.
BOUND: Final = 100_000


@dataclass(frozen=True, slots=True)
class EphemeralSettings:
    """Read from `VIVAVOCE_EPHEMERAL_<FIELD>`; the same for every service of an installation."""

    UNIT: ClassVar[str] = "ephemeral"

    url: str = setting(
        "memory://",
        help="Where what may be lost is kept: redis://[user:password@]host:port/0 or rediss://… names a Valkey or "
        "Redis that all replicas share; memory:// keeps it in each process.",
        secret=True,
    )


class Ephemeral(Protocol):
    """Keeps short texts for a while. Whatever is kept may be gone at any moment, so nothing else may depend on it.

    Every call raises UnavailableError where the store can't be reached, and OverloadedError where it is full or busy;
    either within some seconds. What was asked for may then have happened or not.
    """

    async def put(self, key: str, value: str, *, lifetime_s: float) -> None:
        """Keeps `value` under `key` for `lifetime_s`, in place of what was there."""
        ...

    async def get(self, key: str) -> str | None:
        """What is kept under `key`; None where nothing is."""
        ...

    async def claim(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        """Keeps `holder` under `key` if nothing is kept there; of any number who claim at once, one is told True."""
        ...

    async def extend(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        """Keeps `holder` for `lifetime_s` from now if it still holds `key`; False where it does not."""
        ...

    async def release(self, key: str, holder: str) -> bool:
        """Removes `holder` from `key`; False, and nothing is removed, where another holds it or nobody does."""
        ...


@asynccontextmanager
async def open_ephemeral(settings: EphemeralSettings, clock: Clock) -> AsyncIterator[Ephemeral]:
    """The store that the settings name, for the length of the block; a Valkey that is away is found out by calls.

    Raises:
        InvalidFieldError: the URL names no store we know.
    """
    if is_shared(settings.url):
        from mesh.valkey import Valkey  # Its client takes a third of a second to import.

        async with Valkey(settings.url) as valkey:
            yield valkey
    else:
        yield Memory(clock)


def is_shared(url: str) -> bool:
    """Whether the URL names a store that replicas share.

    Raises:
        InvalidFieldError: it names no store we know.
    """
    match urlsplit(url).scheme:
        case "memory":
            return False
        case "redis" | "rediss":
            return True
        case _:
            raise InvalidFieldError(
                "VIVAVOCE_EPHEMERAL_URL names no store; write memory://, redis://host:port/0 or rediss://host:port/0.",
                field="VIVAVOCE_EPHEMERAL_URL",
            )


class Memory:
    """`Ephemeral` within this process: lost when it ends, and known to no other."""

    def __init__(self, clock: Clock, *, bound: int = BOUND) -> None:
        self._clock = clock
        self._bound = bound
        self._kept: dict[str, tuple[str, float]] = {}
        #: When which key may be due; those that were put anew or extended meanwhile are not.
        self._due: list[tuple[float, str]] = []

    async def put(self, key: str, value: str, *, lifetime_s: float) -> None:
        """See `Ephemeral`."""
        self._forget()
        self._keep(key, value, lifetime_s)

    async def get(self, key: str) -> str | None:
        """See `Ephemeral`."""
        self._forget()
        found = self._kept.get(key)
        return found[0] if found else None

    async def claim(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        """See `Ephemeral`."""
        self._forget()
        if key in self._kept:
            return False
        self._keep(key, holder, lifetime_s)
        return True

    async def extend(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        """See `Ephemeral`."""
        if await self.get(key) != holder:
            return False
        self._keep(key, holder, lifetime_s)
        return True

    async def release(self, key: str, holder: str) -> bool:
        """See `Ephemeral`."""
        if await self.get(key) != holder:
            return False
        del self._kept[key]
        return True

    def _keep(self, key: str, value: str, lifetime_s: float) -> None:
        if len(self._kept) >= self._bound and key not in self._kept:
            raise OverloadedError("Too much is kept for a while already; try again in a moment.")
        expires_at = self._clock.now() + lifetime_s
        self._kept[key] = (value, expires_at)
        heapq.heappush(self._due, (expires_at, key))

    def _forget(self) -> None:
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            if key in self._kept and self._kept[key][1] <= now:
                del self._kept[key]
