"""`viva bench latency`: real spoken turns through the whole mesh, timed at the loudspeaker."""

import asyncio
import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb

from cli.bench.report import Figure, Report, percentiles, single
from cli.bench.server import MeshProcess, mesh_process
from cli.talking.learner import Answered, join
from cli.talking.sound import Sound
from cli.talking.wires import open_socket
from mesh.audio import HEARING_HZ, SPEECH_HZ
from mesh.channel import call_metadata, open_channel
from mesh.server import run

CALL_S: Final = 20.0
_WITHIN_MS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    sessions: int
    turns_each: int


FULL: Final = Plan(sessions=8, turns_each=4)
QUICK: Final = Plan(sessions=2, turns_each=2)


def bench_latency(*, quick: bool) -> Report:
    """Holds the turns one after another, with the engines that `viva up` uses.

    Raises:
        VivavoceError: the mesh did not start, or stopped answering.
    """
    plan = QUICK if quick else FULL
    with mesh_process({}) as mesh:
        answers = run(_answers(mesh, plan))
    heard = [answer for answer in answers if answer.first_audio_ms is not None]
    measured = [answer.first_audio_ms for answer in heard if answer.first_audio_ms is not None]
    return Report(
        "latency",
        len(measured),
        [
            percentiles("last speech sample to first audible reply sample", "ms", measured, {"p50": 700, "p95": 1200}),
            single("turns answered", "%", 100 * len(measured) / len(answers), 100, at_least=True),
            *_ledger_figures(heard),
        ],
    )


def _ledger_figures(answers: Sequence[Answered]) -> Iterator[Figure]:
    """The stages, and how far their sum is from what the client measured."""
    stages: dict[str, list[float]] = {}
    apart: list[float] = []
    for answer in answers:
        if answer.ledger is None or answer.first_audio_ms is None:
            continue
        for stage in answer.ledger.stages:
            stages.setdefault(stage.name, []).append(stage.duration_ms)
        apart.append(abs(sum(stage.duration_ms for stage in answer.ledger.stages) - answer.first_audio_ms))
    for name, durations in stages.items():
        yield single(f"stage {name}, median", "ms", statistics.median(durations))
    if apart:
        yield percentiles("sum of the stages and measurement, apart", "ms", apart, {"p95": _WITHIN_MS})
    yield single("turns with a ledger", "%", 100 * len(apart) / max(1, len(answers)), 100, at_least=True)


async def _answers(mesh: MeshProcess, plan: Plan) -> list[Answered]:
    answers: list[Answered] = []
    async with open_channel(mesh.grpc) as channel:
        request = engine_pb.ListScenariosRequest()
        listed = await AiEngineServiceStub(channel).ListScenarios(request, timeout=CALL_S)
        for scenario in itertools.islice(itertools.cycle(listed.scenarios), plan.sessions):
            lines = list(itertools.islice(itertools.cycle(lines_of(scenario)), plan.turns_each))
            sounds = [await spoken(channel, mesh.token, line) for line in lines]
            answers += await session(mesh, settings_pb.ConversationSettings(scenario_id=scenario.id), sounds)
    return answers


def lines_of(scenario: catalog_pb.Scenario) -> list[str]:
    """What a learner may say in it: its own key phrases that are whole sentences."""
    return [phrase for phrase in scenario.key_phrases if "…" not in phrase and "..." not in phrase] or ["Hello there."]


async def spoken(channel: grpc.aio.Channel, token: str, line: str, *, synthesizer: str = "") -> Sound:
    """A line as the tutor's voice says it."""
    answer = await AiEngineServiceStub(channel).SynthesizeLine(
        engine_pb.SynthesizeLineRequest(text=line, synthesizer=synthesizer),
        metadata=call_metadata(token),
        timeout=CALL_S,
    )
    assert answer.audio_format.sample_rate_hz == SPEECH_HZ, "the tutor's voice has this rate"
    return Sound(answer.pcm, SPEECH_HZ).at_rate(HEARING_HZ).trimmed()


async def session(
    mesh: MeshProcess, settings: settings_pb.ConversationSettings, sounds: Sequence[Sound]
) -> list[Answered]:
    """One session: the opening line is heard out, then the turns are said."""
    async with (
        open_socket(mesh.web, mesh.token) as wire,
        join(wire, settings, input_hz=HEARING_HZ, client="viva bench") as learner,
    ):
        await learner.hear_opener()
        answers = []
        for sound in sounds:
            answers.append(await learner.say(sound))
            # A breath, as between people.
            await asyncio.sleep(0.2)
        await learner.end()
        return answers
