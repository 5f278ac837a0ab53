"""One suite for every speech-to-speech provider, through the vendors' own SDKs, and for the engine on top of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import pytest

from mesh.errors import ProviderError
from mesh.testing import no_leaked_tasks, until
from services.ai_engine.domain.attempts import Attempts
from services.ai_engine.domain.roles import Line, Transcript
from services.ai_engine.domain.run import (
    Cancel,
    ReplyAudioProduced,
    ReplyFinished,
    ReplyTextProduced,
    ReportHeard,
    Speak,
    SpeechStarted,
    TurnEndEstimated,
)
from services.ai_engine.domain.voice import VoiceSetup
from services.ai_engine.engines.perception import Ear
from services.ai_engine.engines.pipelined import Parts
from services.ai_engine.providers.instant import CADENCE, InstantTurnEnd, InstantVoiceActivity
from tests.emulators.realtime import DialectName, RealtimeEmulator
from tests.emulators.speech import HEARD, scripted_ears
from tests.emulators.vendor import Behaviour, running
from tests.services.ai_engine.scripted import ScriptedModel, ScriptedRecognizer, ScriptedVoice
from tests.services.ai_engine.unified_talk import INPUT_HZ, OUTPUT_HZ, provider, speech, unified_talk

ECHO = f"You said: {HEARD}. Please tell me more."


@pytest.fixture(params=get_args(DialectName))
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[RealtimeEmulator]:
    async with running(RealtimeEmulator(dialect=request.param)) as emulator:
        yield emulator
    # What was still being opened ends with the vendor.
    await until(lambda: not any(task.get_name().endswith("Voice Live") for task in asyncio.all_tasks()))
    for talk in emulator.talks:
        # Cutting what is gone already is the one thing that may cross the vendor's own doing.
        assert [each for each in talk.complaints if "cancel_not_active" not in each] == []


def stand_ins(*, model: ScriptedModel | None = None) -> Parts:
    return Parts(
        Ear(InstantVoiceActivity(), CADENCE),
        InstantTurnEnd(),
        ScriptedRecognizer(),
        model or ScriptedModel("Good morning from here."),
        ScriptedVoice(),
    )


async def test_a_spoken_turn_is_understood_and_answered_aloud(vendor: RealtimeEmulator) -> None:
    async with no_leaked_tasks(), unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        assert await talk.say() == HEARD
        await talk.respond("r1", HEARD)
        finished = await talk.finished()
    assert finished.end == "complete"
    assert "".join(event.text for event in talk.listener.all(ReplyTextProduced)).strip() == ECHO
    sound = talk.listener.all(ReplyAudioProduced)
    position = 0
    for piece in sound:
        assert piece.first_sample == position
        position += len(piece.pcm) // 2
    assert finished.total_samples == position > OUTPUT_HZ
    assert (finished.usage.input_tokens, finished.usage.output_audio_tokens) == (20, 7)
    assert finished.usage.spoken_characters == pytest.approx(len(ECHO), abs=3)
    assert 500 <= finished.usage.recognized_ms <= 1200
    assert [word.text for piece in sound for word in piece.words] == ECHO.split()


async def test_the_vendor_hears_the_turn_once_and_not_the_silence(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.hear(bytes(2 * INPUT_HZ * 2))
        await talk.say(0.6)
        await talk.respond("r1", HEARD)
        await talk.finished()
    (item, _) = vendor.talk.items
    assert 600 <= item.audio_ms <= 1100


async def test_the_vendor_is_told_who_it_is_and_what_was_said_before(vendor: RealtimeEmulator) -> None:
    before = (Line("tutor", "Hello, what would you like?"), Line("learner", "I look around."))
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.say()
        await talk.respond("r1", HEARD, lines=before)
        await talk.finished()
    assert "Yuki" in vendor.talk.session["instructions"]
    assert vendor.talk.lines == [
        ("assistant", "Hello, what would you like?"), ("user", "I look around."), ("user", HEARD), ("assistant", ECHO),
    ]  # fmt: skip


async def test_a_long_talk_is_told_shortened_to_a_vendor_that_comes_new_to_it(vendor: RealtimeEmulator) -> None:
    before = tuple(Line("learner" if place % 2 else "tutor", f"Line number {place}.") for place in range(20))
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "And now?", lines=before)
        await talk.finished()
        await talk.respond("r2", "Go on.", lines=(*before, Line("learner", "And now?"), Line("tutor", "You said:")))
        await talk.finished(2)
    assert "Line number 3." in vendor.talk.session["instructions"]
    assert ("assistant", "Line number 3.") not in vendor.talk.lines
    assert ("user", "Line number 19.") in vendor.talk.lines


async def test_the_tutor_may_open_the_talk(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "")
        assert (await talk.finished()).end == "complete"


async def test_what_was_heard_of_an_interrupted_answer_is_all_the_vendor_remembers(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "Hello.")
        total = (await talk.finished()).total_samples
        await talk.session.handle(ReportHeard("r1", total // 2, final=True))
        await until(lambda: vendor.talk.items[-1].cut_ms is not None)
    cut = vendor.talk.items[-1]
    assert cut.cut_ms == total // 2 * 1000 // OUTPUT_HZ
    assert "You said:".startswith(cut.text[:4])


async def test_an_answer_nobody_heard_was_never_said(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "Hello.")
        await talk.finished()
        await talk.session.handle(ReportHeard("r1", 0, final=True))
        await talk.respond("r2", "Anybody there?", lines=(Line("learner", "Hello."),))
        await talk.finished(2)
    assert [text for role, text in vendor.talk.lines if role == "user"] == ["Hello.", "Anybody there?"]
    assert [role for role, _ in vendor.talk.lines] == ["user", "user", "assistant"]


async def test_a_turn_that_goes_on_is_understood_whole_and_remembered_once(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.say(0.5, from_sample=0)
        await talk.say(0.5, from_sample=0)
        await talk.respond("r1", HEARD)
        await talk.finished()
    heard = [item for item in vendor.talk.items if item.role == "user"]
    assert len(heard) == 1
    assert heard[0].audio_ms >= 1400


async def test_a_look_at_what_is_being_said_leaves_no_trace(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.hear(speech(0.6))
        assert await talk.recognize("t1", 0, 0) == HEARD
        await until(lambda: vendor.talk.items == [])
        assert await talk.say(0.3, from_sample=0) == HEARD
        assert len(vendor.talk.items) == 1


async def test_the_first_sound_comes_before_the_answer_is_whole(vendor: RealtimeEmulator) -> None:
    vendor.hold_after = 3
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "Hello.")
        await talk.listener.until(ReplyAudioProduced)
        vendor.go.set()
        assert (await talk.finished()).end == "complete"


async def test_cancelling_stops_the_vendor_and_the_next_answer_comes(vendor: RealtimeEmulator) -> None:
    vendor.hold_after = 2
    async with no_leaked_tasks(), unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "Hello.")
        await talk.listener.until(ReplyAudioProduced)
        await talk.session.handle(Cancel("r1"))
        assert (await talk.finished()).end == "cancelled"
        assert vendor.talk.cancelled == 1
        vendor.hold_after = 1_000_000
        await talk.respond("r2", "Again.")
        assert (await talk.finished(2)).end == "complete"


async def test_answers_asked_for_together_are_made_one_after_another(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        for number in range(3):
            await talk.respond(f"r{number}", f"Line {number}.")
        await talk.session.handle(Cancel("r1"))
        await talk.finished(3)
    ends = {event.reply_id: event.end for event in talk.listener.all(ReplyFinished)}
    assert ends == {"r0": "complete", "r1": "cancelled", "r2": "complete"}


async def test_the_vendor_may_take_the_turns(vendor: RealtimeEmulator) -> None:
    voice = provider(vendor.dialect, vendor.base_url)
    async with no_leaked_tasks(), unified_talk(voice, turn_taking="theirs") as talk:
        await talk.respond("r0", "")
        await talk.finished()
        await talk.hear(bytes(INPUT_HZ))
        assert await talk.say(0.8) == HEARD
        await talk.respond("r1", HEARD, lines=())
        assert (await talk.finished(2)).end == "complete"
        (began,) = talk.listener.all(SpeechStarted)
        (judged,) = talk.listener.all(TurnEndEstimated)
    assert abs(began.at_sample - 0.5 * INPUT_HZ) < 0.4 * INPUT_HZ
    assert judged.probability > 0.9
    assert abs(judged.at_sample - 1.3 * INPUT_HZ) < 0.2 * INPUT_HZ


async def test_a_given_text_is_spoken_and_not_remembered(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.session.handle(Speak("s1", "Once more, slowly."))
        finished = await talk.finished()
    assert [event.text for event in talk.listener.all(ReplyTextProduced)] == ["Once more, slowly."]
    assert finished.total_samples > 0
    assert vendor.talk.items == []


async def test_before_the_cap_strikes_the_talk_moves_to_a_new_session_that_knows_it(vendor: RealtimeEmulator) -> None:
    vendor.cap_s = 3.0
    async with no_leaked_tasks(), unified_talk(provider(vendor.dialect, vendor.base_url, longest_s=3.0)) as talk:
        await talk.respond("r1", "Hello.")
        assert (await talk.finished()).end == "complete"
        async with asyncio.timeout(10):
            await vendor.visits[0].closed.wait()
        said = "".join(event.text for event in talk.listener.all(ReplyTextProduced)).strip()
        lines = (Line("learner", "Hello."), Line("tutor", said))
        await talk.respond("r2", "Still there?", lines=lines)
        assert (await talk.finished(2)).end == "complete"
    assert vendor.talk.lines[:3] == [("user", "Hello."), ("assistant", said), ("user", "Still there?")]
    assert "Yuki" in vendor.talk.session["instructions"]


@pytest.mark.parametrize("behaviour", ["stall", "cut", "end_early", "garbage", "half_rune"])
async def test_an_answer_that_breaks_off_is_told_so_in_time_and_the_talk_goes_on(
    vendor: RealtimeEmulator, behaviour: Behaviour
) -> None:
    vendor.behaviour = behaviour
    async with no_leaked_tasks(), unified_talk(provider(vendor.dialect, vendor.base_url)) as talk:
        await talk.respond("r1", "A secret.")
        async with asyncio.timeout(10):
            finished = await talk.finished()
        assert finished.end == "failed"
        assert finished.failure is not None
        assert finished.failure.reason == "PROVIDER_FAILED"
        assert "secret" not in finished.failure.message
        vendor.behaviour = "answer"
        await talk.respond("r2", "Again.")
        assert (await talk.finished(2)).end == "complete"


@pytest.mark.parametrize("behaviour", ["refuse_key", "rate_limited", "broken", "slow_open", "session_cap"])
async def test_where_the_vendor_can_t_answer_somebody_else_does(vendor: RealtimeEmulator, behaviour: Behaviour) -> None:
    vendor.behaviour = behaviour
    async with unified_talk(provider(vendor.dialect, vendor.base_url), stand_ins=stand_ins()) as talk:
        async with asyncio.timeout(6):
            assert await talk.say() in (HEARD, "text 1")
            await talk.respond("r1", HEARD)
            assert (await talk.finished()).end == "complete"
    assert "".join(event.text for event in talk.listener.all(ReplyTextProduced)) == "Good morning from here."


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [("refuse_key", "KEY_REFUSED"), ("rate_limited", "LIMITED"), ("broken", "STATUS"), ("slow_open", "TIMED_OUT")],
)
async def test_a_connection_that_can_t_be_had_is_a_typed_error_with_a_remedy(
    vendor: RealtimeEmulator, behaviour: Behaviour, cause: str
) -> None:
    vendor.behaviour = behaviour
    with pytest.raises(ProviderError) as refused:
        async with provider(vendor.dialect, vendor.base_url).connect(VoiceSetup("en")):
            pass
    assert refused.value.metadata["cause"] == cause
    assert ";" in refused.value.message


async def test_why_a_vendor_ends_a_session_is_told_in_our_words_not_in_its_code(vendor: RealtimeEmulator) -> None:
    async def listen() -> None:
        async with provider(vendor.dialect, vendor.base_url).connect(VoiceSetup("en")) as link:
            async for _ in link.events():
                pass

    vendor.cap_s = 0.0
    with pytest.raises(ProviderError) as ended:
        await listen()
    assert ended.value.metadata["cause"] == "CLOSED"


async def test_a_vendor_that_is_not_there_is_named_as_unreachable() -> None:
    for dialect in get_args(DialectName):
        with pytest.raises(ProviderError) as refused:
            async with provider(dialect, "http://127.0.0.1:9").connect(VoiceSetup("en")):
                pass
        assert refused.value.metadata["cause"] == "UNREACHABLE"


async def test_a_repeated_line_is_read_by_a_synthesizer_where_there_is_one(vendor: RealtimeEmulator) -> None:
    async with unified_talk(provider(vendor.dialect, vendor.base_url), stand_ins=stand_ins()) as talk:
        await talk.session.handle(Speak("s1", "Word for word."))
        assert (await talk.finished()).end == "complete"
    assert [event.text for event in talk.listener.all(ReplyTextProduced)] == ["Word for word."]
    assert vendor.talk.responses == 0


async def test_an_answer_that_breaks_off_is_spoken_on_by_the_other_vendor_at_the_next_word(
    vendor: RealtimeEmulator,
) -> None:
    vendor.behaviour, vendor.well_for, model = "cut", 4, ScriptedModel("Good morning from here.")
    async with running(RealtimeEmulator(dialect="openai" if vendor.dialect == "azure" else "azure")) as other:
        other.answers = lambda items: ECHO.removeprefix(items[-1].text).strip()
        voices = [provider(each.dialect, each.base_url) for each in (vendor, other)]
        attempts = Attempts()
        async with unified_talk(*voices, stand_ins=stand_ins(model=model), tell=attempts.add) as talk:
            await talk.respond("r1", HEARD)
            finished = await talk.finished()
    assert finished.end == "complete"
    assert "".join(event.text for event in talk.listener.all(ReplyTextProduced)).strip() == ECHO
    sound = talk.listener.all(ReplyAudioProduced)
    assert [word.text for event in sound for word in event.words] == ECHO.split()
    assert [event.first_sample for event in sound][-1] + len(sound[-1].pcm) // 2 == finished.total_samples
    assert (other.talk.responses, model.contexts) == (1, [])
    assert [(each.provider, each.outcome) for each in attempts.take()] == [
        (voices[0].name, "failed"), (voices[1].name, "answered"),
    ]  # fmt: skip


async def test_a_vendor_that_begins_anew_instead_of_going_on_is_not_heard(vendor: RealtimeEmulator) -> None:
    vendor.behaviour, vendor.well_for = "cut", 4
    async with running(RealtimeEmulator(dialect=vendor.dialect)) as other:
        other.answers = lambda items: ECHO
        voices = [provider(vendor.dialect, each.base_url) for each in (vendor, other)]
        voices[1].name = "other"
        async with unified_talk(*voices, stand_ins=stand_ins(model=ScriptedModel(" Go on."))) as talk:
            await talk.respond("r1", HEARD)
            assert (await talk.finished()).end == "complete"
    told = [word.text for event in talk.listener.all(ReplyAudioProduced) for word in event.words]
    assert told[-2:] == ["Go", "on."]
    assert told.count("You") == 1


async def test_a_vendor_that_is_late_with_the_words_still_has_the_turn_in_its_memory_once(
    vendor: RealtimeEmulator,
) -> None:
    late = asyncio.Event()

    async def hears(pcm: bytes) -> Transcript:
        await late.wait()
        return await scripted_ears(pcm)

    vendor.hears = hears
    async with unified_talk(provider(vendor.dialect, vendor.base_url), stand_ins=stand_ins()) as talk:
        assert await talk.say() == "text 1"
        await talk.respond("r1", "text 1")
        assert (await talk.finished()).end == "complete"
        late.set()
    assert [item.role for item in vendor.talk.items] == ["user", "assistant"]
