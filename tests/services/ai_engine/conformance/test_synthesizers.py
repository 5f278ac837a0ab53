"""What every synthesizer of a vendor keeps to, each against an emulator of its vendor through the vendor's own SDK."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from mesh.audio import duration_s, is_silent
from mesh.errors import InvalidFieldError, ProviderError
from services.ai_engine.domain.roles import SpeechChunk, Synthesizer
from tests.emulators.speech import scripted_mouth
from tests.services.ai_engine.conformance.faults import TOGETHER, each_fails_typed
from tests.services.ai_engine.conformance.leaks import nothing_left
from tests.services.ai_engine.conformance.vendors import SYNTHESIZERS, Pair

_TEXT = "Yesterday I went, with my dad, to Zürich & back."


@pytest.fixture(params=SYNTHESIZERS)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair[Synthesizer]]:
    async with SYNTHESIZERS[request.param]() as opened, nothing_left(opened):
        yield opened


def _speech(pair: Pair[Synthesizer], *, voice: str = "", rate: float = 1.0) -> AsyncGenerator[SpeechChunk, None]:
    speech = pair.provider.synthesize(_TEXT, voice=voice, rate=rate)
    assert isinstance(speech, AsyncGenerator)
    return speech


async def _said(pair: Pair[Synthesizer], text: str = _TEXT, *, rate: float = 1.0) -> list[SpeechChunk]:
    return [chunk async for chunk in pair.provider.synthesize(text, rate=rate)]


async def _meant(text: str = _TEXT) -> bytes:
    return b"".join([chunk.pcm async for chunk in scripted_mouth(text)])


async def test_the_text_sounds_sample_by_sample_as_the_vendor_made_it(pair: Pair[Synthesizer]) -> None:
    assert pair.provider.capabilities.sample_rate_hz == 24_000
    pcm = b"".join(chunk.pcm for chunk in await _said(pair))
    assert pcm == await _meant()


async def test_words_are_told_in_order_within_the_sound(pair: Pair[Synthesizer]) -> None:
    chunks = await _said(pair)
    words = [word for chunk in chunks for word in chunk.words]
    told = [word.text for word in words if word.text != "&"]
    assert told == (_TEXT.replace(" &", "").split() if pair.provider.capabilities.word_times else [])
    times = [at for word in words for at in (word.start_s, word.end_s)]
    assert times == sorted(times)
    length_s = duration_s(b"".join(chunk.pcm for chunk in chunks), 24_000)
    assert not times or (times[0] == 0 and times[-1] == pytest.approx(length_s, abs=0.02))


async def test_the_first_sound_comes_before_the_vendor_has_made_all_of_it(pair: Pair[Synthesizer]) -> None:
    pair.emulator.hold_after = 2
    async with aclosing(_speech(pair)) as chunks, asyncio.timeout(5):
        first = await anext(chunks)
        assert not is_silent(first.pcm)
        assert not pair.emulator.go.is_set()
        pair.emulator.go.set()
        rest = b"".join([chunk.pcm async for chunk in chunks])
    assert first.pcm + rest == await _meant()


async def test_pace_is_asked_for(pair: Pair[Synthesizer]) -> None:
    await _said(pair, rate=0.8)
    await _said(pair)
    assert pair.emulator.paces == [0.8, 1.0]


async def test_the_voice_is_the_one_that_was_asked_for(pair: Pair[Synthesizer]) -> None:
    default, other = pair.provider.capabilities.voices[:2]
    async with aclosing(_speech(pair, voice=other)) as chunks:
        async for _ in chunks:
            pass
    await _said(pair)
    assert pair.emulator.voices == [other, default]


async def test_a_voice_or_a_pace_it_does_not_have_is_refused_before_it_connects(pair: Pair[Synthesizer]) -> None:
    for voice, rate, field in (("nobody", 1.0, "voice"), ("", 2.0, "rate")):
        with pytest.raises(InvalidFieldError) as refused:
            async with aclosing(_speech(pair, voice=voice, rate=rate)) as chunks:
                await anext(chunks)
        assert refused.value.field == field
    assert pair.emulator.visits == []


@pytest.mark.parametrize("manner", TOGETHER)
async def test_a_vendor_that_misbehaves_is_a_typed_error_in_time(manner: str) -> None:
    await each_fails_typed(SYNTHESIZERS, manner, _said, _TEXT)


async def test_a_vendor_that_says_nothing_gives_no_sound(pair: Pair[Synthesizer]) -> None:
    pair.emulator.behaviour = "silence"
    assert b"".join(chunk.pcm for chunk in await _said(pair)) == b""


async def test_a_vendor_that_is_not_there_is_named_unreachable(pair: Pair[Synthesizer]) -> None:
    await pair.emulator.stop()
    with pytest.raises(ProviderError) as caught:
        await _said(pair)
    assert caught.value.metadata["cause"] == "UNREACHABLE"


async def test_stopping_in_the_middle_ends_the_connection_within_a_frame(pair: Pair[Synthesizer]) -> None:
    pair.emulator.hold_after = 2

    async def stop() -> float:
        heard = asyncio.Event()

        async def listen() -> None:
            async with aclosing(_speech(pair)) as chunks:
                async for _ in chunks:
                    heard.set()

        task = asyncio.create_task(listen())
        async with asyncio.timeout(5):
            await heard.wait()
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await pair.emulator.last.closed.wait()
        return time.monotonic() - begun

    # The quickest of several: this machine may be busy with something else in any of them.
    assert min([await stop() for _ in range(4)]) < pair.goodbye_s
