"""Waits for what another task or process brings about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(holds: Callable[[], object], within_s: float = 5.0) -> None:
    """Returns as soon as `holds` does."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 (what is waited for is behind a socket and sets no event)
            await asyncio.sleep(0.01)


async def eventually_found(look: Callable[[], Awaitable[T]], within_s: float = 20.0) -> T:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(within_s):
        while not (found := await look()):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.05)
        return found
