"""Twenty seeded scripts of vendors that fail: no conversation ends, and no sentence is said twice or lost."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, get_args

import pytest

from mesh.clock import SystemClock
from services.ai_engine.adapters.chain import Chain, Healths, Link
from services.ai_engine.adapters.failover_hearing import failover_recognizer
from services.ai_engine.adapters.failover_model import FailoverModel
from services.ai_engine.adapters.failover_voice import failover_voice
from services.ai_engine.adapters.patience import Patience
from services.ai_engine.domain.roles import LanguageModel
from services.ai_engine.domain.run import ReplyAudioProduced, ReplyTextProduced
from services.ai_engine.engines.perception import Ear
from services.ai_engine.engines.pipelined import Parts
from services.ai_engine.providers.instant import CADENCE, InstantTurnEnd, InstantVoiceActivity
from tests.emulators.misbehaviour import Kind, Misbehaviour
from tests.emulators.realtime import DialectName, Item, RealtimeEmulator
from tests.emulators.vendor import Behaviour, Vendor, running
from tests.services.ai_engine.conformance.vendors import RECOGNIZERS, SYNTHESIZERS
from tests.services.ai_engine.grammar import check_trace
from tests.services.ai_engine.scripted import ScriptedModel, ScriptedRecognizer, ScriptedVoice
from tests.services.ai_engine.test_language_models import VENDORS, Emulator
from tests.services.ai_engine.test_pairings import pipelined, talking
from tests.services.ai_engine.unified_talk import UnifiedTalk, provider, unified_talk

ANSWER: Final = "Good morning! We have tea, coffee and cake. Which one would you like? Take your time, please."
TURNS: Final = 2
#: As the defaults, but for tests: a vendor that is slow is slow at once.
PATIENCE: Final = Patience(first_s=0.25, within_s=2.0, stall_s=0.25, last_s=0.3)
_BEFORE: Final[list[Kind]] = ["none", "refuse_key", "limited", "overloaded", "broken", "slow"]
_WITHIN: Final[list[Kind]] = ["silence", "cut", "garbage", "half_rune"]
_VOICE: Final[list[Behaviour]] = [
    "refuse_key", "rate_limited", "broken", "slow_open", "stall", "cut", "end_early", "garbage", "half_rune",
    "session_cap",
]  # fmt: skip
_SOUND: Final[list[Behaviour]] = [each for each in get_args(Behaviour) if each not in ("deaf", "slow_open")]


class Cast:
    """Vendors that fail as the script says, and local parts that do not."""

    def __init__(self, models: list[Emulator], sound: list[Vendor], talk: UnifiedTalk) -> None:
        self.models = models
        self.sound = sound
        self.talk = talk

    def misbehave(self, script: random.Random) -> None:
        """Draws what each does in the next turn."""
        for model in self.models:
            kind = script.choice([script.choice(_BEFORE), script.choice(_WITHIN)])
            model.wrong = Misbehaviour(kind, script.randrange(200, 4200))
        for vendor in self.sound:
            vendor.behaviour = script.choice(["answer", script.choice(_SOUND)])
        if self.sound[0].behaviour == "silence":
            # A recogniser that hears nothing is believed: people are silent.
            self.sound[0].behaviour = "stall"


@asynccontextmanager
async def cast() -> AsyncIterator[Cast]:
    healths = Healths(SystemClock(), failures=3, rest_s=0.5)
    async with AsyncExitStack() as stack:
        models: list[Emulator] = []
        links: list[Link[LanguageModel]] = []
        for name, vendor in VENDORS.items():
            emulator = await stack.enter_async_context(vendor.emulator())
            emulator.words = tuple(f"{word} " for word in ANSWER.split())
            tutor = vendor.tutor(emulator.base_url, 5.0, False)
            stack.push_async_callback(tutor.aclose)
            models.append(emulator)
            links.append(Link(name, tutor, healths.of("language_model", name)))
        ears = await stack.enter_async_context(RECOGNIZERS["openai"]())
        mouth = await stack.enter_async_context(SYNTHESIZERS["elevenlabs"]())
        stack.push_async_callback(ears.close)
        stack.push_async_callback(mouth.close)
        last = ScriptedModel(ANSWER)
        patience, clock = PATIENCE, SystemClock()
        engine = pipelined(
            failover_recognizer(
                Chain(
                    [Link("vendor", ears.provider, healths.of("recognizer", "vendor")),
                     Link("local", ScriptedRecognizer(), healths.of("recognizer", "local"))],
                    patience=patience, clock=clock,
                )
            ),
            FailoverModel(
                Chain(
                    [*links, Link("local", last, healths.of("language_model", "local"))],
                    patience=patience, clock=clock,
                )
            ),
            failover_voice(
                Chain(
                    [Link("vendor", mouth.provider, healths.of("synthesizer", "vendor")),
                     Link("local", ScriptedVoice(), healths.of("synthesizer", "local"))],
                    patience=patience, clock=clock,
                )
            ),
        )  # fmt: skip
        async with talking(engine) as talk:
            yield Cast(models, [ears.emulator, mouth.emulator], talk)


@pytest.mark.parametrize("seed", range(20))
async def test_no_conversation_ends_and_no_sentence_is_doubled_or_lost(seed: int) -> None:
    script = random.Random(seed)
    async with cast() as playing:
        talk = playing.talk
        for turn in range(1, TURNS + 1):
            playing.misbehave(script)
            heard = await talk.say(0.5, turn_id=f"t{turn}")
            assert heard, "the turn was lost"
            await talk.respond(f"r{turn}", heard, turn_id=f"t{turn}")
            finished = await talk.finished(turn)
            assert finished.end == "complete", finished.failure
            told = [event.text for event in talk.listener.all(ReplyTextProduced) if event.reply_id == f"r{turn}"]
            assert " ".join("".join(told).split()) == ANSWER
            words = [
                word.text
                for event in talk.listener.all(ReplyAudioProduced)
                if event.reply_id == f"r{turn}"
                for word in event.words
            ]
            assert words == ANSWER.split()
        for vendor in playing.sound:
            vendor.behaviour = "answer"
    turns = range(1, TURNS + 1)
    check_trace(
        talk.listener.events,
        replies={f"r{turn}" for turn in turns},
        hearings={(f"t{turn}", turn) for turn in turns},
    )


def goes_on(items: list[Item]) -> str:
    """Says the answer, or what is left of it."""
    return ANSWER.removeprefix(items[-1].text).strip() if items[-1].role == "assistant" else ANSWER


def begins_anew(items: list[Item]) -> str:
    """Says it all, whatever was said."""
    return ANSWER


@pytest.mark.parametrize("seed", range(20))
async def test_an_answer_spoken_by_one_vendor_is_gone_on_with_by_another(seed: int) -> None:
    script = random.Random(seed)
    chosen, other = script.sample(get_args(DialectName), 2)
    health = Healths(SystemClock()).of("language_model", "local")
    vendors = [RealtimeEmulator(dialect=chosen), RealtimeEmulator(dialect=other)]
    async with running(vendors[0]), running(vendors[1]):
        parts = Parts(
            Ear(InstantVoiceActivity(), CADENCE),
            InstantTurnEnd(),
            ScriptedRecognizer(),
            FailoverModel(
                Chain([Link("local", ScriptedModel(ANSWER), health)], patience=PATIENCE, clock=SystemClock())
            ),
            ScriptedVoice(),
        )
        voices = [provider(each.dialect, each.base_url) for each in vendors]
        for vendor in vendors:
            vendor.answers = script.choice([goes_on, goes_on, begins_anew])
            vendor.well_for = script.randrange(1, len(ANSWER.split()))
            vendor.behaviour = script.choice(_VOICE)
        vendors[1].behaviour = script.choice(["answer", vendors[1].behaviour])
        async with unified_talk(*voices, stand_ins=parts, patience=PATIENCE) as talk:
            await talk.respond("r1", "Hello.")
            finished = await talk.finished()
    assert finished.end == "complete", finished.failure
    told = "".join(event.text for event in talk.listener.all(ReplyTextProduced))
    assert " ".join(told.split()) == ANSWER
    sound = talk.listener.all(ReplyAudioProduced)
    assert [word.text for event in sound for word in event.words] == ANSWER.split()
    starts = [word.start_sample for event in sound for word in event.words]
    assert starts == sorted(starts)
    check_trace(talk.listener.events, replies={"r1"}, hearings=set())
