"""What every recogniser of a vendor keeps to, each against an emulator of its vendor through the vendor's own SDK."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mesh.errors import InvalidFieldError, ProviderError
from services.ai_engine.domain.roles import Recognizer
from tests.emulators.speech import FRAME, HEARD
from tests.services.ai_engine.conformance.faults import TOGETHER, each_fails_typed
from tests.services.ai_engine.conformance.leaks import nothing_left
from tests.services.ai_engine.conformance.vendors import RECOGNIZERS, Pair

_SPEECH = FRAME * 100
_PAUSE = bytes(640 * 20)


@pytest.fixture(params=RECOGNIZERS)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair[Recognizer]]:
    async with RECOGNIZERS[request.param]() as opened, nothing_left(opened):
        yield opened


async def test_a_stretch_is_heard_word_for_word_with_its_slips(pair: Pair[Recognizer]) -> None:
    transcript = await pair.provider.recognize(_PAUSE + _SPEECH + _PAUSE, language="en")
    assert transcript.text == HEARD
    assert [word.text for word in transcript.words] == HEARD.split()
    times = [at for word in transcript.words for at in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert 0.3 < times[0] < 0.5
    assert 2.2 < times[-1] < 2.5


async def test_the_vendor_gets_every_sample_once(pair: Pair[Recognizer]) -> None:
    await pair.provider.recognize(_SPEECH, language="en")
    assert len(pair.emulator.last.sound) == len(_SPEECH) * pair.emulator.rate_hz // 16_000


async def test_silence_is_no_words_and_no_fault(pair: Pair[Recognizer]) -> None:
    transcript = await pair.provider.recognize(_PAUSE * 4, language="en")
    assert (transcript.text, transcript.words) == ("", ())


async def test_a_language_it_does_not_know_is_refused_before_it_connects(pair: Pair[Recognizer]) -> None:
    if not pair.provider.capabilities.languages:
        assert (await pair.provider.recognize(_SPEECH, language="tlh")).text == HEARD
        return
    with pytest.raises(InvalidFieldError) as refused:
        await pair.provider.recognize(_SPEECH, language="tlh")
    assert refused.value.field == "language"
    assert pair.emulator.visits == []


@pytest.mark.parametrize("manner", TOGETHER)
async def test_a_vendor_that_misbehaves_is_a_typed_error_in_time(manner: str) -> None:
    async def recognize(pair: Pair[Recognizer]) -> None:
        await pair.provider.recognize(_SPEECH, language="en")

    await each_fails_typed(RECOGNIZERS, manner, recognize, HEARD)


async def test_a_vendor_that_is_not_there_is_named_unreachable(pair: Pair[Recognizer]) -> None:
    await pair.emulator.stop()
    with pytest.raises(ProviderError) as caught:
        await pair.provider.recognize(_SPEECH, language="en")
    assert caught.value.metadata["cause"] == "UNREACHABLE"


async def test_cancelling_a_question_ends_the_connection(pair: Pair[Recognizer]) -> None:
    pair.emulator.behaviour = "stall"
    task = asyncio.create_task(pair.provider.recognize(_SPEECH, language="en"))
    async with asyncio.timeout(5):
        await pair.emulator.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
