"""What tests of calls share: to expect a refusal, and to wait for what comes about in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from grpc.aio import AioRpcError

from mesh.errors import VivavoceError
from mesh.wire_errors import from_rpc_error


@dataclass(slots=True)
class Refusal:
    """What a call was refused with, once it was."""

    error: VivavoceError | None = None


@contextmanager
def refused(
    kind: type[VivavoceError] | tuple[type[VivavoceError], ...], *, reason: str = "", field: str = ""
) -> Iterator[Refusal]:
    """Fails unless the block raises an error of that kind: by a call, or by a stream of ours."""
    refusal = Refusal()
    try:
        yield refusal
    except AioRpcError as failed:
        refusal.error = from_rpc_error(failed)
    except VivavoceError as failed:
        refusal.error = failed
    assert refusal.error is not None, "the call was not refused"
    assert isinstance(refusal.error, kind), f"{type(refusal.error).__name__}: {refusal.error.message}"
    assert not reason or refusal.error.reason == reason, f"{refusal.error.reason}: {refusal.error.message}"
    assert not field or refusal.error.field == field


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    """Returns once `holds` says so; fails where it does not in time."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 (what is waited for is another process's or thread's)
            await asyncio.sleep(0.01)
