import asyncio

import numpy as np
import pytest

from mesh.errors import BadAudioError, ExhaustedError, ProviderError
from mesh.testing import no_leaked_tasks
from services.ai_engine.domain.run import (
    AppendAudio,
    EngineFailed,
    Event,
    Recognize,
    ReportHeard,
    TranscriptRevised,
    WordTime,
)
from tests.services.ai_engine.scripted import (
    LOUD_20_MS,
    QUIET_20_MS,
    Listener,
    ScriptedModel,
    ScriptedRecognizer,
    talk,
)

_COUNTED_1_S = np.arange(16_000, dtype="<i2").tobytes()


async def test_sound_at_a_wrong_position_is_refused() -> None:
    async with talk() as talking:
        await talking.hear(QUIET_20_MS)
        with pytest.raises(BadAudioError) as refused:
            await talking.handle(AppendAudio(0, QUIET_20_MS))
    assert refused.value.field == "append_audio.first_sample"
    assert refused.value.metadata == {"expected": "320", "got": "0"}


@pytest.mark.parametrize("pcm", [b"\x01", bytes(96_002)])
async def test_half_samples_and_long_pieces_are_refused(pcm: bytes) -> None:
    async with talk() as talking:
        with pytest.raises(BadAudioError) as refused:
            await talking.handle(AppendAudio(0, pcm))
    assert refused.value.field == "append_audio.pcm"


async def test_empty_sound_is_harmless() -> None:
    async with talk() as talking:
        await talking.hear(b"", QUIET_20_MS, b"", QUIET_20_MS)


async def test_a_stretch_is_recognised_with_a_margin_and_its_words_count_from_its_start() -> None:
    recognizer = ScriptedRecognizer()
    async with talk(recognizer=recognizer) as talking:
        await talking.hear(_COUNTED_1_S)
        await talking.handle(Recognize("t1", 2, from_sample=4800, to_sample=8000))
        (answer,) = await talking.listener.until(TranscriptRevised)
    assert recognizer.heard == [_COUNTED_1_S[2 * 1600 : 2 * 11_200]]
    # 0.3 s in what the recogniser heard is 0.1 s in the stretch.
    assert answer == TranscriptRevised("t1", 2, "text 1", (WordTime("text", 1600, 4800),), 8000)


async def test_words_and_stretch_count_at_the_input_rate() -> None:
    recognizer = ScriptedRecognizer()
    async with talk(recognizer=recognizer, input_rate_hz=8000) as talking:
        await talking.hear(bytes(16_000))
        await talking.handle(Recognize("t1", 0, from_sample=2400, to_sample=4000))
        (answer,) = await talking.listener.until(TranscriptRevised)
    assert answer.words == (WordTime("text", 800, 2400),)
    assert len(recognizer.heard[0]) == 2 * 2 * (1600 + 2 * 1600)


async def test_a_stretch_without_end_reaches_to_what_has_arrived() -> None:
    recognizer = ScriptedRecognizer()
    async with talk(recognizer=recognizer) as talking:
        await talking.hear(_COUNTED_1_S)
        await talking.handle(Recognize("t1", 0, from_sample=0))
        await talking.handle(Recognize("t1", 0, from_sample=0, to_sample=99_999))
        answers = await talking.listener.until(TranscriptRevised, 2)
    assert recognizer.heard == [_COUNTED_1_S, _COUNTED_1_S]
    assert [answer.to_sample for answer in answers] == [16_000, 16_000]


async def test_a_stretch_nobody_heard_has_no_text() -> None:
    recognizer = ScriptedRecognizer()
    async with talk(recognizer=recognizer) as talking:
        await talking.handle(Recognize("t1", 0, from_sample=500, to_sample=900))
        (answer,) = await talking.listener.until(TranscriptRevised)
    assert (answer.text, answer.words, recognizer.heard) == ("", (), [])


async def test_a_later_revision_supersedes_the_work_on_an_earlier_one() -> None:
    recognizer = ScriptedRecognizer(held=True)
    async with talk(recognizer=recognizer) as talking:
        await talking.hear(_COUNTED_1_S)
        for turn, revision in (("t1", 0), ("t2", 0), ("t1", 1), ("t1", 1)):
            await talking.handle(Recognize(turn, revision, 0))
        recognizer.go.set()
    answers = [(answer.turn_id, answer.revision) for answer in talking.listener.all(TranscriptRevised)]
    assert answers == [("t2", 0), ("t1", 1), ("t1", 1)]


async def test_a_failing_recogniser_fails_the_request_and_not_the_session() -> None:
    async with talk(recognizer=ScriptedRecognizer(error=ProviderError("Away; try later."))) as talking:
        await talking.hear(_COUNTED_1_S)
        await talking.handle(Recognize("t1", 4, 0))
        (failed,) = await talking.listener.until(EngineFailed)
        await talking.respond()
        assert (await talking.finished()).end == "complete"
    assert (failed.turn_id, failed.revision, failed.failure.reason) == ("t1", 4, "PROVIDER_FAILED")


async def test_more_recognitions_than_there_may_be_are_refused() -> None:
    recognizer = ScriptedRecognizer(held=True)
    async with talk(recognizer=recognizer) as talking:
        await talking.hear(_COUNTED_1_S)
        for place in range(9):
            await talking.handle(Recognize(f"t{place}", 0, 0))
        (refused,) = await talking.listener.until(EngineFailed)
        recognizer.go.set()
    assert (refused.turn_id, refused.failure.reason) == ("t8", "OVERLOADED")
    assert len(talking.listener.all(TranscriptRevised)) == 8


async def test_recognised_speech_is_accounted_for_once() -> None:
    async with talk(recognizer=ScriptedRecognizer()) as talking:
        await talking.hear(_COUNTED_1_S)
        await talking.handle(Recognize("t1", 0, 0))
        await talking.listener.until(TranscriptRevised)
        await talking.respond("r1")
        first = await talking.finished()
        await talking.respond("r2")
        second = await talking.finished(2)
    assert (first.usage.recognized_ms, second.usage.recognized_ms) == (1000, 0)


async def test_what_was_heard_may_be_reported() -> None:
    async with talk() as talking:
        await talking.handle(ReportHeard("r1", 5, final=True))


async def test_a_listener_that_stopped_listening_ends_the_session_and_all_its_work() -> None:
    class Full(Listener):
        async def emit(self, event: Event) -> None:
            raise ExhaustedError("Nobody reads.", reason="TOO_SLOW")

    async def unheard() -> None:
        async with talk(listener=Full(), language_model=ScriptedModel("Here.", pause=0)) as talking:
            await talking.respond()
            await talking.hear(LOUD_20_MS)
            await asyncio.Event().wait()

    async with no_leaked_tasks():
        with pytest.raises(ExhaustedError):
            await unheard()
