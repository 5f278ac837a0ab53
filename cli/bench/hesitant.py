"""Learners who stop to think: what they say, where they stop, and for how long, by level."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cli.simulation.script import GAP_S, Expected, Pause, Say, Script, Step
from services.conversation.domain.choices import Choices, Level

_FILE: Final = Path(__file__).parent / "hesitant_learners.txt"
_SEED: Final = 11
#: Pauses in seconds, drawn evenly, and pace: the less a learner knows, the longer they look for a word.
_PAUSES_S: Final = {
    Level.A1: (0.5, 1.6),
    Level.A2: (0.45, 1.3),
    Level.B1: (0.4, 1.0),
    Level.B2: (0.35, 0.8),
    Level.C1: (0.3, 0.6),
}
_PACES: Final = {Level.A1: 0.8, Level.A2: 0.85, Level.B1: 0.9, Level.B2: 1.0, Level.C1: 1.05}

Part = Literal["tuned on", "held out"]


@dataclass(frozen=True, slots=True)
class Hesitant:
    """A learner of a level, who speaks turn after turn in one session."""

    level: Level
    turns: tuple[Say, ...]

    @property
    def script(self) -> Script:
        """All of it as a conversation."""
        steps = tuple(Step(say) for say in self.turns)
        texts = tuple(say.text for say in self.turns)
        choices = Choices(level=self.level, target_language="en")
        expected = Expected(texts, len(texts), 0, gap_s=GAP_S)
        return Script(f"hesitant_{self.level.name.lower()}", "A hesitant learner", choices, steps, expected)

    @property
    def pauses(self) -> int:
        """How often they stop within a turn."""
        return sum(isinstance(piece, Pause) for say in self.turns for piece in say.pieces)


def hesitant_learners(part: Part, turns_each: int) -> list[Hesitant]:
    """One learner of each level; the pauses are drawn, and always the same."""
    drawn = random.Random(_SEED)
    said: dict[Level, list[Say]] = {}
    for line in _lines(part):
        level, _, text = line.partition(" ")
        said.setdefault(Level[level], []).append(_say(Level[level], text, drawn))
    return [Hesitant(level, tuple(says[:turns_each])) for level, says in said.items()]


def _lines(part: Part) -> Iterator[str]:
    lines = (line for line in _FILE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#")
    found = itertools.dropwhile(lambda line: line != f"[{part}]", lines)
    return itertools.takewhile(lambda line: line[0] != "[", itertools.islice(found, 1, None))


def _say(level: Level, text: str, drawn: random.Random) -> Say:
    pieces: list[str | Pause] = []
    for piece in text.split("…"):
        if pieces:
            pieces.append(Pause(round(drawn.uniform(*_PAUSES_S[level]), 2)))
        pieces.append(piece.strip())
    return Say(tuple(pieces), rate=_PACES[level])
