"""`viva bench feedback`: the same spoken turns with and without what is told beside the talk, one after the other."""

import itertools
import statistics
import time
from typing import Final

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.bench.engine import Ears, instant_providers
from cli.bench.latency import CALL_S, QUICK, Plan, lines_of, session, spoken
from cli.bench.report import Figure, Report, percentiles, single
from cli.bench.server import MeshProcess, mesh_process
from cli.talking.learner import Answered
from mesh.audio import HEARING_HZ, SPEECH_HZ
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.server import run
from services.ai_engine.assembly import engine_for
from services.ai_engine.domain.roles import Learner, TutorContext
from services.ai_engine.domain.run import (
    Assess,
    Configure,
    RemarkFound,
    ReplyAudioProduced,
    Respond,
    Selection,
    WordTime,
)
from services.ai_engine.feedback.judges import open_assessor

#: Fewer sessions than elsewhere, for each is held with either mesh.
_FULL: Final = Plan(sessions=4, turns_each=4)
_WITHOUT: Final = {"VIVAVOCE_AI_ENGINE_FEEDBACK": "false"}
_SAID: Final = "I would like to make a reservation because I have a deadline."
#: A difference below this is none: the sound is made in pieces of 40 ms.
_GOAL_MS: Final = 10.0


def bench_feedback(*, quick: bool) -> Report:
    """Holds each session twice, with either mesh first in turn, so that a machine that gets busy slows both.

    Raises:
        VivavoceError: a mesh did not start, or stopped answering.
    """
    plan = QUICK if quick else _FULL
    with mesh_process({}) as told, mesh_process(_WITHOUT) as silent:
        pairs = run(_pairs(told, silent, plan))
    answered = [
        (with_it.first_audio_ms, without.first_audio_ms)
        for with_it, without in pairs
        if with_it.first_audio_ms is not None and without.first_audio_ms is not None
    ]
    found = sum(len(with_it.feedback) for with_it, _ in pairs)
    leaked = sum(len(without.feedback) for _, without in pairs)
    return Report(
        "feedback",
        len(answered),
        [
            percentiles("wait for a reply, feedback on", "ms", [with_it for with_it, _ in answered]),
            percentiles("wait for a reply, feedback off", "ms", [without for _, without in answered]),
            single(
                "longer with it, median of the same turns",
                "ms",
                statistics.median(with_it - without for with_it, without in answered),
                _GOAL_MS,
            ),
            *run(_engine_figures(40 if quick else 400)),
            single("told of a turn, feedback on", "events", found / max(1, len(pairs))),
            single("told of a turn, feedback off", "events", leaked / max(1, len(pairs)), 0),
        ],
    )


async def _pairs(told: MeshProcess, silent: MeshProcess, plan: Plan) -> list[tuple[Answered, Answered]]:
    pairs: list[tuple[Answered, Answered]] = []
    async with open_channel(told.grpc) as channel:
        listed = await AiEngineServiceStub(channel).ListScenarios(engine_pb.ListScenariosRequest(), timeout=CALL_S)
        for number, scenario in enumerate(itertools.islice(itertools.cycle(listed.scenarios), plan.sessions)):
            lines = list(itertools.islice(itertools.cycle(lines_of(scenario)), plan.turns_each))
            sounds = [await spoken(channel, told.token, line) for line in lines]
            settings = settings_pb.ConversationSettings(scenario_id=scenario.id, level=learner_pb.CEFR_LEVEL_A2)
            answers = {}
            for mesh in (told, silent) if number % 2 else (silent, told):
                answers[mesh.web] = await session(mesh, settings, sounds)
            pairs += zip(answers[told.web], answers[silent.web], strict=True)
    return pairs


async def _engine_figures(turns: int) -> list[Figure]:
    """The same in one process, with providers that take no time: what a busy machine adds is small there."""
    words = tuple(WordTime(word, n * 8000, n * 8000 + 4000) for n, word in enumerate(_SAID.split()))
    configure = Configure(Selection(), HEARING_HZ, SPEECH_HZ)
    with_it: list[float] = []
    without: list[float] = []
    async with open_assessor(sound_guesses=True, clock=SystemClock()) as assessor:
        for number in range(turns):
            for judge, waits in ((assessor, with_it), (None, without))[:: 1 if number % 2 else -1]:
                ears = Ears()
                engine = engine_for(configure, instant_providers(judge), clock=SystemClock())
                async with engine.open(configure, ears.emit) as opened:
                    asked_at = time.perf_counter()
                    context = TutorContext(Learner(), "", (), _SAID)
                    await opened.handle(Respond("rep_1", "trn_1", 1, context))
                    await opened.handle(Assess("trn_1", 1, _SAID, words, level="A1"))
                    waits.append((await ears.until(ReplyAudioProduced) - asked_at) * 1000)
                    if judge is not None:
                        await ears.until(RemarkFound)
    return [
        percentiles("engine alone: reply asked for → first sound, feedback on", "ms", with_it),
        percentiles("engine alone: reply asked for → first sound, feedback off", "ms", without),
    ]
