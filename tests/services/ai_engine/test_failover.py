"""One provider stands in for another, and the learner hears neither a gap in the talk nor anything twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import pytest

from mesh.clock import SystemClock, VirtualClock
from mesh.errors import OverloadedError, ProviderError, VivavoceError
from services.ai_engine.adapters.chain import Chain, Healths, Link, Provider
from services.ai_engine.adapters.failover_hearing import FailoverRecognizer, failover_recognizer
from services.ai_engine.adapters.failover_model import FailoverModel
from services.ai_engine.adapters.failover_voice import FailoverVoice, failover_voice
from services.ai_engine.adapters.patience import Patience
from services.ai_engine.adapters.probing import keep_probing
from services.ai_engine.domain.attempts import Attempts
from services.ai_engine.domain.roles import (
    Capabilities,
    CorrectionFound,
    LanguageModel,
    Learner,
    ReplyPart,
    Speaking,
    SpeechChunk,
    StreamingRecognizer,
    StreamingSynthesizer,
    Synthesizer,
    TextDelta,
    TextEnded,
    Transcript,
    TutorContext,
    Word,
)
from tests.services.ai_engine.scripted import ScriptedModel, ScriptedRecognizer, ScriptedVoice

P = TypeVar("P", bound=Provider)

CONTEXT = TutorContext(Learner(), "cafe", (), "Hello.")
DOWN = ProviderError("It is down.", metadata={"cause": "UNREACHABLE"})
HURRIED = Patience(first_s=0.2, within_s=0.6, stall_s=0.2, last_s=0.1)
WHOLE = "Good morning! We have tea, coffee and cake. Which one would you like?"
SLIP = CorrectionFound("grammar", "goed", "went", "irregular", 0, 4, "model")


class Elsewhere(ScriptedModel):
    capabilities = Capabilities(languages=frozenset(), local=False, label="Elsewhere.")


class BrokenVoice:
    """Says so many words of 0.1 s each, then fails, or falls silent for good."""

    name = "broken"

    def __init__(self, words: int, *, rate_hz: int = 16_000, word_times: bool = True, fails: bool = True) -> None:
        self._words = words
        self._fails = fails
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            label="Broken.",
            sample_rate_hz=rate_hz,
            word_times=word_times,
            voices=("own",),
        )
        self.asked: list[tuple[str, str]] = []

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[SpeechChunk]:
        self.asked.append((text, voice))
        known = self.capabilities
        for place, word in enumerate(text.split()[: self._words]):
            time = Word(word, place * 0.1, place * 0.1 + 0.1)
            yield SpeechChunk(b"\x01\x10" * (known.sample_rate_hz // 10), (time,) if known.word_times else ())
        if self._fails:
            raise DOWN


class BrokenLine(BrokenVoice):
    """Speaks a whole reply over one connection, which breaks at a clause, or can't be had."""

    def __init__(self, *, breaks_at: str = "", refuses: bool = False) -> None:
        super().__init__(0)
        self._breaks_at = breaks_at
        self._refuses = refuses
        self.said: list[str] = []

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[Speaking]:
        if self._refuses:
            raise DOWN
        yield self

    async def say(self, clause: str) -> AsyncIterator[SpeechChunk]:
        self.said.append(clause)
        words = clause.split()
        for place, word in enumerate(words):
            if clause == self._breaks_at and place == 1:
                raise DOWN
            yield SpeechChunk(b"\x01\x10" * 1600, (Word(word, place * 0.1, place * 0.1 + 0.1),))


def chain(providers: Sequence[P], healths: Healths | None = None) -> Chain[P]:
    known = healths or Healths(SystemClock())
    links = [Link(f"p{place}", each, known.of("language_model", f"p{place}")) for place, each in enumerate(providers)]
    return Chain(links, patience=HURRIED, clock=SystemClock())


async def parts(*models: LanguageModel, healths: Healths | None = None) -> list[ReplyPart]:
    return [part async for part in FailoverModel(chain(models, healths)).reply(CONTEXT)]


async def told(*models: LanguageModel, healths: Healths | None = None) -> str:
    return "".join(part.text for part in await parts(*models, healths=healths) if isinstance(part, TextDelta))


async def spoken(text: str, *voices: Synthesizer, voice: str = "") -> list[SpeechChunk]:
    return [chunk async for chunk in FailoverVoice(chain(voices)).synthesize(text, voice=voice)]


def words_of(chunks: list[SpeechChunk]) -> list[str]:
    return [word.text for chunk in chunks for word in chunk.words]


@pytest.mark.parametrize("length", range(0, len(WHOLE), 3))
async def test_wherever_it_breaks_off_no_sentence_is_doubled_or_lost(length: int) -> None:
    assert await told(Elsewhere(WHOLE[:length], DOWN), Elsewhere(DOWN), Elsewhere(WHOLE)) == WHOLE


async def test_who_stands_in_is_told_what_was_said_already() -> None:
    second = Elsewhere("We have cake.")
    await told(Elsewhere("Good morning! ", DOWN), second)
    assert second.contexts[0].begun == "Good morning! "


async def test_text_is_told_by_whole_clauses_so_that_none_breaks_off_in_a_word() -> None:
    pieces = await parts(Elsewhere("Good mor", "ning! We", " have tea."))
    assert pieces == [TextDelta("Good morning! "), TextDelta("We have tea.")]


async def test_the_last_clause_does_not_wait_for_what_comes_beside_the_text() -> None:
    pieces = await parts(Elsewhere("Good morning", TextEnded(), SLIP))
    assert pieces == [TextDelta("Good morning"), TextEnded(), SLIP]


async def test_a_correction_that_both_find_is_told_once() -> None:
    found = await parts(Elsewhere(SLIP, DOWN), Elsewhere(WHOLE, SLIP))
    assert found.count(SLIP) == 1


async def test_a_model_that_failed_often_is_not_asked_until_it_has_rested() -> None:
    clock = VirtualClock()
    healths = Healths(clock, failures=2, rest_s=10)
    down, good = Elsewhere(DOWN), Elsewhere(WHOLE)
    for _ in range(4):
        assert await told(down, good, healths=healths) == WHOLE
    assert len(down.contexts) == 2
    clock.advance(10)
    await told(down, good, healths=healths)
    assert len(down.contexts) == 3


async def test_the_only_model_is_asked_even_if_it_failed_often() -> None:
    healths = Healths(VirtualClock(), failures=1)
    down = Elsewhere(DOWN)
    for _ in range(3):
        with pytest.raises(ProviderError):
            await told(down, healths=healths)
    assert len(down.contexts) == 3


async def test_a_queue_of_ours_that_is_full_is_not_held_against_the_provider() -> None:
    healths = Healths(VirtualClock(), failures=1)
    full = Elsewhere(OverloadedError("full"))
    await told(full, Elsewhere(WHOLE), healths=healths)
    await told(full, Elsewhere(WHOLE), healths=healths)
    assert len(full.contexts) == 2


async def test_a_learner_who_interrupts_is_no_failure_of_the_provider() -> None:
    healths = Healths(VirtualClock(), failures=1)
    endless = Elsewhere("Good morning! ", WHOLE, pause=1)
    for _ in range(2):
        reply = FailoverModel(chain([endless, Elsewhere(WHOLE)], healths)).reply(CONTEXT)
        async with aclosing(reply):
            assert await anext(reply) == TextDelta("Good morning! ")
    assert endless.closed == len(endless.contexts) == 2


@pytest.mark.parametrize("count", range(6))
async def test_a_voice_that_breaks_off_is_continued_with_the_next_word(count: int) -> None:
    text = "We have tea and cake."
    chunks = await spoken(text, BrokenVoice(count), ScriptedVoice())
    assert words_of(chunks) == text.split()
    starts = [word.start_s for chunk in chunks for word in chunk.words]
    assert starts == sorted(starts)


async def test_a_voice_without_word_times_is_continued_after_what_it_had_time_to_say() -> None:
    second = ScriptedVoice()
    await spoken("We have tea and coffee and cake.", BrokenVoice(10, word_times=False), second)
    (text, _) = second.asked[0]
    assert text
    assert "We have tea and coffee and cake.".endswith(text)
    assert len(text) < len("We have tea and coffee and cake.")


async def test_sound_comes_at_the_rate_of_the_chosen_voice_whoever_speaks() -> None:
    chunks = await spoken("Hi there.", BrokenVoice(0, rate_hz=16_000), ScriptedVoice())
    # Ten milliseconds a letter.
    assert sum(len(chunk.pcm) for chunk in chunks) // 2 == pytest.approx(16_000 * 0.01 * 9, abs=2)


async def test_a_voice_the_stand_in_does_not_have_becomes_its_own() -> None:
    first, second = BrokenVoice(0), BrokenVoice(3, fails=False)
    second.capabilities = Capabilities(frozenset(), local=False, label="Other.", sample_rate_hz=8000, voices=("x",))
    await spoken("One two three.", first, second, voice="own")
    assert (first.asked[0][1], second.asked[0][1]) == ("own", "")


async def test_silence_is_a_failure_where_there_was_something_to_say() -> None:
    silent = BrokenVoice(0, fails=False)
    assert words_of(await spoken("Hello there.", silent, ScriptedVoice())) == ["Hello", "there."]


async def test_silence_is_no_failure_where_there_was_nothing_to_say() -> None:
    second = ScriptedVoice()
    await spoken(" … ", BrokenVoice(0, fails=False), second)
    assert second.asked == []


@pytest.mark.parametrize("line", [BrokenLine(), BrokenLine(breaks_at="Three four."), BrokenLine(refuses=True)])
async def test_a_connection_that_breaks_in_a_reply_costs_no_word_of_it(line: BrokenLine) -> None:
    voice = failover_voice(chain([line, ScriptedVoice()]))
    assert isinstance(voice, StreamingSynthesizer)
    async with voice.speak() as reply:
        said = [[chunk async for chunk in reply.say(clause)] for clause in ("One two.", "Three four.", "Five six.")]
    assert [" ".join(words_of(chunks)) for chunks in said] == ["One two.", "Three four.", "Five six."]
    assert next(word.start_s for chunk in said[1] for word in chunk.words) == 0


def test_a_chain_streams_only_where_its_first_does() -> None:
    assert not isinstance(failover_voice(chain([ScriptedVoice(), BrokenLine()])), StreamingSynthesizer)
    assert not isinstance(failover_recognizer(chain([ScriptedRecognizer()])), StreamingRecognizer)


async def test_a_learner_who_said_nothing_is_no_failure_of_the_recogniser() -> None:
    class Unmoved(ScriptedRecognizer):
        async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
            return Transcript("")

    second = ScriptedRecognizer()
    assert (await FailoverRecognizer(chain([Unmoved(), second])).recognize(bytes(2), language="en")).text == ""
    assert second.heard == []


async def test_the_last_recogniser_s_error_is_told() -> None:
    with pytest.raises(VivavoceError) as failed:
        await FailoverRecognizer(chain([ScriptedRecognizer(error=DOWN)])).recognize(bytes(2), language="en")
    assert failed.value is DOWN


async def test_a_model_that_is_well_again_is_found_out_by_a_probe_before_its_rest_is_over() -> None:
    class Reachable(Elsewhere):
        probes = 0

        async def probe(self) -> None:
            self.probes += 1
            if self.probes == 1:
                raise DOWN

    clock = VirtualClock()
    healths = Healths(clock, failures=1, rest_s=1000)
    down = Reachable(DOWN)
    await told(down, Elsewhere(WHOLE), healths=healths)
    health = healths.of("language_model", "p0")
    probing = asyncio.create_task(keep_probing([(health, down)], clock))
    resting = []
    for _ in range(2):
        await clock.elapse(2.1)
        resting.append(health.resting)
    assert resting == [True, False]
    await clock.elapse(10)
    assert down.probes == 2
    probing.cancel()


async def test_a_reply_tells_who_failed_who_answered_and_how_soon() -> None:
    attempts = Attempts()
    healths, models = Healths(SystemClock()), {"down": Elsewhere(DOWN), "good": Elsewhere(WHOLE)}
    links: list[Link[LanguageModel]] = [
        Link(name, model, healths.of("language_model", name)) for name, model in models.items()
    ]
    model = FailoverModel(Chain(links, patience=HURRIED, clock=SystemClock(), tell=attempts.add))
    for _ in range(2):
        _ = [part async for part in model.reply(CONTEXT)]
    down, good = attempts.take()
    assert (down.provider, down.outcome, down.cause, down.first_ms, down.count) == (
        "down", "failed", "UNREACHABLE", None, 2,
    )  # fmt: skip
    assert (good.provider, good.role, good.outcome, good.cause, good.count) == (
        "good", "language_model", "answered", "", 2,
    )  # fmt: skip
    assert good.first_ms is not None
    assert attempts.take() == ()


async def test_an_answer_nobody_wants_to_the_end_is_told_as_abandoned() -> None:
    attempts = Attempts()
    health = Healths(SystemClock()).of("language_model", "good")
    link: Link[LanguageModel] = Link("good", Elsewhere("Good morning! ", WHOLE, pause=1), health)
    reply = FailoverModel(Chain([link], patience=HURRIED, clock=SystemClock(), tell=attempts.add)).reply(CONTEXT)
    async with aclosing(reply):
        await anext(reply)
    (told_of,) = attempts.take()
    assert (told_of.outcome, told_of.cause) == ("abandoned", "")
