"""What may be lost, kept in a Valkey or Redis that several processes share."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import OutOfMemoryError, RedisError

from mesh.errors import OverloadedError, UnavailableError

#: All our keys begin so: a Valkey may serve others, too.
_OURS: Final = "vivavoce:"
_CONNECTIONS: Final = 16
#: For connecting, for an answer, and for a connection of the pool to be free.
_TIMEOUT_S: Final = 1.0
# Both compare and act in one step, so that a lease which ran out meanwhile is never taken from its next holder.
_EXTEND: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class Valkey:
    """`Ephemeral` in a Valkey, for the length of an `async with` block. Connects with the first call.

    A call whose connection was cut is sent once more. The answer to the first may be what was lost: then a lease counts
    as another's, never the other way.
    """

    def __init__(self, url: str) -> None:
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            decode_responses=True,
            retry=Retry(NoBackoff(), 1, supported_errors=(NoConnectionError,)),
        )
        self._client = Redis.from_pool(self._pool)

    async def __aenter__(self) -> Self:
        """Opens nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def put(self, key: str, value: str, *, lifetime_s: float) -> None:
        """See `Ephemeral`."""
        with _mapped_errors():
            await self._client.set(_OURS + key, value, px=_ms(lifetime_s))

    async def get(self, key: str) -> str | None:
        """See `Ephemeral`."""
        with _mapped_errors():
            return _text(await self._client.get(_OURS + key))

    async def claim(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        """See `Ephemeral`."""
        with _mapped_errors():
            return bool(await self._client.set(_OURS + key, holder, px=_ms(lifetime_s), nx=True))

    async def extend(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        """See `Ephemeral`."""
        with _mapped_errors():
            return bool(await self._client.eval(_EXTEND, 1, _OURS + key, holder, _ms(lifetime_s)))

    async def release(self, key: str, holder: str) -> bool:
        """See `Ephemeral`."""
        with _mapped_errors():
            return bool(await self._client.eval(_RELEASE, 1, _OURS + key, holder))


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except OutOfMemoryError as error:
        raise OverloadedError("The store of what may be lost is full; try again in a moment.") from error
    except RedisError as error:
        raise UnavailableError("The store of what may be lost can't be reached; try again in a moment.") from error


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _text(answer: str | bytes | None) -> str | None:
    assert not isinstance(answer, bytes), "answers are decoded"
    return answer
