"""Wires treated badly, those of people and those to the stores: every session goes on, and nothing promised is lost."""

import asyncio
import random
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.stores.postgres import Postgres
from tests.chaos.rows import losses, row
from tests.chaos.storm import Outcome, crowd, everybody_talks, tell_of_sessions
from tests.chaos.town import Town, town
from tests.faults.proxy import FaultProxy
from tests.faults.weather import changeable

_SEED = 7
_CUTS = 200
#: Beside the 2 s that are promised: a machine that is busy with other tests.
_BUSY_S = 5.0


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_every_session_outlasts_bad_wires_to_people_and_to_stores(
    tmp_path: Path, shared_postgres: Postgres, valkey_url: str
) -> None:
    name = secrets.token_hex(4)
    async with AsyncExitStack() as stack:
        stores = {
            "VIVAVOCE_EPHEMERAL_URL": valkey_url,
            **{
                f"VIVAVOCE_{each.upper()}_DATABASE_URL": shared_postgres.database(f"{each}_{name}")
                for each in ("user", "conversation", "history")
            },
        }
        wires = {url: await _before(stack, url) for url in (valkey_url, shared_postgres.url)}
        variables = {key: _by(wires[_server(url, wires)], url) for key, url in stores.items()}
        found = stack.enter_context(town(tmp_path, variables))
        outcome = await _weather(found, list(wires.values()))
        assert found.dead() == []
        assert found.faults() == []
    shut = f"not counting that the wire itself let nothing through {outcome.slowest_s:.1f} s at most"
    away = f"{len(outcome.resumed_s)} times back, {max(outcome.away_s):.1f} s at most, {shut}"
    row(5, f"{away}; {len(outcome.dropped)} dropped; {losses(outcome)}", f"{_CUTS} cuts on each of 4 wires", _SEED)
    assert outcome.whole, outcome
    assert outcome.dropped == []
    assert outcome.slowest_s <= _BUSY_S


async def _weather(found: Town, stores: list[FaultProxy]) -> Outcome:
    """Plays bad weather on all wires at once, of another seed each, and sees everybody talk in the end."""
    for name in found.houses:
        await found.up(name)
    async with AsyncExitStack() as stack:
        doors = []
        for number, service in enumerate(("edge", "conversation")):
            door = await stack.enter_async_context(FaultProxy(found.addresses(service)[0], seed=number))
            found.doors[service] = door
            doors.append(door)
        async with crowd(found, random.Random(_SEED), 3) as (people, outcome):
            schedules = [changeable(random.Random(_SEED + n), _CUTS, longest_s=0.6) for n in range(4)]
            await asyncio.gather(*(wire.play(each) for wire, each in zip([*doors, *stores], schedules, strict=True)))
            for talker in people:
                talker.talks.clear()
            await everybody_talks(people)
        tell_of_sessions(people, outcome)
        return outcome


async def _before(stack: AsyncExitStack, url: str) -> FaultProxy:
    place = urlsplit(url)
    return await stack.enter_async_context(FaultProxy(f"{place.hostname}:{place.port}"))


def _server(url: str, wires: dict[str, FaultProxy]) -> str:
    return next(server for server in wires if urlsplit(server).port == urlsplit(url).port)


def _by(wire: FaultProxy, url: str) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{wire.port}/")
