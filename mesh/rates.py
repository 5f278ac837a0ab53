"""Bounds how often something may be done: so many times a minute or an hour, by one account or from one place."""

import hashlib
import logging
import math
import time
from collections.abc import Iterable, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Final, Self

from limits import RateLimitItem, parse_many
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from mesh.ephemeral import is_shared
from mesh.errors import InvalidFieldError, RateLimitedError

_PREFIX: Final = "vivavoce:rate"
#: For connecting to the store, and for its answer.
_TIMEOUT_S: Final = 1.0

_log: Final = logging.getLogger(__name__)


class Rates:
    """Counts in sliding windows, in this process (`memory://`) or in a Valkey that replicas share. Use as `async with`.

    Keys are hashed: neither addresses nor names reach the store. Where the store is away everything is let through,
    and that is logged: what must be bounded even then is bounded elsewhere.

    Raises:
        InvalidFieldError: the URL names no store.
    """

    def __init__(self, url: str) -> None:
        shared = _shared_options() if is_shared(url) else {}
        self._storage = storage_from_string(f"async+{url}", wrap_exceptions=True, **shared)
        self._windows = SlidingWindowCounterRateLimiter(self._storage)

    async def __aenter__(self) -> Self:
        """Opens nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections, where there are any."""
        if bridge := getattr(self._storage, "bridge", None):
            await bridge.storage.aclose()

    async def admit(self, rate: str, *key: str) -> None:
        """Counts one more of `key`. `rate` reads like "5/minute;100/hour"; an empty one lets everything through.

        Raises:
            RateLimitedError: there were too many; this one does not count.
        """
        name = hashlib.blake2b("\0".join(key).encode(), digest_size=16).hexdigest()
        try:
            for window in _windows(rate):
                if not await self._windows.hit(window, name):
                    ends_at = (await self._windows.get_window_stats(window, name)).reset_time
                    raise too_many(ends_at - time.time())
        except StorageError as error:
            _log.warning("rates can't be counted", extra={"error": type(error.storage_error).__name__})


def check_rates(rates: Iterable[str]) -> None:
    """Checks what settings say about rates.

    Raises:
        InvalidFieldError: one can't be read.
    """
    for rate in rates:
        try:
            _windows(rate)
        except ValueError:
            raise InvalidFieldError(
                f'"{rate}" is not a rate; write one such as "5/minute;100/hour", or nothing for no bound.'
            ) from None


def too_many(wait_s: float) -> RateLimitedError:
    """The answer to one who has to wait."""
    seconds = max(1, math.ceil(wait_s))
    return RateLimitedError(f"Too many attempts; try again in {seconds} s.", metadata={"retry_after_s": str(seconds)})


@cache
def _windows(rate: str) -> Sequence[RateLimitItem]:
    return parse_many(rate) if rate else []


def _shared_options() -> dict[str, Any]:
    return {
        "implementation": "redispy",
        "key_prefix": _PREFIX,
        "socket_timeout": _TIMEOUT_S,
        "socket_connect_timeout": _TIMEOUT_S,
    }
