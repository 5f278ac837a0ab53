"""Holds sessions for a long time: counts frames that get lost or change places, turns, and what the mesh grows by."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final, Self

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb

from cli.bench.caller import ECHO, FRAME_S, RATE_HZ, Caller, call, marks, numbered
from cli.bench.crowd import HUM, PERIOD_S, SEED, Door, converse, guests, scored
from cli.bench.families import Families

#: What is held after this part of the time is compared with what is held when this part of it is over.
_WARM, _OVER = 0.1, 0.98
#: Frames on their way when the last has left are waited for so long.
_LAST_S: Final = 10.0


@dataclass(slots=True)
class Echoed:
    """The frames of one session that gives every frame back: each carries its number."""

    #: The numbers that came back first and last; None before any did.
    first: int | None = None
    last: int = -1
    lost: int = 0
    reordered: int = 0

    def came(self, number: int) -> None:
        """Takes the next frame that came back."""
        if self.first is None:
            self.first = self.last = number
        elif number > self.last:
            self.lost += number - self.last - 1
            self.last = number
        else:
            self.reordered += 1

    def end(self, sent: int) -> None:
        """After the last of so many frames that were sent."""
        self.lost += sent - 1 - self.last


@dataclass(frozen=True, slots=True)
class Held:
    """What the mesh holds at a moment."""

    megabytes: float
    descriptors: int

    @classmethod
    def by(cls, families: Families) -> Self:
        """What these processes hold now."""
        return cls(families.resident_mb(), families.descriptors())


@dataclass(slots=True)
class Endured:
    """How a long time went."""

    seconds: float
    #: When all was warm, and in the end.
    warm: Held
    end: Held
    echoes: list[Echoed] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Frames that came back."""
        return sum(each.last - each.first + 1 - each.lost for each in self.echoes if each.first is not None)

    @property
    def grown(self) -> float:
        """Part of its memory by which the mesh grew."""
        return self.end.megabytes / self.warm.megabytes - 1

    @property
    def grown_mb(self) -> float:
        """The same in megabytes in ten minutes."""
        return (self.end.megabytes - self.warm.megabytes) * 600 / (self.seconds * (_OVER - _WARM))

    @property
    def unanswered(self) -> int:
        """Turns without an answer, but for each session's first."""
        return sum(len(caller.turns) - 1 for caller in self.callers) - len(scored(self.callers))


async def endure(door: Door, sessions: int, seconds: float) -> Endured:
    """Half of the sessions give every frame back, the other half converse."""
    drawn, before = random.Random(SEED), Held.by(door.families)
    endured = Endured(seconds, before, before)

    async def talk(token: str, phase_s: float) -> None:
        async with call(door.web, token) as caller:
            endured.callers.append(caller)
            await converse(caller, int(seconds / PERIOD_S), HUM, PERIOD_S, phase_s, cut_short=False)

    async def weigh() -> None:
        await asyncio.sleep(seconds * _WARM)
        endured.warm = Held.by(door.families)
        await asyncio.sleep(seconds * (_OVER - _WARM))
        endured.end = Held.by(door.families)

    tokens = await guests(door.grpc, sessions)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(weigh())
        for number, token in enumerate(tokens):
            if number % 2:
                tasks.create_task(talk(token, drawn.uniform(0, PERIOD_S)))
            else:
                endured.echoes.append(Echoed())
                tasks.create_task(_echo(door, token, endured.echoes[-1], round(seconds / FRAME_S)))
            await asyncio.sleep(FRAME_S)
    return endured


async def _echo(door: Door, token: str, echoed: Echoed, frames: int) -> None:
    async with call(door.web, token, ECHO) as caller:
        listening = asyncio.create_task(_listen(caller, echoed, frames))
        async for number in caller.grid(frames):
            await caller.append(numbered(number))
        await asyncio.wait([listening], timeout=_LAST_S)
        listening.cancel()
    echoed.end(frames)


async def _listen(caller: Caller, echoed: Echoed, frames: int) -> None:
    reported = 0
    async for frame in caller.socket:
        response = conversation_pb.ConverseResponse.FromString(frame)  # type: ignore[arg-type]  # All are binary.
        if response.HasField("reply_audio"):
            sound = response.reply_audio
            for number in marks(sound.pcm):
                echoed.came(number)
            if echoed.last == frames - 1:
                return
            if sound.first_sample - reported >= RATE_HZ:
                reported = sound.first_sample
                await caller.report_played(sound.reply_id, reported)
