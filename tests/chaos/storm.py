"""Kills processes of a town at random moments while people talk, and compares what they were told with what is kept."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from grpc.aio import AioRpcError, Channel
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from mesh.channel import open_channel
from tests.chaos.talker import Talker, by_edge, by_grpc, new_guest
from tests.chaos.town import Town

#: However slow the machine is, everybody talks again within this after a kill.
_GOES_ON_S: Final = 30.0
_ARRIVES_S: Final = 60.0
_PAGE: Final = 500


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    #: What sessions ended with, but for a server that told everybody to come back.
    dropped: list[str] = field(default_factory=list)
    #: Exit codes of those that were ended in order.
    exits: dict[str, int] = field(default_factory=dict)
    promised: int = 0
    kept: int = 0
    #: Promised and not kept; kept otherwise than promised; kept twice; missing in the numbers of a conversation.
    lost: int = 0
    altered: int = 0
    doubled: int = 0
    gaps: int = 0
    #: Seconds until everybody talked again after a store was back, by store and how it was away.
    healthy_s: dict[str, float] = field(default_factory=dict)
    #: Seconds until each session was there again, from when its process was back, or from the cut where another adopts;
    #: not those in which its wire let nothing through.
    resumed_s: list[float] = field(default_factory=list)
    #: Those, too.
    away_s: list[float] = field(default_factory=list)

    @property
    def slowest_s(self) -> float:
        """The longest of them."""
        return max(self.resumed_s, default=0.0)

    @property
    def whole(self) -> bool:
        """Whether all that was promised is kept, as it was promised, once, and in order."""
        return self.promised > 0 and (self.lost, self.altered, self.doubled, self.gaps) == (0, 0, 0, 0)


async def rage(town: Town, seed: int, rounds: int, talkers: int) -> Outcome:
    """Kills the conversation service or history, or both, in each round, which begins once everybody talks again."""
    chance = random.Random(seed)
    async with crowd(town, chance, talkers) as (people, outcome):
        for _ in range(rounds):
            await asyncio.sleep(chance.uniform(0, 0.3))
            await _strike(town, chance, people, outcome)
    return outcome


async def restart_all(town: Town, talkers: int, *, pause_s: float) -> Outcome:
    """Ends each process in order and starts it again, one after another, each time once everybody talks again."""
    async with crowd(town, random.Random(1), talkers, pause_s=pause_s) as (people, outcome):
        for name in town.houses:
            outcome.exits[name] = await town.stop(name)
            town.start(name)
            await town.up(name)
            for talker in people:
                talker.talks.clear()
            await everybody_talks(people)
    tell_of_sessions(people, outcome)
    return outcome


def tell_of_sessions(people: list[Talker], outcome: Outcome) -> None:
    """Notes how long people were away, and which sessions ended."""
    for talker in people:
        outcome.dropped += [f"{talker.name}: {reason}" for reason in talker.endings if reason != "DRAINING"]
        outcome.away_s += talker.away_s
        outcome.resumed_s += [away_s - shut_s for away_s, shut_s in zip(talker.away_s, talker.shut_s, strict=True)]


@asynccontextmanager
async def crowd(
    town: Town, chance: random.Random, talkers: int, *, recorded: bool = False, pause_s: float = 0.0
) -> AsyncIterator[tuple[list[Talker], Outcome]]:
    """People who talk for the length of the block; then what they were told is compared with what is kept."""
    outcome = Outcome()
    for name in town.houses:
        await town.up(name)
    new = partial(_newcomer, town, chance, recorded=recorded, pause_s=pause_s)
    people = [await new(number) for number in range(talkers)]
    async with asyncio.TaskGroup() as tasks:
        talking = [tasks.create_task(talker.talk(), name=talker.name) for talker in people]
        await everybody_talks(people)
        yield people, outcome
        for task in talking:
            task.cancel()
    await compare(town, people, outcome)


async def compare(town: Town, people: list[Talker], outcome: Outcome) -> None:
    """Compares what people were told with what is kept of it, once that has arrived."""
    for talker in people:
        _compare(talker, await _kept(town, talker), outcome)


async def _newcomer(town: Town, chance: random.Random, number: int, *, recorded: bool, pause_s: float) -> Talker:
    """One in three comes through the edge."""
    metadata = await new_guest(town.addresses("user")[0])
    way, service = (by_edge, "edge") if number % 3 == 0 else (by_grpc, "conversation")
    doors = [partial(way, address) for address in town.entrances(service)]
    own = random.Random(chance.random())
    talker = Talker(f"learner {number}", doors, metadata, own, recorded=recorded, pause_s=pause_s)
    if service in town.doors:
        talker.wire_shut_s = town.doors[service].shut_s
    return talker


async def everybody_talks(people: list[Talker], within_s: float = _GOES_ON_S) -> None:
    try:
        async with asyncio.timeout(within_s):
            for talker in people:
                await talker.talks.wait()
    except TimeoutError:
        silent = {talker.name: talker.complaints[-3:] for talker in people if not talker.talks.is_set()}
        raise AssertionError(f"these never spoke again: {silent}") from None


async def _strike(town: Town, chance: random.Random, people: list[Talker], outcome: Outcome) -> None:
    """Kills one, or two at once, or the same again while people come back to it; then sees everybody come back."""
    replicas = [name for name, house in town.houses.items() if house.service == "conversation"]
    victim = chance.choice(replicas)
    victims = chance.choice([[victim], [victim], ["history 1"], [victim, "history 1"], ["edge 1", victim]])
    for talker in people:
        talker.talks.clear()
    for again in (False, True) if chance.random() < 0.2 else (False,):
        if again:
            await asyncio.sleep(chance.uniform(0, 0.2))
        struck_at = time.monotonic()
        for name in victims:
            outcome.kills[name.partition(" ")[0]] += 1
            town.kill(name)
            town.start(name)
        for name in victims:
            await town.up(name)
    # Where there is another replica, somebody is there to adopt from the first moment.
    doors = {town.houses[name].service for name in victims} & {"conversation", "edge"}
    alone = any(len(town.addresses(service)) == 1 for service in doors)
    served_from = time.monotonic() if alone else struck_at
    await everybody_talks(people)
    for talker in people:
        if talker.lost_at >= struck_at:
            outcome.resumed_s.append(max(0.0, talker.found_at - max(talker.lost_at, served_from)))


async def _kept(town: Town, talker: Talker) -> list[history_pb.HistoryEvent]:
    """What history has of a conversation, once it has all that was promised, or has had time enough."""
    wanted = max(promise.sequence for promise in talker.promises.values())
    events: list[history_pb.HistoryEvent] = []
    ends_at = time.monotonic() + _ARRIVES_S
    async with open_channel(town.addresses("history")[0]) as channel:
        while time.monotonic() < ends_at and (not events or events[-1].sequence < wanted):
            await asyncio.sleep(0.1)
            with suppress(AioRpcError):
                events = await _listed(channel, talker)
    return events


async def _listed(channel: Channel, talker: Talker) -> list[history_pb.HistoryEvent]:
    request = service_pb.ListEventsRequest(conversation_id=talker.conversation_id, page_size=_PAGE)
    found: list[history_pb.HistoryEvent] = []
    while True:
        page = await HistoryServiceStub(channel).ListEvents(request, metadata=talker.metadata, timeout=20)
        found += page.events
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


def _compare(talker: Talker, events: list[history_pb.HistoryEvent], outcome: Outcome) -> None:
    turns = {event.sequence: event.turn_taken for event in events if event.HasField("turn_taken")}
    outcome.promised += len(talker.promises)
    outcome.kept += len(turns)
    for promise in talker.promises.values():
        found = turns.get(promise.sequence)
        outcome.lost += found is None
        outcome.altered += found is not None and (found.turn_id, found.text) != (promise.turn_id, promise.text)
    written = Counter(turn.text for turn in turns.values() if turn.typed)
    spoken = len(turns) - written.total()
    outcome.doubled += sum(count - 1 for count in Counter(turn.turn_id for turn in turns.values()).values())
    outcome.doubled += sum(count - 1 for count in written.values()) + max(0, spoken - talker.spoken)
    outcome.gaps += [event.sequence for event in events] != list(range(1, len(events) + 1))
