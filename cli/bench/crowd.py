"""Many learners at once: each talks over a socket of its own, and what all of them waited is put together."""

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.bench.caller import FRAME_S, TONE, Caller, call
from cli.bench.families import Families
from cli.bench.report import Figure, percentile, percentiles, single
from mesh.channel import open_channel

#: Sessions are drawn apart always in the same way, so that runs compare.
SEED: Final = 7
LATE_MS: Final = 20.0
PERIOD_S: Final = 6.0
#: Three seconds that every detector by loudness takes for speech.
HUM: Final = (TONE,) * round(3.0 / FRAME_S)
_CALL_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Door:
    """Where learners come in, and the processes behind it."""

    web: str
    grpc: str
    families: Families


@dataclass(frozen=True, slots=True)
class Level:
    """How so many sessions at once went."""

    sessions: int
    #: Milliseconds from the first silent frame to the reply, of the answered turns but each session's first.
    waits: Sequence[float]
    asked: int
    #: Milliseconds of round trips through edge and conversation, about one a second of each session.
    pings: Sequence[float]
    #: Milliseconds of round trips of WebSocket's own pings to the edge, as many.
    socket_pings: Sequence[float]
    #: Processors that the server used.
    cores: float

    @property
    def answered(self) -> bool:
        """Whether every turn was."""
        return len(self.waits) == self.asked

    def turn_ms(self, percent: float) -> float:
        """That percentile of what turns waited; infinite where none was answered."""
        return percentile(_or_never(self.waits), percent)

    def frame_ms(self, percent: float) -> float:
        """That percentile of what a frame waits in the mesh, as pings find it; infinite where none was sent."""
        return percentile(_or_never(self.pings), percent)

    def socket_ms(self, percent: float) -> float:
        """That percentile of what a frame waits for the edge alone; infinite where no socket was pinged."""
        return percentile(_or_never(self.socket_pings), percent)

    def figures(self) -> list[Figure]:
        """As a report shows it."""
        return [
            percentiles(f"{self.sessions} sessions, a socket's ping", "ms", _or_never(self.socket_pings)),
            percentiles(f"{self.sessions} sessions, a ping's round trip", "ms", _or_never(self.pings)),
            percentiles(f"{self.sessions} sessions, first silent frame to reply", "ms", _or_never(self.waits)),
            single(f"{self.sessions} sessions, turns answered", "%", 100 * len(self.waits) / self.asked),
            single(f"{self.sessions} sessions, processors used by the server", "", self.cores),
        ]


def _or_never(waits: Sequence[float]) -> Sequence[float]:
    """What got no answer at all waited for ever."""
    return waits or [math.inf]


async def level(door: Door, sessions: int, turns: int, speech: Sequence[bytes] = HUM) -> Level:
    """So many sessions, each with so many turns of that speech and one before them, which finds everything cold."""
    spent_s, began_at = door.families.processor_s(), time.perf_counter()
    callers = await _together(door, sessions, 1 + turns, speech)
    cores = (door.families.processor_s() - spent_s) / (time.perf_counter() - began_at)
    asked = sum(len(caller.turns) - 1 for caller in callers)
    pings = [ms for caller in callers for ms in (*caller.pings, *caller.waiting_pings())]
    socket_pings = [ms for caller in callers for ms in caller.socket_pings]
    return Level(sessions, scored(callers), asked, pings, socket_pings, cores)


async def converse(
    caller: Caller, turns: int, speech: Sequence[bytes], period_s: float, phase_s: float, *, cut_short: bool
) -> None:
    """Says the speech at the beginning of each period; with `cut_short` replies are cancelled once they sound."""
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(caller.listen(cut_short=cut_short))
        await caller.take_turns(speech, period_s, turns, phase_s)
        listening.cancel()


def scored(callers: Sequence[Caller]) -> list[float]:
    """What the answered turns took, but for each session's first, which finds everything cold."""
    return [turn.overhead_ms for caller in callers for turn in caller.turns[1:] if turn.answered_at is not None]


async def guests(grpc: str, count: int) -> list[str]:
    """Access tokens of new guests."""
    async with open_channel(grpc) as channel:
        stub = UserServiceStub(channel)
        request = user_pb.CreateGuestRequest(client="viva bench")
        return [(await stub.CreateGuest(request, timeout=_CALL_S)).tokens.access_token for _ in range(count)]


async def _together(door: Door, sessions: int, turns: int, speech: Sequence[bytes]) -> list[Caller]:
    drawn = random.Random(SEED)
    callers: list[Caller] = []

    async def one(token: str, phase_s: float) -> None:
        async with call(door.web, token) as caller:
            callers.append(caller)
            pinging = asyncio.create_task(caller.keep_pinging(), name="pings")
            try:
                await converse(caller, turns, speech, PERIOD_S, phase_s, cut_short=False)
            finally:
                pinging.cancel()

    async with asyncio.TaskGroup() as tasks:
        for token in await guests(door.grpc, sessions):
            tasks.create_task(one(token, drawn.uniform(0, PERIOD_S)))
            await asyncio.sleep(FRAME_S)
    return callers
