"""The same spoken conversation through every recogniser, model and voice, and through both unified engines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import get_args

import pytest

from mesh.audio import StreamResampler
from mesh.clock import SystemClock
from services.ai_engine.domain.roles import LanguageModel, Line, Recognizer, Synthesizer
from services.ai_engine.domain.run import (
    Cancel,
    Configure,
    Engine,
    ReplyAudioProduced,
    ReplyTextProduced,
    ReportHeard,
    Selection,
    Speak,
)
from services.ai_engine.engines.perception import Ear
from services.ai_engine.engines.pipelined import Parts, PipelinedEngine
from services.ai_engine.providers.instant import CADENCE, InstantTurnEnd, InstantVoiceActivity
from tests.emulators.realtime import DialectName, RealtimeEmulator
from tests.emulators.speech import HEARD, real_ears, real_mouth
from tests.emulators.vendor import running
from tests.services.ai_engine.clips import spoken
from tests.services.ai_engine.conformance.vendors import RECOGNIZERS, SYNTHESIZERS
from tests.services.ai_engine.grammar import check_trace
from tests.services.ai_engine.scripted import Listener
from tests.services.ai_engine.test_language_models import VENDORS
from tests.services.ai_engine.unified_talk import INPUT_HZ, OUTPUT_HZ, UnifiedTalk, provider, unified_talk

#: Every recogniser meets every voice; the models take turns, so that each meets each of both.
COVERING = [
    (recognizer, list(VENDORS)[(row + column) % len(VENDORS)], voice)
    for row, recognizer in enumerate(RECOGNIZERS)
    for column, voice in enumerate(SYNTHESIZERS)
]


async def converse(talk: UnifiedTalk) -> None:
    """An opening, a spoken turn and its answer, an answer that is interrupted, a line that is repeated."""
    await talk.respond("r0", "")
    await talk.finished()
    heard = await talk.say(0.8)
    await talk.respond("r1", heard)
    assert (await talk.finished(2)).end == "complete"
    await talk.respond("r2", heard, lines=(Line("learner", heard),))
    await talk.listener.until(ReplyAudioProduced)
    await talk.session.handle(Cancel("r2"))
    await talk.finished(3)
    await talk.session.handle(ReportHeard("r2", 2400, final=True))
    await talk.session.handle(Speak("s1", "Once more."))
    assert (await talk.finished(4)).end == "complete"
    assert heard == HEARD


def check(talk: UnifiedTalk) -> None:
    check_trace(talk.listener.events, replies={"r0", "r1", "r2", "s1"}, hearings={("t1", 1)})
    texts = [event.reply_id for event in talk.listener.all(ReplyTextProduced)]
    assert {"r0", "r1", "s1"} <= set(texts)


def test_the_covering_set_covers_every_pair() -> None:
    for first, second in ((0, 1), (1, 2), (0, 2)):
        values = [{row[place] for row in COVERING} for place in (first, second)]
        assert len({(row[first], row[second]) for row in COVERING}) == len(values[0]) * len(values[1])


@pytest.mark.parametrize("recognizer", RECOGNIZERS)
async def test_the_same_conversation_has_the_same_grammar_whoever_hears_thinks_and_speaks(recognizer: str) -> None:
    async def through(row: tuple[str, str, str]) -> None:
        hears, thinks, speaks = row
        async with AsyncExitStack() as stack:
            ears = await stack.enter_async_context(RECOGNIZERS[hears]())
            stack.push_async_callback(ears.close)
            mouth = await stack.enter_async_context(SYNTHESIZERS[speaks]())
            stack.push_async_callback(mouth.close)
            vendor = VENDORS[thinks]
            emulator = await stack.enter_async_context(vendor.emulator())
            model = vendor.tutor(emulator.base_url, 5.0, False)
            stack.push_async_callback(model.aclose)
            engine = pipelined(ears.provider, model, mouth.provider)
            async with talking(engine) as talk:
                await converse(talk)
            check(talk)

    async with asyncio.timeout(50):
        await asyncio.gather(*(through(row) for row in COVERING if row[0] == recognizer))


@pytest.mark.parametrize("dialect", get_args(DialectName))
@pytest.mark.parametrize("turn_taking", ["ours", "theirs"])
async def test_unified_engines_have_that_grammar_too(dialect: DialectName, turn_taking: str) -> None:
    async with running(RealtimeEmulator(dialect=dialect)) as emulator:
        voice = provider(dialect, emulator.base_url)
        async with unified_talk(voice, turn_taking="theirs" if turn_taking == "theirs" else "ours") as talk:
            await converse(talk)
        check(talk)


@pytest.mark.models
@pytest.mark.parametrize("dialect", get_args(DialectName))
async def test_what_is_said_goes_in_as_speech_and_the_answer_comes_out_as_speech(
    dialect: DialectName, recognizer: Recognizer, synthesizer: Synthesizer
) -> None:
    emulator = RealtimeEmulator(dialect=dialect, hears=real_ears(recognizer), says=real_mouth(synthesizer))
    emulator.answers = lambda items: "A cappuccino is coming. Would you like some cake with it?"
    async with running(emulator), unified_talk(provider(dialect, emulator.base_url)) as talk:
        await talk.hear(await spoken(synthesizer, "I would like a cappuccino, please."))
        await talk.hear(bytes(INPUT_HZ))
        text = await talk.recognize("t1", 0, talk.position - INPUT_HZ // 2)
        assert "cappuccino" in text.lower()
        await talk.respond("r1", text)
        assert (await talk.finished()).end == "complete"
        sound = b"".join(event.pcm for event in talk.listener.all(ReplyAudioProduced))
    heard = await recognizer.recognize(_at_16_khz(sound), language="en")
    assert "cake" in heard.text.lower()
    assert "coming" in heard.text.lower()


def pipelined(recognizer: Recognizer, model: LanguageModel, voice: Synthesizer) -> Engine:
    ear = Ear(InstantVoiceActivity(), CADENCE)
    return PipelinedEngine(Parts(ear, InstantTurnEnd(), recognizer, model, voice), Selection(), clock=SystemClock())


@asynccontextmanager
async def talking(engine: Engine) -> AsyncIterator[UnifiedTalk]:
    """A session of an engine."""
    listener = Listener()
    async with engine.open(Configure(Selection(), INPUT_HZ, OUTPUT_HZ), listener.emit) as session:
        yield UnifiedTalk(session, listener)


def _at_16_khz(pcm: bytes) -> bytes:
    resampler = StreamResampler(OUTPUT_HZ, INPUT_HZ)
    return resampler.feed(pcm) + resampler.flush()
