"""`viva bench feedback`: the same spoken turns with and without what is told beside the talk, one after the other."""

import itertools
import statistics
from typing import Final

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.bench.latency import CALL_S, FULL, QUICK, Plan, lines_of, session, spoken
from cli.bench.report import Report, percentiles, single
from cli.bench.server import MeshProcess, mesh_process
from cli.talking.learner import Answered
from mesh.channel import open_channel
from mesh.server import run

_WITHOUT: Final = {"VIVAVOCE_AI_ENGINE_FEEDBACK": "false"}
#: A difference below this is none: the sound is made in pieces of 40 ms.
_GOAL_MS: Final = 10.0


def bench_feedback(*, quick: bool) -> Report:
    """Holds each session twice, with either mesh first in turn, so that a machine that gets busy slows both.

    Raises:
        VivavoceError: a mesh did not start, or stopped answering.
    """
    plan = QUICK if quick else FULL
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
