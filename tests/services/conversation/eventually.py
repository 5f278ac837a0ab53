"""Waits for what another task or process brings about."""

import asyncio
from collections.abc import Callable


async def eventually(holds: Callable[[], object], within_s: float = 5.0) -> None:
    """Returns as soon as `holds` does."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 (what is waited for is behind a socket and sets no event)
            await asyncio.sleep(0.01)
