"""`viva bench turns`: how soon the tutor answers and falls silent, and how often it takes a pause for the end."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cli.bench.heard_ear import HeardEar
from cli.bench.hesitant import Hesitant, Part, hesitant_learners
from cli.bench.overhearing import open_listener
from cli.bench.report import Figure, Report, percentiles, single
from cli.bench.server import INSTANT, MeshProcess, mesh_process
from cli.memory import settle_memory
from cli.simulation.live import play_live, stored_in
from cli.simulation.script import During, Expected, Say, Script, Step, Stop
from cli.simulation.story import Story
from cli.simulation.virtual import play_virtually
from cli.simulation.voice import Voice
from cli.talk import signed_in
from cli.talking.wires import open_socket
from mesh.errors import UnavailableError
from mesh.server import run
from services.conversation.domain.choices import Choices

#: Hearing is real, thinking and speaking take no time.
_STUBS: Final = {name: value for name, value in INSTANT.items() if not name.endswith(("VOICE_ACTIVITY", "TURN_END"))}
#: Spoken in one breath, 2 to 4 s each.
_FLUENT: Final = (
    "I would like to order a large cappuccino and a sandwich, please.",
    "Could you tell me where the nearest railway station is?",
    "Last weekend we went to the mountains with some friends.",
    "My sister works in a hospital on the other side of the city.",
    "What do you usually do when the weather is bad?",
    "I think the second one is a little bit too expensive for me.",
)
#: So much of a reply is heard before the learner stops it, or speaks over it.
_HEARD_S: Final = 0.3
_INTO_S: Final = 0.8
_PARTS: Final[tuple[Part, ...]] = ("held out", "tuned on")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    turns: int
    sessions: int
    barge_ins: int
    local_turns: int
    hesitant_turns_each: int


_FULL: Final = Plan(turns=15, sessions=2, barge_ins=30, local_turns=20, hesitant_turns_each=20)
_QUICK: Final = Plan(turns=3, sessions=1, barge_ins=3, local_turns=2, hesitant_turns_each=1)


def bench_turns(*, quick: bool) -> Report:
    """Measures all of it.

    Raises:
        VivavoceError: the mesh did not start, or stopped answering.
    """
    plan = _QUICK if quick else _FULL
    settle_memory()
    with mesh_process({}) as mesh:
        voice, local = run(_with_all_local(mesh, plan))
    with mesh_process(_STUBS) as mesh:
        stubs, barge_ins = run(_with_stubs(mesh, voice, plan))
    figures = [
        percentiles("instant engines, real hearing: gap", "ms", _gaps(stubs), {"p50": 300, "p95": 500}),
        single("instant engines, real hearing: early replies", "", sum(len(story.cut_off) for story in stubs), 0),
        percentiles("learner speaks until tutor is silent", "ms", _silences(barge_ins), {"p95": 150}),
        percentiles("all engines local: gap", "ms", _gaps([local]), {"p50": 500}),
    ]
    for part in _PARTS:
        figures += run(_hesitant(part, hesitant_learners(part, plan.hesitant_turns_each), voice))
    return Report("turns", len(_gaps(stubs)) + len(_gaps([local])), figures)


async def _with_all_local(mesh: MeshProcess, plan: Plan) -> tuple[Voice, Story]:
    """A voice that has spoken all that is said here, and a conversation with the engines that `viva up` uses."""
    async with signed_in(mesh.grpc, mesh.token) as (channel, _):
        voice = Voice(channel, mesh.token)
        learners = [each for part in _PARTS for each in hesitant_learners(part, plan.hesitant_turns_each)]
        for say in [say for each in learners for say in each.turns] + [Say((line,)) for line in _FLUENT]:
            await voice.say(say)
        return voice, await _talk(mesh, voice, _fluent(plan.local_turns))


async def _with_stubs(mesh: MeshProcess, voice: Voice, plan: Plan) -> tuple[list[Story], Story]:
    async with asyncio.TaskGroup() as talks:
        talking = [talks.create_task(_talk(mesh, voice, _fluent(plan.turns))) for _ in range(plan.sessions)]
    return [each.result() for each in talking], await _talk(mesh, voice, _interrupting(plan.barge_ins))


async def _talk(mesh: MeshProcess, voice: Voice, script: Script) -> Story:
    """A guest's; `voice` has spoken its lines before."""
    async with signed_in(mesh.grpc, "") as (channel, access):
        dial = partial(open_socket, mesh.web, access.token)
        story = await play_live(script, dial, voice, stored_in(channel, access.token))
    if story.broken:
        raise UnavailableError(f"A talk broke off: {story.broken}.")
    return story


def _fluent(turns: int) -> Script:
    """Turn after turn in one breath; each answer is stopped once it is heard."""
    says = [Say((line,)) for line in itertools.islice(itertools.cycle(_FLUENT), turns)]
    return _script([step for say in says for step in (Step(say), Step(Stop(), During(_HEARD_S)))])


def _interrupting(times: int) -> Script:
    """Speaks into one reply after another."""
    says = [Say((line,)) for line in itertools.islice(itertools.cycle(_FLUENT), times)]
    return _script([Step(say, During(_INTO_S)) for say in says])


def _script(steps: Sequence[Step]) -> Script:
    return Script("bench", "", Choices(scenario_id="cafe", target_language="en"), tuple(steps), Expected((), 0, 0))


def _gaps(stories: Sequence[Story]) -> list[float]:
    return [gap * 1000 for story in stories for gap in story.gaps_s]


def _silences(story: Story) -> list[float]:
    return [(each.silent_at - each.at) * 1000 for each in story.barge_ins if each.silent_at is not None]


async def _hesitant(part: Part, learners: Sequence[Hesitant], voice: Voice) -> list[Figure]:
    """The real models hear each turn; the rules decide about it on a virtual clock, at the paces that were measured."""
    async with open_listener() as listener:
        overheard = {say: await listener.overhear(await voice.say(say)) for each in learners for say in each.turns}
    played = [(each, play_virtually(each.script, make_ear=partial(HeardEar, overheard))) for each in learners]
    turns = [say for each in learners for say in each.turns]
    pauses = sum(each.pauses for each in learners)
    ended = sum(story.ended_pauses for _, story in played)
    cut_off = sum(len(story.cut_off) for _, story in played)
    name = f"hesitant learners, {part}"
    return [
        single(f"{name}: pauses taken for the end (of {pauses})", "%", 100 * ended / pauses, 5),
        single(f"{name}: turns cut off (of {len(turns)})", "%", 100 * cut_off / len(turns)),
        percentiles(f"{name}: gap", "ms", _gaps([story for _, story in played]), {"p50": 600}),
        *(figure for each, story in played for figure in _of_level(f"{name}, {each.level.name}", each, story)),
    ]


def _of_level(name: str, learner: Hesitant, story: Story) -> Iterator[Figure]:
    yield single(f"{name}: pauses taken for the end", "%", 100 * story.ended_pauses / learner.pauses)
    yield percentiles(f"{name}: gap", "ms", _gaps([story]))
