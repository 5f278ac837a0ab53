"""What came of many scripted conversations, for people and for scripts: who failed, and each level's figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from cli.bench.report import percentile
from cli.output import console, marked
from cli.simulation.script import Script
from cli.simulation.story import Story
from services.conversation.domain.choices import Level

#: Failures are told in full for so many; the rest are counted.
_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Played:
    """A script that was played, and what was not as it should be.

    `variation` is 0 for the script as it stands; `unplayed` tells why it was not played after all.
    """

    script: Script
    story: Story
    complaints: Sequence[str]
    variation: int = 0
    unplayed: str = ""


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """How turns of one level were taken."""

    level: str
    spoken: int
    cut_off: int
    gaps_s: Sequence[float]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        gaps = {f"p{each}": round(percentile(self.gaps_s, each) * 1000) for each in (50, 95)} if self.gaps_s else None
        share = round(100 * self.cut_off / self.spoken, 2) if self.spoken else None
        return {
            "level": self.level,
            "turns": self.spoken,
            "cut_off": self.cut_off,
            "false_cut_off_percent": share,
            "gap_ms": gaps,
        }


def by_level(played: Sequence[Played]) -> list[LevelFigures]:
    """The figures of each level that spoke, and of all."""
    levels = sorted({each.script.choices.level for each in played})
    found = [_figures(_name(level), [p for p in played if p.script.choices.level is level]) for level in levels]
    return [*found, _figures("all", played)]


def as_json(played: Sequence[Played], mode: str, took_s: float) -> dict[str, Any]:
    """For scripts."""
    failed = [each for each in played if each.complaints]
    unplayed = [each for each in played if each.unplayed]
    return {
        "mode": mode,
        "conversations": len(played) - len(unplayed),
        "took_s": round(took_s, 1),
        "simulated_s": round(sum(each.story.lasted_s for each in played)),
        "failed": [
            {"script": each.script.name, "variation": each.variation, "complaints": list(each.complaints)}
            for each in failed
        ],
        "unplayed": [{"script": each.script.name, "why": each.unplayed} for each in unplayed],
        "levels": [figures.as_json() for figures in by_level(played)],
    }


def show(played: Sequence[Played], mode: str, took_s: float) -> None:
    """Prints for people."""
    screen = console()
    failed = [each for each in played if each.complaints]
    for each in failed[:_TOLD]:
        which = f", variation {each.variation}" if each.variation else ""
        screen.print(marked("wrong", f"{each.script.name}{which}: {each.script.title}"))
        for complaint in each.complaints:
            screen.print(f"    {complaint}", markup=False)
    if len(failed) > _TOLD:
        screen.print(f"    … and {len(failed) - _TOLD} more", markup=False)
    unplayed = [each for each in played if each.unplayed]
    for each in unplayed:
        screen.print(marked("warning", f"{each.script.name} was not played: {each.unplayed}"))
    simulated_s = sum(each.story.lasted_s for each in played)
    count = len(played) - len(unplayed)
    screen.print(
        marked(
            "wrong" if failed else "right",
            f"{count - len(failed)} of {count} conversations went as they should "
            f"({mode}; {simulated_s:.0f} s of talk in {took_s:.1f} s)",
        )
    )
    table = Table("level", "turns spoken", "cut off", "gap p50 / p95")
    for figures in by_level(played):
        row = figures.as_json()
        gap = f"{row['gap_ms']['p50']} / {row['gap_ms']['p95']} ms" if row["gap_ms"] else ""
        table.add_row(figures.level, str(figures.spoken), f"{row['false_cut_off_percent'] or 0:g} %", gap)
    screen.print(table)


def _figures(level: str, played: Sequence[Played]) -> LevelFigures:
    # Who ends turns by hand, or holds them, chose the gap.
    by_itself = [each for each in played if not each.script.chooses_its_gaps]
    return LevelFigures(
        level,
        sum(len(each.story.said) for each in played),
        sum(len(each.story.cut_off) for each in played),
        [gap for each in by_itself for gap in each.story.gaps_s],
    )


def _name(level: Level) -> str:
    return level.name if level else "none"
