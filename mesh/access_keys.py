"""Exchanges personal access tokens for access tokens, so that all else needs to know only these."""

import asyncio
import contextvars
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from mesh.clock import Clock
from mesh.errors import OverloadedError

#: What personal access tokens begin with.
PREFIX: Final = "vvk_"
#: How long an exchange is remembered: never longer than the access token of it holds, which is minutes.
REMEMBERED_S: Final = 60.0
#: Exchanges remembered, and under way, at most.
_BOUND: Final = 4096
_UNDER_WAY: Final = 256

Exchange = Callable[[str], Awaitable[str]]


class AccessKeys:
    """Remembers exchanges for a minute, by the hash of the token. Who comes during one waits for it, too."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        #: The access token and when to exchange anew, oldest first.
        self._known: dict[bytes, tuple[str, float]] = {}
        self._exchanging: dict[bytes, asyncio.Task[str]] = {}

    async def access_token(self, key: str) -> str:
        """The access token that a personal access token stands for.

        Raises:
            UnauthenticatedError: it is not valid.
            VivavoceError: the user service could not be asked.
        """
        digest = hashlib.sha256(key.encode()).digest()
        known = self._known.get(digest)
        if known and self._clock.now() < known[1]:
            return known[0]
        # Whoever began it may be gone before it is done, and must not take the others with them.
        return await asyncio.shield(self._exchanging.get(digest) or self._begin(digest, key))

    def _begin(self, digest: bytes, key: str) -> "asyncio.Task[str]":
        if len(self._exchanging) >= _UNDER_WAY:
            raise OverloadedError("Too many personal access tokens are being looked at; try again in a moment.")
        # In a context of its own: it has the deadline of none of those who wait for it.
        task = asyncio.get_running_loop().create_task(
            self._exchange_and_remember(digest, key), name="access key exchange", context=contextvars.Context()
        )
        self._exchanging[digest] = task
        task.add_done_callback(lambda done: self._ended(digest, done))
        return task

    async def _exchange_and_remember(self, digest: bytes, key: str) -> str:
        token = await self._exchange(key)
        self._known.pop(digest, None)
        self._known[digest] = (token, self._clock.now() + REMEMBERED_S)
        while len(self._known) > _BOUND:
            del self._known[next(iter(self._known))]
        return token

    def _ended(self, digest: bytes, task: "asyncio.Task[str]") -> None:
        del self._exchanging[digest]
        if not task.cancelled():
            task.exception()  # Told to those who waited, if any still does.
