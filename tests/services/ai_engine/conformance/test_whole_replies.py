"""What every synthesizer keeps to that speaks all clauses of a reply over one connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mesh.errors import ProviderError
from services.ai_engine.domain.roles import Speaking, StreamingSynthesizer
from tests.emulators.speech import scripted_mouth
from tests.services.ai_engine.conformance.leaks import nothing_left
from tests.services.ai_engine.conformance.vendors import VOICES, Pair

_CLAUSES = ("Good morning,", "what would you like?", "We have tea.")


@pytest.fixture(params=VOICES)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with VOICES[request.param]() as opened, nothing_left(opened):
        yield opened


async def _sound(speaking: Speaking, clause: str) -> bytes:
    return b"".join([chunk.pcm async for chunk in speaking.say(clause)])


async def _meant(clause: str) -> bytes:
    return b"".join([chunk.pcm async for chunk in scripted_mouth(clause)])


async def test_the_first_clause_sounds_before_the_second_is_known(pair: Pair[StreamingSynthesizer]) -> None:
    async with pair.provider.speak() as speaking:
        for clause in _CLAUSES:
            assert await _sound(speaking, clause) == await _meant(clause)
    assert len(pair.emulator.visits) == 1


async def test_it_connects_before_there_is_text(pair: Pair[StreamingSynthesizer]) -> None:
    async with pair.provider.speak(), asyncio.timeout(5):
        await pair.emulator.arrived.wait()
    assert len(pair.emulator.visits) == 1


async def test_clauses_asked_for_at_once_each_get_their_own_sound_and_words(
    pair: Pair[StreamingSynthesizer],
) -> None:
    async with pair.provider.speak() as speaking:
        sounds = await asyncio.gather(*(_sound(speaking, clause) for clause in _CLAUSES))
        again = [chunk async for chunk in speaking.say(_CLAUSES[0])]
    assert sounds == [await _meant(clause) for clause in _CLAUSES]
    words = [word for chunk in again for word in chunk.words]
    assert not words or words[0].start_s == 0


async def test_a_connection_that_breaks_fails_every_clause_that_waits(pair: Pair[StreamingSynthesizer]) -> None:
    pair.emulator.behaviour = "cut"
    async with pair.provider.speak() as speaking:
        told = await asyncio.gather(*(_sound(speaking, clause) for clause in _CLAUSES), return_exceptions=True)
    assert [type(each) for each in told] == [ProviderError] * 3


async def test_a_vendor_that_does_not_say_goodbye_is_not_waited_for(pair: Pair[StreamingSynthesizer]) -> None:
    pair.emulator.behaviour = "deaf"
    async with asyncio.timeout(5), pair.provider.speak():
        pass
