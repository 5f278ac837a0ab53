"""What every recogniser of a vendor keeps to, each against an emulator of its vendor through the vendor's own SDK."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from mesh.errors import InvalidFieldError, ProviderError
from services.ai_engine.domain.roles import StreamingRecognizer
from tests.emulators.sockets import Behaviour
from tests.emulators.speech import HEARD
from tests.services.ai_engine.conformance.faults import CAUSES, each_fails_typed
from tests.services.ai_engine.conformance.leaks import FRAME_S, nothing_left
from tests.services.ai_engine.conformance.vendors import RECOGNIZERS, Pair

_FRAME = b"\x00\x20\x00\xe0" * 160
_SPEECH = _FRAME * 100
_PAUSE = bytes(640 * 20)


@pytest.fixture(params=RECOGNIZERS)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with RECOGNIZERS[request.param]() as opened, nothing_left(opened.emulator):
        yield opened


async def test_a_stretch_is_heard_word_for_word_with_its_slips(pair: Pair[StreamingRecognizer]) -> None:
    transcript = await pair.provider.recognize(_PAUSE + _SPEECH + _PAUSE, language="en")
    assert transcript.text == HEARD
    assert [word.text for word in transcript.words] == HEARD.split()
    times = [time for word in transcript.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert 0.3 < times[0] < 0.5
    assert 2.2 < times[-1] < 2.5


async def test_the_vendor_gets_every_sample_once(pair: Pair[StreamingRecognizer]) -> None:
    await pair.provider.recognize(_SPEECH, language="en")
    assert len(pair.emulator.last.sound) == len(_SPEECH)


async def test_each_pause_has_the_text_since_the_last(pair: Pair[StreamingRecognizer]) -> None:
    async with pair.provider.hear(language="en") as hearing:
        for _ in range(2):
            for _ in range(75):
                await hearing.feed(_FRAME)
            await hearing.feed(_PAUSE)
            transcript = await hearing.transcript()
            assert transcript.text == HEARD
        # Counted from the first sample ever fed: the second stretch begins at 1.9 s.
        assert transcript.words[0].start_s == pytest.approx(1.9, abs=0.3)
    assert len(pair.emulator.visits) == 1


async def test_silence_is_no_words_and_no_fault(pair: Pair[StreamingRecognizer]) -> None:
    transcript = await pair.provider.recognize(_PAUSE * 4, language="en")
    assert (transcript.text, transcript.words) == ("", ())


async def test_nothing_fed_is_nothing_heard(pair: Pair[StreamingRecognizer]) -> None:
    async with pair.provider.hear(language="en") as hearing:
        assert (await hearing.transcript()).text == ""


async def test_a_language_it_does_not_know_is_refused_before_it_connects(pair: Pair[StreamingRecognizer]) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        await pair.provider.recognize(_SPEECH, language="tlh")
    assert refused.value.field == "language"
    assert pair.emulator.visits == []


@pytest.mark.parametrize("behaviour", CAUSES)
async def test_each_misbehaviour_is_a_typed_error_in_time(behaviour: Behaviour) -> None:
    async def recognize(pair: Pair[StreamingRecognizer]) -> None:
        await pair.provider.recognize(_SPEECH, language="en")

    await each_fails_typed(RECOGNIZERS, behaviour, recognize, HEARD)


async def test_a_vendor_that_is_not_there_is_named_unreachable(pair: Pair[StreamingRecognizer]) -> None:
    await pair.emulator.stop()
    with pytest.raises(ProviderError) as caught:
        await pair.provider.recognize(_SPEECH, language="en")
    assert caught.value.metadata["cause"] == "UNREACHABLE"


async def test_leaving_in_the_middle_ends_the_connection_within_a_frame(pair: Pair[StreamingRecognizer]) -> None:
    async def leave() -> float:
        listening = asyncio.Event()

        async def listen() -> None:
            async with pair.provider.hear(language="en") as hearing:
                await hearing.feed(_SPEECH)
                listening.set()
                await asyncio.sleep(30)

        task = asyncio.create_task(listen())
        async with asyncio.timeout(5):
            await listening.wait()
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await pair.emulator.last.closed.wait()
        return time.monotonic() - begun

    # The quickest of several: this machine may be busy with something else in any of them.
    assert min([await leave() for _ in range(4)]) < FRAME_S


async def test_cancelling_a_question_ends_the_connection(pair: Pair[StreamingRecognizer]) -> None:
    pair.emulator.behaviour = "stall"
    task = asyncio.create_task(pair.provider.recognize(_SPEECH, language="en"))
    async with asyncio.timeout(5):
        await pair.emulator.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
