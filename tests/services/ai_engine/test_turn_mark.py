"""A language model tells whether the learner had finished, and nobody hears it do so."""

import pytest

from mesh.clock import SystemClock
from services.ai_engine.adapters.chain import Chain, Healths, Link
from services.ai_engine.adapters.failover_model import FailoverModel
from services.ai_engine.adapters.patience import Patience
from services.ai_engine.domain.roles import LanguageModel, TurnMark
from services.ai_engine.domain.run import ReplyAudioProduced, ReplyTextProduced, SpeechEnded, TurnEndEstimated
from services.ai_engine.domain.turn_mark import LeadingMark
from services.ai_engine.providers.openai import OpenAiEndpoint, OpenAiTutor
from services.conversation.domain.choices import Choices
from services.conversation.domain.turns import Waits
from tests.emulators.openai_chat import openai_chat
from tests.services.ai_engine.scripted import LOUD_20_MS, QUIET_20_MS, ScriptedVoice, talk


@pytest.mark.parametrize(
    ("pieces", "mark", "said"),
    [
        (["✓ Good."], "finished", "Good."),
        (["○", " Go", " on."], "unfinished", "Go on."),
        ([" ◐", "\ufe0f", "  ", "Take your time."], "thinking", "Take your time."),
        (["Good ✓."], None, "Good ✓."),
        ([" ", " coffee"], None, "  coffee"),
        (["◐"], "thinking", ""),
    ],
)
def test_the_mark_is_taken_off_wherever_the_pieces_break(pieces: list[str], mark: TurnMark | None, said: str) -> None:
    leading = LeadingMark()
    assert ("".join(map(leading.feed, pieces)), leading.mark) == (said, mark)


@pytest.mark.parametrize(("mark", "probability"), [("✓", None), ("○", 0.15), ("◐", 0.0)])
async def test_a_model_that_doubts_that_the_turn_is_over_makes_the_talk_wait_longer(
    mark: str, probability: float | None
) -> None:
    async with openai_chat() as vendor:
        vendor.words = (mark, " Take ", "your ", "time.")
        tutor = OpenAiTutor(OpenAiEndpoint(vendor.base_url, "small", "key-1", turn_marks=True), {})
        health = Healths(SystemClock()).of("language_model", "openai")
        link: Link[LanguageModel] = Link("openai", tutor, health)
        model = FailoverModel(Chain([link], patience=Patience(), clock=SystemClock()))
        async with talk(language_model=model, synthesizer=ScriptedVoice()) as session:
            await session.hear(*[LOUD_20_MS] * 20, *[QUIET_20_MS] * 20)
            (paused,) = await session.listener.until(SpeechEnded)
            (by_sound,) = await session.listener.until(TurnEndEstimated)
            await session.respond(turn="Well, I think I would like")
            assert (await session.finished()).end == "complete"
            judged = session.listener.all(TurnEndEstimated)[1:]
            told = "".join(event.text for event in session.listener.all(ReplyTextProduced))
            words = [word.text for event in session.listener.all(ReplyAudioProduced) for word in event.words]
        await tutor.aclose()
        assert "◐" in vendor.requests[0]["messages"][0]["content"]
    assert (told, words) == ("Take your time.", ["Take", "your", "time."])
    assert judged == ([] if probability is None else [TurnEndEstimated(paused.at_sample, probability)])
    if probability is not None:
        assert Waits().after(probability, Choices()) > Waits().after(by_sound.probability, Choices())
