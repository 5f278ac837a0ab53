"""Keeps a vendor's memory of a talk equal to what was truly said and heard, in plain Python.

The vendor remembers by itself what it heard and said. The conversation knows better: what of an answer left the
loudspeaker, which answers were thrown away, what was typed. Before each answer both are compared, and mended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from services.ai_engine.domain.roles import Line

#: Lines a fresh memory begins with; of those before, the instructions give a digest.
RECENT: Final = 12
_DIGEST_LINES: Final = 40
_DIGEST_LETTERS: Final = 90


@dataclass(frozen=True, slots=True)
class Kept:
    """Something the vendor remembers: one line, as one item or several."""

    speaker: Literal["learner", "tutor"]
    text: str
    item_ids: tuple[str, ...]
    #: The turn it is the sound of; empty for written lines and the tutor's.
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class Forget:
    """Have an item removed."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Have a line added behind the item `after`; empty: before all others."""

    item_id: str
    line: Line
    after: str


Mending = Forget | Remember


@dataclass(slots=True)
class Remembered:
    """What the vendor remembers on one connection, in order."""

    #: Begins the ids of lines that are added.
    prefix: str
    kept: list[Kept] = field(default_factory=list)
    _added: int = 0

    def take(self, kept: Kept) -> None:
        """The vendor has one more."""
        self.kept.append(kept)

    def retake(self, kept: Kept) -> None:
        """The vendor has one more, which includes what it had of the same turn."""
        self.kept = [each for each in self.kept if not kept.turn_id or each.turn_id != kept.turn_id]
        self.kept.append(kept)

    def add(self, line: Line) -> list[Mending]:
        """What to do so that it remembers this line behind all others."""
        return [self._add(line)]

    def drop_turn(self, turn_id: str) -> list[Forget]:
        """The sound of a turn does not count any more: it is about to come again, longer."""
        return self._drop(kept for kept in self.kept if kept.turn_id == turn_id)

    def drop_item(self, item_id: str) -> list[Forget]:
        """An answer of which nothing was heard was never said."""
        return self._drop(kept for kept in self.kept if item_id in kept.item_ids)

    def mend(self, lines: Sequence[Line], turn: Line | None, turn_id: str) -> list[Mending]:
        """What to do so that the vendor remembers these lines and at last the turn, and nothing else after them.

        Lines from before these it may still know. A turn whose sound it has stays sound.
        """
        sound = next((kept for kept in reversed(self.kept) if turn_id and kept.turn_id == turn_id), None)
        known = [kept for kept in self.kept if kept is not sound]
        wanted = list(lines) if known else list(lines[-RECENT:])
        begin_known, begin_wanted, length = _longest_agreement(known, wanted)
        keep = known[: begin_known + length]
        mendings: list[Mending] = [Forget(each) for kept in known[len(keep) :] for each in kept.item_ids]
        missing = wanted[begin_wanted + length :]
        if sound is None and turn is not None:
            missing.append(turn)
        self.kept = keep
        mendings.extend(map(self._add, missing))
        if sound is not None:
            self.kept.append(sound)
        return mendings

    def _add(self, line: Line) -> Remember:
        self._added += 1
        item_id = f"{self.prefix}{self._added:05d}"
        after = self.kept[-1].item_ids[-1] if self.kept else ""
        self.kept.append(Kept(line.speaker, line.text, (item_id,)))
        return Remember(item_id, line, after)

    def _drop(self, gone: Iterable[Kept]) -> list[Forget]:
        dropped = list(gone)
        self.kept = [kept for kept in self.kept if kept not in dropped]
        return [Forget(item_id) for kept in dropped for item_id in kept.item_ids]


def digest(lines: Sequence[Line]) -> str:
    """The lines before the recent ones, each shortened, for the instructions of a fresh memory; empty for none."""
    earlier = lines[:-RECENT][-_DIGEST_LINES:]
    if not earlier:
        return ""
    told = (f"- {line.speaker}: {_shortened(' '.join(line.text.split()))}" for line in earlier)
    return "Earlier in this talk, shortened:\n" + "\n".join(told)


def _longest_agreement(known: Sequence[Kept], wanted: Sequence[Line]) -> tuple[int, int, int]:
    """Where in both the longest common run begins that starts at the first of either, and how long it is."""
    starts = [(begin, 0) for begin in range(len(known))] + [(0, begin) for begin in range(1, len(wanted))]
    best = (0, 0, 0)
    for begin_known, begin_wanted in starts:
        length = 0
        for kept, line in zip(known[begin_known:], wanted[begin_wanted:], strict=False):
            if not _agree(kept, line):
                break
            length += 1
        if length > best[2]:
            best = begin_known, begin_wanted, length
    return best


def _agree(kept: Kept, line: Line) -> bool:
    """Of the tutor's line, which was cut in both, the conversation tells only what was heard."""
    mine, theirs = kept.text.split(), line.text.split()
    same = mine[: len(theirs)] == theirs if kept.speaker == "tutor" else mine == theirs
    return kept.speaker == line.speaker and bool(theirs) and same


def _shortened(text: str) -> str:
    return text if len(text) <= _DIGEST_LETTERS else text[:_DIGEST_LETTERS].rsplit(" ", 1)[0] + " …"
