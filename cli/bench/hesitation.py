"""The part of `viva bench turns` about learners who hesitate: how often a pause is taken for the end of a turn."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from cli.bench.heard_ear import HeardEar
from cli.bench.hesitant import Hesitant, Part, hesitant_learners
from cli.bench.overhearing import Overheard, open_listener
from cli.bench.report import Figure, Measured, percentiles, single
from cli.bench.speaking import open_voice
from cli.simulation.script import Say
from cli.simulation.story import Story
from cli.simulation.virtual import play_virtually
from mesh.server import run

_PARTS: Final[tuple[Part, ...]] = ("held out", "tuned on")


def measure_hesitation(quick: bool) -> Measured:
    """The real models hear each turn, each learner's by themselves; the rules decide about it on a virtual clock."""
    found = [run(_overheard(part, hesitant_learners(part, 1 if quick else 100))) for part in _PARTS]
    return Measured(sum(each.n for each in found), [figure for each in found for figure in each.figures])


async def _overheard(part: Part, learners: Sequence[Hesitant]) -> Measured:
    overheard: dict[Say, Overheard] = {}
    async with open_voice() as voice:
        for each in learners:
            async with open_listener() as listener:
                overheard |= {say: await listener.overhear(await voice.say(say)) for say in each.turns}
    played = [(each, play_virtually(each.script, make_ear=partial(HeardEar, overheard))) for each in learners]
    pauses = sum(each.pauses for each in learners)
    ended = sum(story.ended_pauses for _, story in played)
    cut_off = sum(len(story.cut_off) for _, story in played)
    name = f"hesitant learners, {part}"
    figures = [
        single(f"{name}: pauses taken for the end (of {pauses})", "%", 100 * ended / pauses, 5),
        single(f"{name}: turns cut off (of {len(overheard)})", "%", 100 * cut_off / len(overheard)),
        percentiles(f"{name}: gap", "ms", _gaps([story for _, story in played]), {"p50": 600}),
        *(figure for each, story in played for figure in _of_level(f"{name}, {each.level.name}", each, story)),
    ]
    return Measured(len(overheard), figures)


def _of_level(name: str, learner: Hesitant, story: Story) -> Iterator[Figure]:
    yield single(f"{name}: pauses taken for the end", "%", 100 * story.ended_pauses / learner.pauses)
    yield percentiles(f"{name}: gap", "ms", _gaps([story]))


def _gaps(stories: Sequence[Story]) -> list[float]:
    return [gap * 1000 for story in stories for gap in story.gaps_s]
