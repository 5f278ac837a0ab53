import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import InvalidFieldError, ProviderError
from mesh.testing import no_leaked_tasks
from services.ai_engine.adapters.patience import patiently
from services.ai_engine.domain import roles
from services.ai_engine.domain.roles import ReplyPart, StateAdvanced, TextDelta, TokensUsed, TutorContext, Word
from services.ai_engine.domain.run import (
    Cancel,
    CorrectionFound,
    Progress,
    ReplyAudioProduced,
    ReplyFinished,
    ReplyTextProduced,
    Speak,
)
from services.ai_engine.engines.reply_sound import ReplySound
from tests.services.ai_engine.scripted import HERE, Listener, ScriptedModel, ScriptedVoice, talk


def _produced(listener: Listener) -> list[str]:
    """Texts as they are and runs of sound as "♪"."""
    story: list[str] = []
    for event in listener.events:
        match event:
            case ReplyTextProduced(_, text):
                story.append(text)
            case ReplyAudioProduced() if story[-1:] != ["♪"]:
                story.append("♪")
            case _:
                pass
    return story


async def test_each_clause_is_told_as_text_right_before_its_sound() -> None:
    model = ScriptedModel("Well, hel", "lo there. How ", "are you?")
    async with talk(language_model=model, synthesizer=ScriptedVoice()) as talking:
        await talking.respond()
        finished = await talking.finished()
    assert _produced(talking.listener) == ["Well, hello there. ", "♪", "How are you?", "♪"]
    assert finished.end == "complete"
    assert talking.listener.events[-1] is finished


async def test_sound_has_no_gaps_and_is_what_the_synthesizer_made_at_the_output_rate() -> None:
    model = ScriptedModel("This is one. ", "This is two.")
    async with talk(language_model=model, synthesizer=ScriptedVoice(), output_rate_hz=24_000) as talking:
        await talking.respond()
        finished = await talking.finished()
    position = 0
    for piece in talking.listener.all(ReplyAudioProduced):
        assert piece.first_sample == position
        position += len(piece.pcm) // 2
    assert finished.total_samples == position == 3 * 80 * (len("This is one.") + len("This is two."))


async def test_the_first_piece_is_short_and_no_piece_is_long() -> None:
    async with talk() as talking:
        await talking.respond()
        await talking.finished()
    first, *others = (len(piece.pcm) // 2 / 24_000 for piece in talking.listener.all(ReplyAudioProduced))
    assert first <= 0.04
    assert max(others) <= 0.2


async def test_small_chunks_that_wait_go_out_in_fewer_pieces() -> None:
    async with talk() as talking:
        await talking.respond()
        await talking.finished()
    # The stub gives 50 chunks of 40 ms.
    assert len(talking.listener.all(ReplyAudioProduced)) < 40


async def test_words_count_from_the_start_of_the_reply_and_come_with_their_sound() -> None:
    model = ScriptedModel("One two. ", "Three four.")
    async with talk(language_model=model, synthesizer=ScriptedVoice(), output_rate_hz=8000) as talking:
        await talking.respond()
        await talking.finished()
    words = [
        (word.text, word.start_sample, piece.first_sample, piece.first_sample + len(piece.pcm) // 2)
        for piece in talking.listener.all(ReplyAudioProduced)
        for word in piece.words
    ]
    assert [(text, start) for text, start, _, _ in words] == [
        ("One", 0), ("two.", 320), ("Three", 640), ("four.", 640 + 480),
    ]  # fmt: skip
    assert all(first <= start < end for _, start, first, end in words)


@given(
    pieces=st.lists(st.integers(0, 4000), max_size=8),
    starts=st.lists(st.floats(0, 2), max_size=8),
    rates=st.sampled_from([(24_000, 24_000), (24_000, 48_000), (24_000, 16_000), (22_050, 44_100), (24_000, 8000)]),
)
def test_whatever_comes_in_pieces_goes_out_whole(
    pieces: list[int], starts: list[float], rates: tuple[int, int]
) -> None:
    sound = ReplySound("r", from_hz=rates[0], to_hz=rates[1])
    words = [Word(str(place), start_s, start_s) for place, start_s in enumerate(sorted(starts))]
    out = [piece for count in pieces for piece in sound.feed(b"\x01\x02" * count, words if count == pieces[0] else ())]
    out += sound.flush()
    assert abs(sum(len(piece.pcm) // 2 for piece in out) - sum(pieces) * rates[1] / rates[0]) <= 1
    assert sound.total_samples == sum(len(piece.pcm) // 2 for piece in out)
    if rates[0] == rates[1]:
        assert b"".join(piece.pcm for piece in out) == b"\x01\x02" * sum(pieces)


async def test_the_next_clause_is_synthesised_while_the_first_still_is() -> None:
    voice = ScriptedVoice(held=["This is one."])
    async with talk(language_model=ScriptedModel("This is one. ", "This is two."), synthesizer=voice) as talking:
        await talking.respond()
        async with asyncio.timeout(5):
            assert [await voice.calls.get(), await voice.calls.get()] == ["This is one.", "This is two."]
        assert talking.listener.events == []
        voice.go.set()
        await talking.finished()
    assert _produced(talking.listener) == ["This is one. ", "♪", "This is two.", "♪"]


async def test_text_without_a_word_is_told_and_not_spoken() -> None:
    voice = ScriptedVoice()
    async with talk(language_model=ScriptedModel("Yes! ", "…"), synthesizer=voice) as talking:
        await talking.respond()
        await talking.finished()
    assert [text for text, _ in voice.asked] == ["Yes!"]
    assert "".join(event.text for event in talking.listener.all(ReplyTextProduced)) == "Yes! …"


async def test_state_progress_usage_and_corrections_come_with_the_reply() -> None:
    slip = roles.CorrectionFound("grammar", "goed", "went", "", 2, 6, "rules")
    model = ScriptedModel("Right.", slip, StateAdvanced("{}", ("drink",), 3), TokensUsed(5, 7))
    async with talk(language_model=model, synthesizer=ScriptedVoice()) as talking:
        await talking.respond()
        finished = await talking.finished()
    assert talking.listener.all(CorrectionFound) == [CorrectionFound("t1", 3, "r1", slip)]
    assert (finished.tutor_state, finished.progress) == ("{}", Progress("cafe", ("drink",), 3))
    assert (finished.usage.input_tokens, finished.usage.output_tokens) == (5, 7)
    assert finished.usage.spoken_characters == len("Right.")
    assert finished.usage.first_text_ms > 0
    assert finished.usage.first_audio_ms > 0


async def test_the_last_clause_does_not_wait_for_corrections() -> None:
    model = ScriptedModel("Right.", StateAdvanced("{}"), pause=2)
    async with talk(language_model=model, synthesizer=ScriptedVoice(), output_rate_hz=8000) as talking:
        await talking.respond()
        await talking.listener.until(ReplyAudioProduced)
        assert talking.listener.all(ReplyFinished) == []
        model.go.set()
        await talking.finished()


async def test_a_given_text_is_spoken_at_its_own_pace_or_the_sessions() -> None:
    voice = ScriptedVoice()
    async with talk(synthesizer=voice) as talking:
        await talking.handle(Speak("s1", "Slowly, please.", 0.5))
        await talking.finished()
        await talking.handle(Speak("s2", "Normally."))
        await talking.finished(2)
    assert voice.asked == [("Slowly, please.", 0.5), ("Normally.", 1.0)]


async def test_cancelling_stops_model_and_voice_and_finishes_the_reply_once() -> None:
    model = ScriptedModel("Say it. ", "And more.", pause=1)
    voice = ScriptedVoice(held=["Say it."])
    async with talk(language_model=model, synthesizer=voice) as talking, no_leaked_tasks():
        await talking.respond()
        async with asyncio.timeout(5):
            await voice.calls.get()
        await talking.handle(Cancel("r1"))
        finished = await talking.finished()
        await talking.handle(Cancel("r1"))
    assert finished.end == "cancelled"
    assert (model.closed, voice.closed) == (1, 1)
    assert talking.listener.all(ReplyFinished) == [finished]


async def test_a_reply_cancelled_before_it_began_is_finished_too() -> None:
    model = ScriptedModel("Never.")
    async with talk(language_model=model) as talking:
        await talking.respond()
        await talking.handle(Cancel("r1"))
        finished = await talking.finished()
    assert finished.end == "cancelled"
    assert model.contexts == []


async def test_cancelling_one_reply_leaves_the_others() -> None:
    model = ScriptedModel("Here.", pause=0)
    async with talk(language_model=model) as talking:
        await talking.respond("r1")
        await talking.respond("r2")
        await talking.handle(Cancel("r1"))
        assert (await talking.finished()).reply_id == "r1"
        model.go.set()
        assert (await talking.finished(2)).reply_id == "r2"
    assert [finished.end for finished in talking.listener.all(ReplyFinished)] == ["cancelled", "complete"]


# Kinds, not errors: an error made here would keep the reply it ended, by its traceback, until the interpreter exits.
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ProviderError, "The endpoint is away; try later."),
        (ValueError, "a fault with words of the learner"),
        (TimeoutError, ""),
    ],
)
async def test_a_failing_model_fails_the_reply_and_not_the_session(kind: type[Exception], words: str) -> None:
    async with talk(language_model=ScriptedModel("Half a sen", kind(words))) as talking:
        await talking.respond()
        finished = await talking.finished()
        await talking.handle(Speak("s1", "Sorry."))
        assert (await talking.finished(2)).end == "complete"
    assert finished.end == "failed"
    assert finished.failure is not None
    assert finished.failure.reason == "PROVIDER_FAILED"
    assert "learner" not in finished.failure.message


async def test_a_failing_voice_fails_the_reply_after_what_was_told() -> None:
    voice = ScriptedVoice(bad={"And two.": ProviderError("No voice left; try later.")})
    model = ScriptedModel("This is one. ", "And two.", pause=1)
    async with talk(language_model=model, synthesizer=voice, output_rate_hz=8000) as talking:
        await talking.respond()
        await talking.listener.until(ReplyAudioProduced)
        model.go.set()
        finished = await talking.finished()
    assert (finished.end, finished.total_samples) == ("failed", 80 * len("This is one."))
    assert _produced(talking.listener) == ["This is one. ", "♪"]


async def test_a_model_that_stalls_is_given_up() -> None:
    async def never() -> AsyncIterator[ReplyPart]:
        await asyncio.Event().wait()
        yield TextDelta("")

    with pytest.raises(ProviderError, match="gave nothing for"):
        async for _ in patiently(never(), "language model", lambda: 0.01):
            pass


async def test_more_replies_at_once_than_there_may_be_are_refused() -> None:
    model = ScriptedModel("Here.", pause=0)
    async with talk(language_model=model) as talking:
        for place in range(5):
            await talking.respond(f"r{place}")
        refused = await talking.finished()
        model.go.set()
        await talking.finished(5)
    assert (refused.reply_id, refused.end) == ("r4", "failed")
    assert refused.failure is not None
    assert (refused.failure.reason, refused.failure.retryable) == ("OVERLOADED", True)


async def test_an_id_in_use_is_refused() -> None:
    async with talk(language_model=ScriptedModel("Here.")) as talking:
        await talking.respond("r1")
        with pytest.raises(InvalidFieldError) as refused:
            await talking.respond("r1")
    assert refused.value.field == "respond.reply_id"


async def test_the_end_of_the_session_waits_for_replies_in_the_making() -> None:
    model = ScriptedModel("Here.", pause=0)
    async with asyncio.TaskGroup() as tasks, talk(language_model=model) as talking:
        await talking.respond()
        tasks.create_task(_later(model.go))
    assert talking.listener.all(ReplyFinished)[0].end == "complete"


async def test_a_session_that_breaks_off_leaves_nothing_running() -> None:
    model, voice = ScriptedModel("Say it. ", "More.", pause=1), ScriptedVoice(held=["Say it."])

    async def broken_off() -> None:
        async with talk(language_model=model, synthesizer=voice) as talking:
            await talking.respond()
            async with asyncio.timeout(5):
                await voice.calls.get()
            raise ConnectionError

    async with no_leaked_tasks():
        with pytest.raises(ConnectionError):
            await broken_off()
    assert (model.closed, voice.closed) == (1, 1)


async def test_a_model_that_is_no_generator_will_do() -> None:
    class Parts:
        def __init__(self) -> None:
            self._parts = iter([TextDelta("Yes.")])

        def __aiter__(self) -> "Parts":
            return self

        async def __anext__(self) -> ReplyPart:
            for part in self._parts:
                return part
            raise StopAsyncIteration

    class Model:
        name = "plain"
        capabilities = HERE

        def reply(self, context: TutorContext) -> AsyncIterator[ReplyPart]:
            return Parts()

    async with talk(language_model=Model()) as talking:
        await talking.respond()
        assert (await talking.finished()).end == "complete"


async def _later(event: asyncio.Event) -> None:
    await asyncio.sleep(0)
    event.set()
