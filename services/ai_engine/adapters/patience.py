"""Waits for what a provider streams, and not for ever."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, TypeVar

from mesh.errors import ProviderError

T = TypeVar("T")

_END: Final = object()


async def patiently(
    iterator: AsyncIterator[T], part: str, stall_s: float, *, first_s: float | None = None
) -> AsyncGenerator[T, None]:
    """Passes on what `iterator` gives and closes it at the end, however that comes about.

    Raises ProviderError where nothing comes for `stall_s`, or for `first_s` before the first.
    """
    wait_s = stall_s if first_s is None else first_s
    try:
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    given = await anext(iterator, _END)
            except TimeoutError:
                raise ProviderError(
                    f"The {part} gave nothing for {wait_s:.3g} s; try again, or choose another provider.",
                    metadata={"cause": "TIMED_OUT"},
                ) from None
            if given is _END:
                return
            wait_s = stall_s
            yield given  # type: ignore[misc]  # Not _END: what the iterator gave.
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
