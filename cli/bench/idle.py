"""Opens many sessions that say nothing: how much memory each holds, and whether all of them are still there."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from cli.bench.caller import Caller, call
from cli.bench.crowd import Door, guests

#: Sessions that one person opens.
EACH: Final = 20
_FIRST: Final = 10
_AT_ONCE: Final = 8
_SETTLE_S: Final = 5.0
_ANSWERS_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Idle:
    """What so many open sessions cost."""

    sessions: int
    megabytes_each: float
    #: How many answered a ping once all were open.
    awake: int
    #: Seconds in which they were opened.
    opened_s: float


async def stay_open(door: Door, count: int) -> Idle:
    """Opens `count` sessions beside a few that were there before, and asks each of them for a sign of life."""
    tokens = await guests(door.grpc, -(-(count + _FIRST) // EACH))
    leave, gate = asyncio.Event(), asyncio.Semaphore(_AT_ONCE)
    callers: list[Caller] = []

    async def one(number: int, opened: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            async with gate:
                caller = await stack.enter_async_context(call(door.web, tokens[number // EACH]))
            callers.append(caller)
            opened.set()
            listening = asyncio.create_task(caller.listen(cut_short=True))
            await leave.wait()
            listening.cancel()

    async with asyncio.TaskGroup() as tasks:

        async def opened(numbers: range) -> float:
            signs = [asyncio.Event() for _ in numbers]
            for number, sign in zip(numbers, signs, strict=True):
                tasks.create_task(one(number, sign))
            for sign in signs:
                await sign.wait()
            # Opening lines are cut off, and what opening took is given back.
            await asyncio.sleep(_SETTLE_S)
            return door.families.resident_mb()

        before_mb = await opened(range(_FIRST))
        began_at = time.perf_counter()
        after_mb = await opened(range(_FIRST, _FIRST + count))
        opened_s = time.perf_counter() - began_at - _SETTLE_S
        awake = sum(await asyncio.gather(*(caller.is_awake(_ANSWERS_S) for caller in callers[_FIRST:])))
        leave.set()
    return Idle(count, (after_mb - before_mb) / count, awake, opened_s)
