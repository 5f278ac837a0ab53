"""The parts of `viva bench turns` in real time: gaps and interruptions, by a learner's clock of samples."""

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from cli.bench.report import Measured, percentiles, single
from cli.bench.server import INSTANT, MeshProcess, mesh_process
from cli.bench.speaking import open_voice
from cli.simulation.live import play_live, stored_in
from cli.simulation.script import During, Expected, Say, Script, Step, Stop
from cli.simulation.story import Story
from cli.simulation.voice import Voice
from cli.talk import signed_in
from cli.talking.wires import open_socket
from mesh.errors import UnavailableError
from mesh.server import run
from services.ai_engine.providers.instant import loud_s
from services.conversation.domain.choices import Choices

#: Hearing is real, thinking and speaking take no time.
_STUBS: Final = {name: value for name, value in INSTANT.items() if not name.endswith(("VOICE_ACTIVITY", "TURN_END"))}
#: Spoken in one breath, 2 to 4 s each.
FLUENT: Final = (
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
#: Talks at once: two learners, as in the measurements of others that this is compared with.
_TALKS: Final = 2


def gaps_with_instant_engines(quick: bool) -> Measured:
    """Real hearing, and engines that take no time: what the tutor waits, and what the mesh adds."""
    stories = _talks(_STUBS, _fluent(3 if quick else 15))
    gaps = _gaps_ms(stories)
    early = sum(len(story.cut_off) for story in stories)
    return Measured(
        len(gaps),
        [
            percentiles(f"instant engines, real hearing: gap (of {len(gaps)})", "ms", gaps, {"p50": 300, "p95": 500}),
            single("instant engines, real hearing: early replies", "", early, 0),
        ],
    )


def interruptions(quick: bool) -> Measured:
    """The learner speaks over the tutor: until the loudspeaker is silent."""
    stories = _talks(_STUBS, _interrupting(3 if quick else 15))
    silences = [
        (each.silent_at - each.at) * 1000 for story in stories for each in story.barge_ins if each.silent_at is not None
    ]
    name = f"learner speaks until tutor is silent (of {len(silences)})"
    return Measured(len(silences), [percentiles(name, "ms", silences, {"p95": 150})])


def gaps_with_local_engines(quick: bool) -> Measured:
    """One learner, and the engines that `viva up` uses."""
    stories = _talks({}, _fluent(2 if quick else 20), talks=1)
    gaps = _gaps_ms(stories)
    early = sum(len(story.cut_off) for story in stories)
    return Measured(
        len(gaps),
        [
            percentiles(f"all engines local: gap (of {len(gaps)})", "ms", gaps, {"p50": 500}),
            single("all engines local: early replies", "", early, 0),
        ],
    )


def _talks(environment: Mapping[str, str], script: Script, talks: int = _TALKS) -> list[Story]:
    # Before the mesh is there: a voice takes its processor, too.
    voice, lines = run(_voice())
    with mesh_process({**environment, "VIVAVOCE_AI_ENGINE_BENCH_LINES": json.dumps(lines)}) as mesh:
        return run(_at_once(mesh, voice, script, talks))


async def _voice() -> tuple[Voice, dict[str, float]]:
    """A voice that has spoken all that is said here, and how long each line sounds: by that a stub knows its words."""
    async with open_voice() as voice:
        return voice, {line: loud_s((await voice.say(Say((line,)))).pcm) for line in FLUENT}


async def _at_once(mesh: MeshProcess, voice: Voice, script: Script, talks: int) -> list[Story]:
    async with asyncio.TaskGroup() as tasks:
        talking = [tasks.create_task(_talk(mesh, voice, script)) for _ in range(talks)]
    return [each.result() for each in talking]


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
    says = [Say((line,)) for line in itertools.islice(itertools.cycle(FLUENT), turns)]
    return _script([step for say in says for step in (Step(say), Step(Stop(), During(_HEARD_S)))])


def _interrupting(times: int) -> Script:
    """Speaks into one reply after another."""
    says = [Say((line,)) for line in itertools.islice(itertools.cycle(FLUENT), times)]
    return _script([Step(say, During(_INTO_S)) for say in says])


def _script(steps: Sequence[Step]) -> Script:
    return Script("bench", "", Choices(scenario_id="cafe", target_language="en"), tuple(steps), Expected((), 0, 0))


def _gaps_ms(stories: Sequence[Story]) -> list[float]:
    return [gap * 1000 for story in stories for gap in story.gaps_s]
